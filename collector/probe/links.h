// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/wire.h"
#include "probe/plan.h"

struct bpf_link;
struct bpf_program;

namespace goleakd::probe {

// How probes are put into a process.
enum class Method : std::uint8_t {
  uprobe_multi,  // one link for all, CAP_BPF and CAP_PERFMON suffice (Linux 6.6 on, with its pid filter repaired)
  perf_event,    // one perf event each, CAP_SYS_ADMIN, slow to detach
};
std::string_view to_string(Method method);

// This kernel has uprobe_multi links that filter by process. `program`: one that was loaded for them.
bool uprobe_multi_works(const bpf_program* program);

struct Unlink {
  void operator()(bpf_link* link) const;
};
// Takes its probes away when it is destroyed; so does the kernel when goleakd dies. Waits until no hit of them runs.
using Link = std::unique_ptr<bpf_link, Unlink>;

// One instruction of a file, and what its hits tell the program.
struct ProbePlace {
  std::uint64_t file_offset = 0;
  goleakd_cookie cookie{};
};
goleakd_cookie cookie_of(const Probe& probe, std::uint16_t slot);

// Lets `program`, which was loaded for `method`, run at these places of the file at `path` in process `pid`, and in no
// other that runs the file: at all of them, or at none. permission: says what is missing. gone: the process has ended.
Result<std::vector<Link>> attach_program(const bpf_program* program, Method method, int pid, const std::string& path,
                                         std::span<const ProbePlace> places);

}  // namespace goleakd::probe

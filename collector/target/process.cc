// SPDX-License-Identifier: Apache-2.0
#include "target/process.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "target/access.h"
#include "target/container_names.h"
#include "target/go_library.h"
#include "target/load_bias.h"
#include "target/service_name.h"

namespace goleakd::target {
namespace {

Result<std::uint64_t> find_load_bias(const Procfs& proc, int pid, const std::string& exe, const ElfFile& elf) {
  const auto maps = proc.maps(pid);
  if (!maps) return fail(maps.error());
  const auto first = std::ranges::find(*maps, exe, &Procfs::Mapping::path);
  if (first == maps->end())
    return fail(ErrorKind::gone, "process " + std::to_string(pid) + " has no mapping of " + exe);
  if (const auto bias = load_bias(*first, elf)) return *bias;
  return fail(ErrorKind::invalid,
              exe + ": no segment is mapped where process " + std::to_string(pid) + " has its first");
}

// Not every hierarchy has to know of a container (cgroup v1), and the first says best which unit a process is in.
CgroupPath group_of(const std::vector<std::string>& groups) {
  for (const std::string& path : groups) {
    if (CgroupPath group = parse_cgroup(path); group.container.known()) return group;
  }
  return groups.empty() ? CgroupPath{} : parse_cgroup(groups.front());
}

// What runsc calls its two processes (runsc/sandbox/sandbox.go, runsc/container/container.go).
bool is_gvisor(std::string_view argv0) { return argv0 == "runsc-sandbox" || argv0 == "runsc-gofer"; }

// The Go runtime of a process: in its executable, else in a library.
Result<void> find_runtime(const Procfs& proc, BinaryCache& binaries, GoProcess& process) {
  const std::string name = "process " + std::to_string(process.pid) + " (" + process.exe + ")";
  const auto denied = [&](const Error& error) {
    return error.kind() == ErrorKind::permission ? access_denied(proc, process.pid) : error;
  };
  auto binary = binaries.open(proc.exe_path(process.pid));
  if (binary) {
    process.binary = std::move(*binary);
    if (!process.binary->elf().position_independent()) return {};
    const auto bias = find_load_bias(proc, process.pid, process.exe, process.binary->elf());
    if (!bias) return fail(denied(bias.error()));
    process.load_bias = *bias;
    return {};
  }
  if (binary.error().kind() == ErrorKind::permission) {  // of the file: the process itself may be looked at
    return fail(ErrorKind::permission,
                name + ": the file may not be read: run goleakd as root, or give it CAP_DAC_READ_SEARCH");
  }
  if (binary.error().kind() != ErrorKind::not_found) return fail(binary.error().within(process.exe));
  auto library = find_go_library(proc, binaries, process.pid);
  if (!library) {
    if (library.error().kind() == ErrorKind::not_found)
      return fail(ErrorKind::not_found, name + " is not a Go program");
    return fail(denied(library.error()));
  }
  process.binary = std::move(library->binary);
  process.load_bias = library->load_bias;
  return {};
}

}  // namespace

Result<GoProcess> GoProcess::open(const Procfs& proc, BinaryCache& binaries, int pid, const std::string& host_root) {
  GoProcess process;
  process.pid = pid;
  const auto identity = proc.identity(pid);
  if (!identity) return fail(identity.error());
  process.identity = *identity;
  process.started = start_instant(identity->start_ticks);
  auto exe = proc.exe(pid);
  if (!exe) {
    if (exe.error().kind() == ErrorKind::permission) return fail(access_denied(proc, pid));
    if (exe.error().kind() == ErrorKind::not_found) {
      return fail(ErrorKind::not_found,
                  "process " + std::to_string(pid) + " has no executable (a kernel thread, or a zombie)");
    }
    return fail(exe.error());
  }
  process.exe = std::move(*exe);
  if (auto ok = find_runtime(proc, binaries, process); !ok) return fail(ok.error());
  if (is_gvisor(proc.argv0(pid))) {
    return fail(ErrorKind::unsupported,
                process.exe +
                    ": a gVisor sandbox. The programs in it run on a kernel of its own, which hides them from "
                    "this one: run goleakd inside of the sandbox");
  }
  process.own_pid = proc.own_pid(pid);
  const std::vector<std::string> groups = proc.cgroups(pid);
  CgroupPath group = group_of(groups);
  name_container(group.container, host_root);
  process.service = service_name(group, process.exe);
  process.container = std::move(group.container);
  if (!process.alive(proc)) {  // all of the above must be of one program
    return fail(ErrorKind::gone, "process " + std::to_string(pid) + " has executed another program meanwhile");
  }
  return process;
}

bool GoProcess::alive(const Procfs& proc) const {
  const auto now = proc.identity(pid);
  return now && *now == identity;
}

}  // namespace goleakd::target

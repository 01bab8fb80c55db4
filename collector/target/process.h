// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "target/binary_cache.h"
#include "target/container.h"
#include "target/go_binary.h"
#include "target/procfs.h"

namespace goleakd::target {

// A running Go program, or a program of another language that has loaded a Go library (c-shared).
struct GoProcess {
  int pid = 0;
  ProcessIdentity identity;
  Instant started;
  std::string exe;
  int own_pid = 0;  // what the process itself takes for its pid: another one than `pid` in a container
  Container container;
  std::string service;
  std::shared_ptr<const GoBinary> binary;  // of the executable, or of that library
  std::uint64_t load_bias = 0;             // add to link-time addresses; 0 unless the program is a PIE

  std::uint64_t runtime_address(std::uint64_t link_time) const { return link_time + load_bias; }
  std::uint64_t link_address(std::uint64_t runtime) const { return runtime - load_bias; }

  // not_found: no such process, no Go program, or a kernel thread. gone: it ended meanwhile. permission: says whose it
  // is and what would help. unsupported, invalid: a Go program that cannot be watched, with the reason. One that has
  // just begun may not have a Go runtime yet. Names of containers are looked for under `host_root`.
  static Result<GoProcess> open(const Procfs& proc, BinaryCache& binaries, int pid, const std::string& host_root = "/");
  // It still runs, and is not another program with the same pid.
  bool alive(const Procfs& proc) const;
};

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/clock.h"
#include "base/result.h"
#include "target/go_binary.h"
#include "target/procfs.h"

namespace goleakd::target {

// Binaries by the identity of their file, so that processes of one build share a parse. Holds nothing alive by itself.
class BinaryCache {
 public:
  Result<std::shared_ptr<const GoBinary>> open(const std::string& path);

 private:
  using FileKey = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t>;  // device, inode, mtime, size
  std::map<FileKey, std::weak_ptr<const GoBinary>> known_;
};

// A running Go program.
struct GoProcess {
  int pid = 0;
  ProcessIdentity identity;
  Instant started;
  std::string exe;
  std::string service;
  std::shared_ptr<const GoBinary> binary;
  std::uint64_t load_bias = 0;  // add to link-time addresses; 0 unless the program is a PIE

  std::uint64_t runtime_address(std::uint64_t link_time) const { return link_time + load_bias; }
  std::uint64_t link_address(std::uint64_t runtime) const { return runtime - load_bias; }

  // not_found: no such process, no Go program, or a kernel thread. gone: it ended meanwhile. permission: says whose it
  // is and what would help. unsupported, invalid: a Go program that cannot be watched, with the reason.
  static Result<GoProcess> open(const Procfs& proc, BinaryCache& binaries, int pid);
  // It still runs, and is not another program with the same pid.
  bool alive(const Procfs& proc) const;
};

}  // namespace goleakd::target

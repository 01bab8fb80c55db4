// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/result.h"
#include "base/unique_fd.h"
#include "target/go_binary.h"

namespace goleakd::target {

// Executables that were looked into, Go or not, by the identity of their file and by their contents: processes of one
// build share one parse, in as many containers as they run, and a program that is started again and again is parsed
// once. What no process needs stays until the memory limit asks for it, the least recently used first. One thread at a
// time.
class BinaryCache {
 public:
  explicit BinaryCache(std::size_t memory_limit = 256U << 20U) : memory_limit_(memory_limit) {}

  // Errors as GoBinary::open, which do not name the file, or why it could not be opened.
  Result<std::shared_ptr<const GoBinary>> open(const std::string& path);
  Result<std::shared_ptr<const GoBinary>> open(UniqueFd fd);

  // Bytes in binaries. Above the limit only while processes need them.
  std::size_t memory() const;

 private:
  // Device, inode, time of change, size. The time of modification can be set by anybody, this one can't.
  using FileKey = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::uint64_t>;
  struct Entry {
    Result<std::shared_ptr<const GoBinary>> binary;
    std::uint64_t used = 0;  // the higher, the later

    bool needed() const { return binary && binary->use_count() > 1; }
    bool spare() const { return binary && binary->use_count() == 1; }
  };

  static Result<FileKey> key_of(int fd);
  Result<std::shared_ptr<const GoBinary>> load(UniqueFd fd, const FileKey& key) const;
  void make_room();

  std::map<FileKey, Entry> known_;
  std::size_t memory_limit_;
  std::uint64_t uses_ = 0;
};

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace goleakd::snapshot {

// A part of a file that stands for a range of addresses.
struct FileRange {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

// All of `into` from `offset` on, by pread(): nothing is mapped, so a file that shrinks meanwhile is an error value and
// no signal. invalid, with the length of the file, when it ends before.
Result<void> read_file(int fd, const std::string& path, std::uint64_t offset, std::span<std::uint8_t> into);

// What one file holds of an address space.
class FileRanges {
 public:
  // In any order. invalid when two overlap, or one leaves the address space or what a file can hold.
  static Result<FileRanges> make(UniqueFd fd, std::string path, std::vector<FileRange> ranges);

  // As much of `into` as one range holds from `address` on: how many bytes, 0 when none begins there or goes on there.
  // invalid when the file ends before that.
  Result<std::size_t> read(std::uint64_t address, std::span<std::uint8_t> into) const;

  const std::string& path() const { return path_; }

 private:
  FileRanges(UniqueFd fd, std::string path, std::vector<FileRange> ranges)
      : fd_(std::move(fd)), path_(std::move(path)), ranges_(std::move(ranges)) {}

  UniqueFd fd_;
  std::string path_;
  std::vector<FileRange> ranges_;  // ascending, apart, none empty
};

}  // namespace goleakd::snapshot

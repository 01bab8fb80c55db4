// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace goleakd::target {

// An ELF executable, read through libelf once and by pread() afterwards: nothing stays mapped, so a file that shrinks
// under us is an error value and never a signal. All addresses are link-time ones; a running PIE adds its load bias.
// What the headers claim is bounded by the size of the file, and the work by limits that real programs stay below.
class ElfFile {
 public:
  struct Section {
    std::string name;
    std::uint64_t address = 0;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };
  struct Segment {  // PT_LOAD
    std::uint64_t address = 0;
    std::uint64_t offset = 0;
    std::uint64_t file_size = 0;
    std::uint64_t memory_size = 0;
    bool executable = false;
    bool writable = false;
  };

  // `path` may be /proc/PID/exe, which also reaches deleted files and those of other mount namespaces.
  // invalid: not ELF or malformed. unsupported: a Go program for another architecture, which it names; not_found: any
  // other program for another architecture.
  static Result<ElfFile> open(const std::string& path);
  // The same of a file that is open already; `path` is for messages.
  static Result<ElfFile> open(UniqueFd fd, const std::string& path);

  // symbol(), read_pointer(), read_string() and relocated_to() know something only between these two: the tables behind
  // them are large, and nobody needs them once the addresses are found.
  void load_link_tables();
  void drop_link_tables();

  int fd() const { return fd_.get(); }
  // Bytes in the file.
  std::uint64_t size() const { return size_; }
  // A path that leads to this very file for as long as this object lives, whatever has become of its name.
  std::string own_path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

  bool position_independent() const { return position_independent_; }
  const std::vector<Segment>& segments() const { return segments_; }
  // GNU build id in hex, else the Go build id, else empty.
  const std::string& build_id() const { return build_id_; }

  const Section* section(std::string_view name) const;
  // The whole section. invalid when it is larger than `limit` or outside the file.
  Result<std::vector<std::uint8_t>> read_section(const Section& section, std::uint64_t limit = 512U << 20U) const;
  // Exactly `size` bytes at a link-time address, from the file.
  Result<std::vector<std::uint8_t>> read(std::uint64_t address, std::uint64_t size) const;
  // A pointer stored in the file; in a PIE the addend of its RELATIVE relocation when the file holds zero there.
  Result<std::uint64_t> read_pointer(std::uint64_t address) const;
  // The string whose header (pointer and length) the file has at `address`. invalid when it is longer than `limit`.
  Result<std::string> read_string(std::uint64_t address, std::uint64_t limit) const;

  // Where a PIE's RELATIVE relocations store the address `target`.
  std::vector<std::uint64_t> relocated_to(std::uint64_t target) const;

  // Where in the file the byte at a link-time address is: what uprobes are attached by. Nothing outside PT_LOAD.
  std::optional<std::uint64_t> file_offset(std::uint64_t address) const;
  bool is_executable(std::uint64_t address) const;
  // Of a variable, initialised or not.
  bool is_writable(std::uint64_t address) const;

  // Of the runtime's variables that goleakd asks for, from .symtab; nothing in a stripped file.
  std::optional<std::uint64_t> symbol(std::string_view name) const;

 private:
  ElfFile() = default;
  struct Loader;

  Result<std::vector<std::uint8_t>> read_file(std::uint64_t offset, std::uint64_t size) const;

  UniqueFd fd_;
  std::string path_;
  std::uint64_t size_ = 0;
  bool position_independent_ = false;
  std::string build_id_;
  std::vector<Section> sections_;
  std::vector<Segment> segments_;
  std::unordered_map<std::string, std::uint64_t> symbols_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> relative_;  // PIE only: place and addend, by place
};

}  // namespace goleakd::target

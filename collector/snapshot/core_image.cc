// SPDX-License-Identifier: Apache-2.0
#include "snapshot/core_image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <cerrno>
#include <vector>

#include "target/elf_handle.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kMaxSegments = 1U << 20U;       // vm.max_map_count is 65530 unless it was raised
constexpr std::uint64_t kMaxNoteBytes = 256U << 20U;  // some kilobytes a thread, for its vector registers

struct Tables {
  std::vector<FileRange> memory;
  FileRange notes;
};

Result<Tables> read_tables(Elf* elf, const std::string& path) {
  GElf_Ehdr header{};
  if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == nullptr || header.e_type != ET_CORE) {
    return fail(ErrorKind::invalid, path + " is not a core file");
  }
  if (header.e_machine != EM_X86_64 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return fail(ErrorKind::invalid, path + " is the core of a process of another architecture than x86-64");
  }
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0 || count > kMaxSegments) {
    return fail(ErrorKind::invalid, path + " has an impossible number of segments");
  }
  // libelf counts those that are in the file. When they are too many for the header it says PN_XNUM.
  if (header.e_phnum != PN_XNUM && count != header.e_phnum) {
    return fail(ErrorKind::invalid, path + " is cut short: its table of segments is not whole");
  }
  Tables tables;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment{};
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr) {
      return fail(ErrorKind::invalid, path + ": " + elf_errmsg(-1));
    }
    const FileRange range{.address = segment.p_vaddr, .size = segment.p_filesz, .offset = segment.p_offset};
    if (segment.p_type == PT_LOAD) tables.memory.push_back(range);
    if (segment.p_type == PT_NOTE && tables.notes.size == 0) tables.notes = range;
  }
  return tables;
}

}  // namespace

Result<CoreImage> CoreImage::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(Error::from_errno(errno, "opening " + path));
  if (elf_version(EV_CURRENT) == EV_NONE) return fail(ErrorKind::system, "libelf is older than its header");
  target::ElfHandle elf(elf_begin(fd.get(), ELF_C_READ, nullptr));
  if (elf == nullptr) return fail(ErrorKind::invalid, path + ": " + elf_errmsg(-1));
  auto tables = read_tables(elf.get(), path);
  if (!tables) return fail(tables.error());
  elf.reset();

  if (tables->notes.size == 0 || tables->notes.size > kMaxNoteBytes) {
    return fail(ErrorKind::invalid,
                fmt::format("{} has {} bytes of notes: no core of a process", path, tables->notes.size));
  }
  std::vector<std::uint8_t> notes(tables->notes.size);
  if (auto ok = read_file(fd.get(), path, tables->notes.offset, notes); !ok) return fail(ok.error());
  auto memory = FileRanges::make(std::move(fd), path, std::move(tables->memory));
  if (!memory) return fail(memory.error());
  return CoreImage{.notes = CoreNotes::parse(notes), .memory = std::move(*memory)};
}

}  // namespace goleakd::snapshot

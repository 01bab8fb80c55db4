// SPDX-License-Identifier: Apache-2.0
#include "snapshot/core_program.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "target/elf_note.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kMaxHeaders = 128;
constexpr std::uint64_t kMaxNoteBytes = 64U << 10U;
constexpr std::uint64_t kPage = 4096;

std::vector<std::uint8_t> read_some(const FileRanges& memory, std::uint64_t address, std::uint64_t size) {
  std::vector<std::uint8_t> bytes(size);
  const auto got = memory.read(address, bytes);
  bytes.resize(got.value_or(0));
  return bytes;
}

// Link-time address of the program headers; 0 when no segment has them.
std::uint64_t headers_of(const target::ElfFile& elf, const Elf64_Ehdr& header) {
  const auto first = std::ranges::find(elf.segments(), std::uint64_t{0}, &target::ElfFile::Segment::offset);
  return first == elf.segments().end() ? 0 : first->address + header.e_phoff;
}

// For cores and programs without a build id: where code, data and types of the program begin and end, as the runtime
// knows it (runtime.firstmoduledata), is what the linker has written. True where there is nothing to compare.
bool same_module(const target::GoBinary& binary, const FileRanges& core, std::uint64_t bias) {
  const target::ModuledataLayout& layout = binary.layout().moduledata;
  const std::uint64_t module = binary.globals().firstmoduledata;
  if (module == 0) return true;
  return std::ranges::all_of(std::array{layout.text, layout.etext, layout.data, layout.edata, layout.bss, layout.ebss,
                                        layout.types, layout.etypes},
                             [&](std::uint32_t field) {
                               const auto linked = binary.elf().read_pointer(module + field);
                               const auto bytes = read_some(core, module + field + bias, sizeof(std::uint64_t));
                               const auto loaded = read_at<std::uint64_t>(bytes, 0);
                               return !linked || !loaded || *loaded == *linked + bias;
                             });
}

std::string named(const std::string& build_id) { return build_id.empty() ? "unknown" : build_id; }

}  // namespace

std::string build_id_in(const FileRanges& memory, std::uint64_t headers, std::uint64_t count) {
  const auto bytes = read_some(memory, headers, std::min(count, kMaxHeaders) * sizeof(Elf64_Phdr));
  std::vector<Elf64_Phdr> segments;
  for (std::uint64_t at = 0; const auto segment = read_at<Elf64_Phdr>(bytes, at); at += sizeof(Elf64_Phdr)) {
    segments.push_back(*segment);
  }
  // The headers stand behind the ELF header, at the start of the file.
  const auto first = std::ranges::find_if(
      segments, [](const Elf64_Phdr& segment) { return segment.p_type == PT_LOAD && segment.p_offset == 0; });
  if (first == segments.end()) return {};
  const std::uint64_t bias = headers - sizeof(Elf64_Ehdr) - first->p_vaddr;
  std::vector<std::uint8_t> notes;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMaxNoteBytes) continue;
    target::add_notes(read_some(memory, segment.p_vaddr + bias, segment.p_filesz), notes);
  }
  return target::build_id_of(notes);
}

Result<LoadedProgram> LoadedProgram::match(const target::GoBinary& binary, const std::string& path,
                                           const CoreNotes& notes, const FileRanges& core) {
  const target::ElfFile& elf = binary.elf();
  UniqueFd fd(::open(elf.own_path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(Error::from_errno(errno, "opening " + path));
  std::array<std::uint8_t, sizeof(Elf64_Ehdr)> bytes{};
  if (auto ok = read_file(fd.get(), path, 0, bytes); !ok) return fail(ok.error());
  const auto header = *read_at<Elf64_Ehdr>(bytes, 0);

  if (!notes.entry) return fail(ErrorKind::invalid, core.path() + " does not tell where its program was loaded");
  const std::uint64_t bias = *notes.entry - header.e_entry;
  std::vector<FileRange> constant;
  for (const target::ElfFile::Segment& segment : elf.segments()) {
    if (segment.writable) continue;
    constant.push_back({.address = segment.address + bias, .size = segment.file_size, .offset = segment.offset});
  }
  auto contents = FileRanges::make(std::move(fd), path, std::move(constant));
  if (!contents) return fail(contents.error());

  const std::string core_id = build_id_in(core, notes.headers, notes.header_count);
  const std::string own_id = build_id_in(*contents, headers_of(elf, header) + bias, header.e_phnum);
  const bool same = core_id.empty() ? same_module(binary, core, bias) : core_id == own_id;
  if (!same || bias % kPage != 0 || (bias != 0 && !elf.position_independent())) {
    return fail(ErrorKind::invalid, fmt::format("{} (build id {}) is not the build that the core is of (build id {})",
                                                path, named(own_id), named(core_id)));
  }
  return LoadedProgram{.load_bias = bias, .contents = std::move(*contents)};
}

}  // namespace goleakd::snapshot

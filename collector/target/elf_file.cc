// SPDX-License-Identifier: Apache-2.0
#include "target/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace goleakd::target {
namespace {

struct ElfEnd {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfEnd>;

// The only symbols that are asked for: a .symtab of a large program has hundreds of thousands.
constexpr std::array<std::string_view, 2> kWantedSymbols{"runtime.allgs", "runtime.firstmoduledata"};

constexpr std::size_t kMaxSections = 4096;
constexpr std::uint64_t kMaxNames = 1U << 20U;
constexpr std::uint64_t kMaxSymbols = 128U << 20U;
constexpr std::uint64_t kMaxRelocations = 256U << 20U;

std::string hex(ByteSpan bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
  }
  return text;
}

ByteSpan data_of(Elf_Scn* section) {
  const Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data->d_buf), data->d_size};
}

}  // namespace

// Takes from libelf what is kept; libelf's own handle lives only here.
struct ElfFile::Loader {
  ElfFile& file;
  Elf* elf;

  Result<void> check_header() {
    GElf_Ehdr header{};
    if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == nullptr) {
      return fail(ErrorKind::invalid, file.path_ + " is not an ELF file");
    }
    if (header.e_machine != EM_X86_64 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB) {
      return fail(ErrorKind::unsupported,
                  file.path_ + " is not an x86-64 program; goleakd knows no other architecture yet");
    }
    file.position_independent_ = header.e_type == ET_DYN;
    return {};
  }

  void load_segments() {
    std::size_t count = 0;
    if (elf_getphdrnum(elf, &count) != 0) return;
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Phdr header{};
      if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr || header.p_type != PT_LOAD) continue;
      file.segments_.push_back({.address = header.p_vaddr,
                                .offset = header.p_offset,
                                .file_size = header.p_filesz,
                                .executable = (header.p_flags & PF_X) != 0,
                                .writable = (header.p_flags & PF_W) != 0});
    }
  }

  // Every process of the host comes by here, Go or not, and libelf loads whole sections: so contents only of Go
  // programs, and only up to sizes that real ones stay below.
  void load_sections() {
    std::size_t names = 0;
    GElf_Shdr header{};
    if (elf_getshdrstrndx(elf, &names) != 0 || gelf_getshdr(elf_getscn(elf, names), &header) == nullptr ||
        header.sh_size > kMaxNames) {
      return;
    }
    std::size_t count = 0;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr && count < kMaxSections;
         ++count) {
      if (gelf_getshdr(section, &header) == nullptr) continue;
      const char* name = elf_strptr(elf, names, header.sh_name);
      if (name == nullptr || header.sh_type == SHT_NOBITS) continue;
      file.sections_.push_back(
          {.name = name, .address = header.sh_addr, .offset = header.sh_offset, .size = header.sh_size});
    }
    if (file.section(".gopclntab") == nullptr && file.section(".go.buildinfo") == nullptr) return;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr && count-- > 0;) {
      if (gelf_getshdr(section, &header) == nullptr) continue;
      if (header.sh_type == SHT_SYMTAB && header.sh_size <= kMaxSymbols) load_symbols(section, header);
      if (header.sh_type == SHT_RELA && header.sh_size <= kMaxRelocations && file.position_independent_) {
        load_relocations(section, header);
      }
      if (header.sh_type == SHT_NOTE && header.sh_size <= kMaxNames) load_build_id(section);
    }
  }

  void load_symbols(Elf_Scn* section, const GElf_Shdr& header) {
    GElf_Shdr names{};
    if (header.sh_entsize == 0 || gelf_getshdr(elf_getscn(elf, header.sh_link), &names) == nullptr ||
        names.sh_size > kMaxSymbols) {
      return;
    }
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr) return;
    for (std::size_t i = 0; i < header.sh_size / header.sh_entsize; ++i) {
      GElf_Sym symbol{};
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) return;
      const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (name != nullptr && std::ranges::find(kWantedSymbols, name) != kWantedSymbols.end()) {
        file.symbols_.emplace(name, symbol.st_value);
      }
    }
  }

  void load_relocations(Elf_Scn* section, const GElf_Shdr& header) {
    if (header.sh_entsize == 0) return;
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr) return;
    for (std::size_t i = 0; i < header.sh_size / header.sh_entsize; ++i) {
      GElf_Rela relocation{};
      if (gelf_getrela(data, static_cast<int>(i), &relocation) == nullptr) return;
      if (GELF_R_TYPE(relocation.r_info) == R_X86_64_RELATIVE) {
        file.relative_addends_[relocation.r_offset] = static_cast<std::uint64_t>(relocation.r_addend);
      }
    }
  }

  void load_build_id(Elf_Scn* section) {
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr) return;
    const ByteSpan bytes = data_of(section);
    GElf_Nhdr note{};
    std::size_t name_at = 0;
    std::size_t text_at = 0;
    for (std::size_t at = 0; (at = gelf_getnote(data, at, &note, &name_at, &text_at)) > 0;) {
      const ByteSpan name = slice(bytes, name_at, note.n_namesz);
      const ByteSpan text = slice(bytes, text_at, note.n_descsz);
      const std::string_view owner(reinterpret_cast<const char*>(name.data()), name.empty() ? 0 : name.size() - 1);
      if (owner == "GNU" && note.n_type == NT_GNU_BUILD_ID) {
        file.build_id_ = hex(text);
      } else if (owner == "Go" && note.n_type == 4 && file.build_id_.empty()) {  // ELF_NOTE_GOBUILDID_TAG
        file.build_id_.assign(reinterpret_cast<const char*>(text.data()), text.size());
      }
    }
  }
};

Result<ElfFile> ElfFile::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(Error::from_errno(errno, "opening " + path));
  return open(std::move(fd), path);
}

Result<ElfFile> ElfFile::open(UniqueFd fd, const std::string& path) {
  ElfFile file;
  file.path_ = path;
  file.fd_ = std::move(fd);
  if (elf_version(EV_CURRENT) == EV_NONE) return fail(ErrorKind::system, "libelf is older than its header");
  // ELF_C_READ copies what it needs: a mapping would turn a truncated file into SIGBUS.
  const ElfHandle elf(elf_begin(file.fd_.get(), ELF_C_READ, nullptr));
  if (elf == nullptr) return fail(ErrorKind::invalid, path + ": " + elf_errmsg(-1));
  Loader loader{file, elf.get()};
  if (auto ok = loader.check_header(); !ok) return fail(ok.error());
  loader.load_segments();
  loader.load_sections();
  return file;
}

const ElfFile::Section* ElfFile::section(std::string_view name) const {
  const auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}

namespace {

Result<std::vector<std::uint8_t>> read_file(int fd, const std::string& path, std::uint64_t offset, std::uint64_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::uint64_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::from_errno(errno, "reading " + path));
    if (got == 0) return fail(ErrorKind::invalid, path + " ends before its headers say");
    done += static_cast<std::uint64_t>(got);
  }
  return bytes;
}

}  // namespace

Result<std::vector<std::uint8_t>> ElfFile::read_section(const Section& section, std::uint64_t limit) const {
  if (section.size > limit) {
    return fail(ErrorKind::invalid, path_ + ": section " + section.name + " claims " + std::to_string(section.size) +
                                        " bytes; the limit is " + std::to_string(limit));
  }
  return read_file(fd_.get(), path_, section.offset, section.size);
}

Result<std::vector<std::uint8_t>> ElfFile::read(std::uint64_t address, std::uint64_t size) const {
  const auto offset = file_offset(address);
  const auto last = file_offset(address + size - 1);
  if (size == 0 || !offset || !last || *last - *offset != size - 1) {
    return fail(ErrorKind::invalid, path_ + ": no file contents at address " + std::to_string(address));
  }
  return read_file(fd_.get(), path_, *offset, size);
}

Result<std::uint64_t> ElfFile::read_pointer(std::uint64_t address) const {
  if (const auto relocated = relative_addends_.find(address); relocated != relative_addends_.end()) {
    return relocated->second;
  }
  const auto bytes = read(address, sizeof(std::uint64_t));
  if (!bytes) return fail(bytes.error());
  return *read_at<std::uint64_t>(*bytes, 0);
}

std::vector<std::uint64_t> ElfFile::relocated_to(std::uint64_t target) const {
  std::vector<std::uint64_t> places;
  for (const auto& [place, addend] : relative_addends_) {
    if (addend == target) places.push_back(place);
  }
  return places;
}

std::optional<std::uint64_t> ElfFile::file_offset(std::uint64_t address) const {
  for (const Segment& segment : segments_) {
    if (address >= segment.address && address - segment.address < segment.file_size) {
      return segment.offset + (address - segment.address);
    }
  }
  return std::nullopt;
}

bool ElfFile::is_executable(std::uint64_t address) const {
  return std::ranges::any_of(segments_, [&](const Segment& s) {
    return s.executable && address >= s.address && address - s.address < s.file_size;
  });
}

std::optional<std::uint64_t> ElfFile::symbol(std::string_view name) const {
  const auto found = symbols_.find(std::string(name));
  if (found == symbols_.end()) return std::nullopt;
  return found->second;
}

}  // namespace goleakd::target

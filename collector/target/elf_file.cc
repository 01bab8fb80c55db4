// SPDX-License-Identifier: Apache-2.0
#include "target/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "target/elf_handle.h"
#include "target/elf_note.h"

namespace goleakd::target {
namespace {

// The only symbols that are asked for: a .symtab of a large program has hundreds of thousands.
constexpr std::array<std::string_view, 8> kWantedSymbols{
    "runtime.allgs",    "runtime.allp",         "runtime.sched",           "runtime.mheap_",
    "runtime.semtable", "runtime.buildVersion", "runtime.firstmoduledata", "runtime.waitReasonStrings"};

// Limits of what is read of one file, together: headers may name the same bytes again and again.
constexpr std::size_t kMaxSegments = 1024;
constexpr std::size_t kMaxSections = 4096;
constexpr std::uint64_t kMaxNames = 1U << 20U;
constexpr std::uint64_t kMaxSymbols = 128U << 20U;
constexpr std::uint64_t kMaxRelocations = 128U << 20U;
constexpr std::uint64_t kMaxNotes = 1U << 20U;

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_AARCH64:
      return "arm64";
    case EM_X86_64:
      return "another kind of amd64 (x32)";
    case EM_386:
      return "386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390x";
    case EM_MIPS:
      return "mips";
    default:
      return "machine " + std::to_string(machine);
  }
}

ByteSpan data_of(Elf_Scn* section) {
  const Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data->d_buf), data->d_size};
}

// ELF_C_READ copies what it needs: a mapping would turn a truncated file into SIGBUS.
ElfHandle begin(int fd) {
  if (elf_version(EV_CURRENT) == EV_NONE) return nullptr;
  return ElfHandle(elf_begin(fd, ELF_C_READ, nullptr));
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
    file.position_independent_ = header.e_type == ET_DYN;
    return {};
  }

  // What nobody takes for a Go program is none, whatever it was built for: there are 32-bit programs on many hosts.
  Result<void> check_machine() const {
    GElf_Ehdr header{};
    if (gelf_getehdr(elf, &header) == nullptr) return fail(ErrorKind::invalid, file.path_ + " is not an ELF file");
    const bool amd64 = header.e_machine == EM_X86_64 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
                       header.e_ident[EI_DATA] == ELFDATA2LSB;
    if (amd64) return {};
    const bool go = file.section(".gopclntab") != nullptr || file.section(".go.buildinfo") != nullptr;
    return fail(go ? ErrorKind::unsupported : ErrorKind::not_found,
                file.path_ + " is built for " + machine_name(header.e_machine) +
                    "; goleakd knows no other architecture than amd64 yet");
  }

  void load_segments() {
    std::size_t count = 0;
    if (elf_getphdrnum(elf, &count) != 0) return;
    for (std::size_t i = 0; i < std::min(count, kMaxSegments); ++i) {
      GElf_Phdr header{};
      if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr || header.p_type != PT_LOAD) continue;
      file.segments_.push_back({.address = header.p_vaddr,
                                .offset = header.p_offset,
                                .file_size = header.p_filesz,
                                .memory_size = header.p_memsz,
                                .executable = (header.p_flags & PF_X) != 0,
                                .writable = (header.p_flags & PF_W) != 0});
    }
  }

  void load_sections() {
    const auto names = section_names(elf, kMaxNames);
    if (!names) return;
    GElf_Shdr header{};
    std::uint64_t noted = 0;
    std::vector<std::uint8_t> notes;
    std::size_t count = 0;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr && count < kMaxSections;
         ++count) {
      if (gelf_getshdr(section, &header) == nullptr) continue;
      const char* name = elf_strptr(elf, *names, header.sh_name);
      if (name == nullptr || header.sh_type == SHT_NOBITS) continue;
      file.sections_.push_back(
          {.name = name, .address = header.sh_addr, .offset = header.sh_offset, .size = header.sh_size});
      if (header.sh_type == SHT_NOTE && fits(header, noted, kMaxNotes)) add_notes(data_of(section), notes);
    }
    file.build_id_ = build_id_of(notes);
  }

  void load_link_tables() {
    std::uint64_t symbols = 0;
    std::uint64_t relocations = 0;
    std::size_t count = 0;
    GElf_Shdr header{};
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr && count < kMaxSections;
         ++count) {
      if (gelf_getshdr(section, &header) == nullptr) continue;
      if (header.sh_type == SHT_SYMTAB && fits(header, symbols, kMaxSymbols)) load_symbols(section, header);
      if (header.sh_type == SHT_RELA && file.position_independent_ && fits(header, relocations, kMaxRelocations)) {
        load_relocations(section, header);
      }
    }
    std::ranges::sort(file.relative_);
  }

  // Takes the section's bytes from what is left below `limit`.
  static bool fits(const GElf_Shdr& header, std::uint64_t& used, std::uint64_t limit) {
    if (header.sh_size > limit - used) return false;
    used += header.sh_size;
    return true;
  }

  void load_symbols(Elf_Scn* section, const GElf_Shdr& header) {
    GElf_Shdr names{};
    if (header.sh_entsize == 0 || gelf_getshdr(elf_getscn(elf, header.sh_link), &names) == nullptr ||
        names.sh_size > kMaxSymbols || (names.sh_flags & SHF_COMPRESSED) != 0) {  // as section_names
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
        file.relative_.emplace_back(relocation.r_offset, static_cast<std::uint64_t>(relocation.r_addend));
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
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(Error::from_errno(errno, "looking at " + path));
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::invalid, path + " is not a regular file");
  file.fd_ = std::move(fd);
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  const ElfHandle elf = begin(file.fd_.get());
  if (elf == nullptr) return fail(ErrorKind::invalid, path + ": " + elf_errmsg(-1));
  Loader loader{file, elf.get()};
  if (auto ok = loader.check_header(); !ok) return fail(ok.error());
  loader.load_segments();
  loader.load_sections();
  if (auto ok = loader.check_machine(); !ok) return fail(ok.error());
  return file;
}

void ElfFile::load_link_tables() {
  const ElfHandle elf = begin(fd_.get());
  if (elf != nullptr) Loader{*this, elf.get()}.load_link_tables();
}

void ElfFile::drop_link_tables() {
  symbols_ = {};
  relative_ = {};
}

const ElfFile::Section* ElfFile::section(std::string_view name) const {
  const auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}

// The size is checked before it is allocated: it is somebody's claim.
Result<std::vector<std::uint8_t>> ElfFile::read_file(std::uint64_t offset, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset) return fail(ErrorKind::invalid, path_ + " ends before its headers say");
  std::vector<std::uint8_t> bytes(size);
  std::uint64_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd_.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::from_errno(errno, "reading " + path_));
    if (got == 0) return fail(ErrorKind::invalid, path_ + " has become shorter");
    done += static_cast<std::uint64_t>(got);
  }
  return bytes;
}

Result<std::vector<std::uint8_t>> ElfFile::read_section(const Section& section, std::uint64_t limit) const {
  if (section.size > limit) {
    return fail(ErrorKind::invalid, path_ + ": section " + section.name + " claims " + std::to_string(section.size) +
                                        " bytes; the limit is " + std::to_string(limit));
  }
  return read_file(section.offset, section.size);
}

Result<std::vector<std::uint8_t>> ElfFile::read(std::uint64_t address, std::uint64_t size) const {
  const auto offset = file_offset(address);
  const auto last = file_offset(address + size - 1);
  if (size == 0 || !offset || !last || *last - *offset != size - 1) {
    return fail(ErrorKind::invalid, path_ + ": no file contents at address " + std::to_string(address));
  }
  return read_file(*offset, size);
}

Result<std::uint64_t> ElfFile::read_pointer(std::uint64_t address) const {
  const auto found = std::ranges::lower_bound(relative_, address, {}, &std::pair<std::uint64_t, std::uint64_t>::first);
  if (found != relative_.end() && found->first == address) return found->second;
  const auto bytes = read(address, sizeof(std::uint64_t));
  if (!bytes) return fail(bytes.error());
  return *read_at<std::uint64_t>(*bytes, 0);
}

Result<std::string> ElfFile::read_string(std::uint64_t address, std::uint64_t limit) const {
  const auto length_at = read(address + sizeof(std::uint64_t), sizeof(std::uint64_t));
  if (!length_at) return fail(length_at.error());
  const std::uint64_t length = *read_at<std::uint64_t>(*length_at, 0);
  if (length == 0) return std::string();
  if (length > limit) return fail(ErrorKind::invalid, path_ + ": a string claims " + std::to_string(length) + " bytes");
  const auto pointer = read_pointer(address);
  if (!pointer) return fail(pointer.error());
  const auto bytes = read(*pointer, length);
  if (!bytes) return fail(bytes.error());
  return std::string(bytes->begin(), bytes->end());
}

std::vector<std::uint64_t> ElfFile::relocated_to(std::uint64_t target) const {
  std::vector<std::uint64_t> places;
  for (const auto& [place, addend] : relative_) {
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

bool ElfFile::is_writable(std::uint64_t address) const {
  return std::ranges::any_of(segments_, [&](const Segment& s) {
    return s.writable && address >= s.address && address - s.address < s.memory_size;
  });
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

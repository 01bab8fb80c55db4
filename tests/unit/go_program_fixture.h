// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "elf_header.h"
#include "pclntab_fixture.h"
#include "target/layout.h"

// The smallest file that GoBinary takes for a Go program: functions (the two of PclntabFixture, unless told otherwise),
// a moduledata, build information and symbols of the runtime's variables (likewise runtime.allgs), at fixed addresses.
class GoProgramFixture {
 public:
  static constexpr std::uint64_t kTables = 0x500000;  // read-only
  static constexpr std::uint64_t kBuildInfo = 0x580000;
  static constexpr std::uint64_t kData = 0x600000;
  static constexpr std::uint64_t kAllgs = kData + 0x800;

  using Symbols = std::map<std::string, std::uint64_t>;

  static std::vector<std::uint8_t> bytes(const std::string& version = "go1.27.4",
                                         const Symbols& symbols = {{"runtime.allgs", kAllgs}}) {
    std::vector<std::uint8_t> code(0x80, 0xcc);
    for (const std::size_t entry : {0x00U, 0x40U}) {  // cmp 0x10(%r14),%rsp; ret
      const std::uint8_t prologue[] = {0x49, 0x3b, 0x66, 0x10, 0xc3};
      std::memcpy(code.data() + entry, prologue, sizeof(prologue));
    }
    return bytes(version, symbols, PclntabFixture::bytes(), code);
  }

  // `code` is at PclntabFixture::kText; FUNCDATA is counted from the begin of the function table.
  static std::vector<std::uint8_t> bytes(const std::string& version, const Symbols& symbols,
                                         const std::vector<std::uint8_t>& pclntab,
                                         const std::vector<std::uint8_t>& code) {
    GoProgramFixture f;
    const std::vector<std::uint8_t> info = build_info(version, "path\texample.com/fixture\n");
    const std::uint64_t text = f.add(".text", SHT_PROGBITS, PclntabFixture::kText, code);
    const std::uint64_t table = f.add(".gopclntab", SHT_PROGBITS, kTables, pclntab);
    const std::uint64_t build = f.add(".go.buildinfo", SHT_PROGBITS, kBuildInfo, info);
    const std::uint64_t data = f.add(".data", SHT_PROGBITS, kData, module_data(version, pclntab));
    f.add_symbols(symbols);
    f.segment(text, PclntabFixture::kText, code.size(), PF_R | PF_X);
    f.segment(table, kTables, pclntab.size(), PF_R);
    f.segment(build, kBuildInfo, info.size(), PF_R);
    f.segment(data, kData, 0x1000, PF_R | PF_W);
    return f.finish();
  }

  // The blob as the linker writes it: see build_info.cc.
  static std::vector<std::uint8_t> build_info(const std::string& version, const std::string& module) {
    std::string blob = "\xff Go buildinf:";
    blob += static_cast<char>(8);
    blob += static_cast<char>(2);
    blob.resize(32);
    const std::string sentinel(16, '\x30');
    for (const std::string& text : {version, sentinel + module + sentinel}) {
      blob += static_cast<char>(text.size());  // below 128: one byte of varint
      blob += text;
    }
    return {blob.begin(), blob.end()};
  }

  static goleakd::UniqueFd file(const std::vector<std::uint8_t>& contents) {
    goleakd::UniqueFd fd(::memfd_create("fixture", MFD_CLOEXEC));
    if (::write(fd.get(), contents.data(), contents.size()) != static_cast<ssize_t>(contents.size())) fd.reset();
    return fd;
  }

 private:
  GoProgramFixture() : out_(sizeof(Elf64_Ehdr)) { add("", SHT_NULL, 0, {}); }

  static std::vector<std::uint8_t> module_data(const std::string& version, const std::vector<std::uint8_t>& pclntab) {
    const auto choice = goleakd::target::layout_for(*goleakd::target::GoVersion::parse(version), false);
    const goleakd::target::ModuledataLayout& layout = choice->layout->moduledata;
    std::vector<std::uint8_t> data(0x1000);
    const auto put = [&](std::uint32_t at, std::uint64_t value) { std::memcpy(data.data() + at, &value, 8); };
    std::uint64_t names = 0;
    std::memcpy(&names, pclntab.data() + 32, 8);
    put(layout.pc_header, kTables);
    put(layout.funcnametab, kTables + names);
    put(layout.text, PclntabFixture::kText);
    put(layout.gofunc, kTables);
    return data;
  }

  std::uint64_t add(const std::string& name, std::uint32_t type, std::uint64_t address,
                    const std::vector<std::uint8_t>& contents) {
    out_.resize((out_.size() + 0xfff) / 0x1000 * 0x1000);
    Elf64_Shdr header{};
    header.sh_name = static_cast<Elf64_Word>(names_.size());
    header.sh_type = type;
    header.sh_addr = address;
    header.sh_offset = out_.size();
    header.sh_size = contents.size();
    header.sh_addralign = 1;
    sections_.push_back(header);
    names_ += name + '\0';
    out_.insert(out_.end(), contents.begin(), contents.end());
    return header.sh_offset;
  }

  void add_symbols(const Symbols& symbols) {
    std::vector<std::uint8_t> names(1);
    std::vector<Elf64_Sym> table(1);
    for (const auto& [name, address] : symbols) {
      Elf64_Sym symbol{};
      symbol.st_name = static_cast<Elf64_Word>(names.size());
      symbol.st_value = address;
      symbol.st_shndx = 1;
      table.push_back(symbol);
      names.insert(names.end(), name.c_str(), name.c_str() + name.size() + 1);
    }
    add(".strtab", SHT_STRTAB, 0, names);
    std::vector<std::uint8_t> contents(table.size() * sizeof(table[0]));
    std::memcpy(contents.data(), table.data(), contents.size());
    add(".symtab", SHT_SYMTAB, 0, contents);
    sections_.back().sh_link = static_cast<Elf64_Word>(sections_.size()) - 2;  // .strtab
    sections_.back().sh_info = 1;
    sections_.back().sh_entsize = sizeof(Elf64_Sym);
  }

  void segment(std::uint64_t offset, std::uint64_t address, std::uint64_t size, std::uint32_t flags) {
    Elf64_Phdr header{};
    header.p_type = PT_LOAD;
    header.p_flags = flags;
    header.p_offset = offset;
    header.p_vaddr = address;
    header.p_filesz = size;
    header.p_memsz = size;
    segments_.push_back(header);
  }

  template <typename T>
  std::uint64_t append(const std::vector<T>& items) {
    out_.resize((out_.size() + 7) / 8 * 8);
    const std::uint64_t at = out_.size();
    out_.resize(at + items.size() * sizeof(T));
    std::memcpy(out_.data() + at, items.data(), items.size() * sizeof(T));
    return at;
  }

  std::vector<std::uint8_t> finish() {
    add(".shstrtab", SHT_STRTAB, 0, {});
    sections_.back().sh_size = names_.size();
    out_.insert(out_.end(), names_.begin(), names_.end());
    Elf64_Ehdr header = elf_header(ET_EXEC);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_phnum = static_cast<Elf64_Half>(segments_.size());
    header.e_shnum = static_cast<Elf64_Half>(sections_.size());
    header.e_shstrndx = static_cast<Elf64_Half>(sections_.size() - 1);
    header.e_phoff = append(segments_);
    header.e_shoff = append(sections_);
    std::memcpy(out_.data(), &header, sizeof(header));
    return out_;
  }

  std::vector<std::uint8_t> out_;
  std::vector<Elf64_Shdr> sections_;
  std::vector<Elf64_Phdr> segments_;
  std::string names_;
};

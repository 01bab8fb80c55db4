// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "elf_header.h"
#include "target/layout_fields.h"

namespace goleakd::target {

// Debug information in Go's manner, of a runtime that never was: every field of layouts/fields.json is somewhere, and
// nowhere near where a real one has it. DWARF 4, one unit.
class DwarfFixture {
 public:
  static constexpr std::uint32_t kStructSize = 4000;
  static constexpr int kFuncIdWrapper = 77;

  // The unit has all structs but those that are named in `without`; `expected` gets what is to be read.
  explicit DwarfFixture(Layout& expected, const std::vector<std::string_view>& without = {}) {
    info_ = std::string(kHeaderSize, '\0');
    entry(kUnit, "runtime");
    for (const LayoutStruct& wanted : fields_of(expected)) {
      *wanted.size = kStructSize;
      Paths paths;
      for (const LayoutField& field : wanted.fields) {
        const auto [path, width] = field.spellings.front();
        if (path.starts_with('@')) {
          const std::uint32_t element = structure("", {});
          entry(kArray, path.substr(1));
          reference(element);
          *field.offset = kStructSize;
        } else {
          paths.push_back({path, width, field.offset});
        }
      }
      auto members = members_of(paths, 0);
      if (std::ranges::find(without, wanted.name) == without.end()) structure(wanted.types.front(), members);
    }
    expected.func_id_wrapper = kFuncIdWrapper;
    entry(kConstant, "runtime.funcID_wrapper");
    info_ += static_cast<char>(kFuncIdWrapper);
    info_ += '\0';  // the end of the unit's children
  }

  std::string& info() { return info_; }

  // An ELF file of it, in memory. With `promised`, .debug_info says that it is compressed and has that size.
  UniqueFd file(std::uint64_t promised = 0) const {
    std::string info = info_;
    put(info, 0, static_cast<std::uint32_t>(info.size() - 4));
    info.replace(4, 7, std::string("\4\0\0\0\0\0\10", 7));  // version 4, abbreviations at 0, pointers of 8 bytes
    if (promised != 0) {
      const Elf64_Chdr header{.ch_type = ELFCOMPRESS_ZLIB, .ch_reserved = 0, .ch_size = promised, .ch_addralign = 1};
      info.insert(0, reinterpret_cast<const char*>(&header), sizeof header);
    }
    const std::string names("\0.shstrtab\0.debug_abbrev\0.debug_info\0", 37);
    std::string bytes(sizeof(Elf64_Ehdr), '\0');
    std::vector<Elf64_Shdr> sections(1, Elf64_Shdr{});
    const auto section = [&](std::uint32_t name, std::uint32_t type, std::uint64_t flags, std::string_view contents) {
      Elf64_Shdr header{};
      header.sh_name = name;
      header.sh_type = type;
      header.sh_flags = flags;
      header.sh_offset = bytes.size();
      header.sh_size = contents.size();
      header.sh_addralign = 1;
      sections.push_back(header);
      bytes += contents;
    };
    section(1, SHT_STRTAB, 0, names);
    section(11, SHT_PROGBITS, 0, kAbbreviations);
    section(25, SHT_PROGBITS, promised != 0 ? SHF_COMPRESSED : 0, info);
    bytes.resize((bytes.size() + 7) / 8 * 8);
    Elf64_Ehdr header = elf_header(ET_EXEC);
    header.e_shoff = bytes.size();
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = static_cast<std::uint16_t>(sections.size());
    header.e_shstrndx = 1;
    put(bytes, 0, header);
    bytes.append(reinterpret_cast<const char*>(sections.data()), sections.size() * sizeof(Elf64_Shdr));
    UniqueFd fd(memfd_create("dwarf", MFD_CLOEXEC));
    if (write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return {};
    return fd;
  }

 private:
  struct Path {
    std::string_view rest;
    std::uint64_t width;
    std::uint32_t* offset;
  };
  using Paths = std::vector<Path>;
  struct Member {
    std::string_view name;
    std::uint32_t offset;
    std::uint32_t type;
  };

  static constexpr std::size_t kHeaderSize = 11;
  enum : char { kUnit = 1, kStructure, kMember, kTypedef, kBase, kArray, kConstant };
  // Code, tag, children, then (attribute, form) pairs: name string, byte_size udata, data_member_location udata, type
  // ref_addr, const_value udata.
  static constexpr std::string_view kAbbreviations{
      "\1\x11\1\3\10\0\0"
      "\2\x13\1\3\10\13\17\0\0"
      "\3\15\0\3\10\70\17\111\20\0\0"
      "\4\26\0\3\10\111\20\0\0"
      "\5\44\0\3\10\13\17\0\0"
      "\6\1\0\3\10\111\20\0\0"
      "\7\47\0\3\10\34\17\0\0",
      64};

  template <typename T>
  static void put(std::string& bytes, std::size_t at, const T& value) {
    bytes.replace(at, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
  }

  std::uint32_t entry(char code, std::string_view name) {
    const auto at = static_cast<std::uint32_t>(info_.size());
    info_ += code;
    info_ += name;
    info_ += '\0';
    return at;
  }

  void number(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7U) info_ += static_cast<char>((value & 0x7fU) | 0x80U);
    info_ += static_cast<char>(value);
  }

  void reference(std::uint32_t type) { info_.append(reinterpret_cast<const char*>(&type), sizeof type); }

  std::uint32_t number_type(std::uint64_t width) {
    const std::uint32_t type = entry(kBase, "number");
    number(static_cast<std::uint32_t>(width));
    const std::uint32_t at = entry(kTypedef, "runtime.number");
    reference(type);
    return at;
  }

  std::uint32_t structure(std::string_view name, const std::vector<Member>& members) {
    const std::uint32_t at = entry(kStructure, name);
    number(kStructSize);
    for (const Member& member : members) {
      entry(kMember, member.name);
      number(member.offset);
      reference(member.type);
    }
    info_ += '\0';
    return at;
  }

  // The members that these paths begin with, in a struct that begins at `base`.
  std::vector<Member> members_of(const Paths& paths, std::uint32_t base) {
    std::map<std::string_view, Paths> inner;
    for (const Path& path : paths) {
      const auto dot = std::min(path.rest.find('.'), path.rest.size());
      const auto behind = std::min(dot + 1, path.rest.size());
      inner[path.rest.substr(0, dot)].push_back({path.rest.substr(behind), path.width, path.offset});
    }
    std::vector<Member> members;
    for (const auto& [name, within] : inner) {
      const auto offset = static_cast<std::uint32_t>(10 + 50 * members.size());
      std::uint32_t type = 0;
      if (within.front().rest.empty()) {
        *within.front().offset = base + offset;
        type = number_type(within.front().width);
      } else {
        type = structure("inner", members_of(within, base + offset));
      }
      members.push_back({name, offset, type});
    }
    return members;
  }

  std::string info_;
};

}  // namespace goleakd::target

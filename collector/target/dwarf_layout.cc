// SPDX-License-Identifier: Apache-2.0
#include "target/dwarf_layout.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "target/elf_handle.h"
#include "target/layout_fields.h"

namespace goleakd::target {
namespace {

// Debug information is written by whoever made the program. libdw allocates what section headers promise and keeps an
// object for each unit, so both are looked at first.
constexpr std::uint64_t kMaxBytes = 512U << 20U;
constexpr std::size_t kMaxSections = 4096;
constexpr std::uint32_t kMaxUnits = 1U << 16U;
constexpr std::uint32_t kMaxEntries = 1U << 25U;  // of the units that are walked
constexpr std::uint32_t kMaxMembers = 1024;
constexpr int kMaxTypedefs = 8;

// The units that hold all types of a program, and the constants that are read.
constexpr std::array<std::string_view, 2> kUnits{"runtime", "internal/abi"};
// src/internal/abi/symtab.go since Go 1.21, src/runtime/symtab.go before.
constexpr std::array<std::string_view, 2> kFuncIdWrapper{"internal/abi.FuncIDWrapper", "runtime.funcID_wrapper"};

struct DwarfEnd {
  void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

// How many bytes libdw will hold for this section: its own size, or what it says it will be when decompressed.
std::uint64_t loaded_size(Elf_Scn* section, const GElf_Shdr& header) {
  if ((header.sh_flags & SHF_COMPRESSED) == 0) return header.sh_size;
  GElf_Chdr compressed{};
  return gelf_getchdr(section, &compressed) == nullptr ? kMaxBytes + 1 : compressed.ch_size;
}

// .debug_info, after it is clear that libdw may load this file's debug sections.
Result<Elf_Scn*> debug_info_of(Elf* elf, const std::string& path) {
  const auto names = elf_kind(elf) == ELF_K_ELF ? section_names(elf, kMaxBytes) : std::nullopt;
  if (!names) return fail(ErrorKind::invalid, path + " has no readable section names");
  GElf_Shdr header{};
  Elf_Scn* info = nullptr;
  std::uint64_t total = 0;
  std::size_t count = 0;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr; ++count) {
    if (count == kMaxSections) return fail(ErrorKind::invalid, path + " has too many sections");
    const char* text = gelf_getshdr(section, &header) == nullptr ? nullptr : elf_strptr(elf, *names, header.sh_name);
    if (text == nullptr || header.sh_type == SHT_NOBITS) continue;
    const std::string_view name = text;
    // Old compression has sizes that libelf does not show, and a supplement is another file, of the target's choosing.
    // Go 1.19 and newer write neither.
    if (name.starts_with(".zdebug") || name == ".gnu_debugaltlink" || name == ".debug_sup") {
      return fail(ErrorKind::invalid, path + ": debug information of a kind that Go does not write (" + text + ")");
    }
    if (name == ".debug_info" && info == nullptr) info = section;  // libdw, too, takes the first
    if (!name.starts_with(".debug_") && !name.starts_with(".gnu.debuglto")) continue;
    total += std::min(loaded_size(section, header), kMaxBytes + 1);
    if (total > kMaxBytes) return fail(ErrorKind::invalid, path + ": more than 512 MiB of debug information");
  }
  if (info == nullptr) return fail(ErrorKind::not_found, path + " has no debug information");
  return info;
}

class Reader {
 public:
  Reader(Dwarf* dwarf, ByteSpan info) : dwarf_(dwarf), info_(info) {}

  // Finds the types and constants that are wanted.
  Result<void> find(const std::vector<LayoutStruct>& structs) {
    for (const LayoutStruct& wanted : structs) {
      for (const std::string_view type : wanted.types) entries_.emplace(type, std::nullopt);
      for (const LayoutField& field : wanted.fields) {
        for (const FieldSpelling& spelling : field.spellings) {
          if (spelling.path.starts_with('@')) entries_.emplace(spelling.path.substr(1), std::nullopt);
        }
      }
    }
    for (const std::string_view constant : kFuncIdWrapper) entries_.emplace(constant, std::nullopt);
    // Offsets of units only grow. That they are few is known before the first is looked into.
    std::vector<Dwarf_Off> units;
    std::size_t header_size = 0;
    for (Dwarf_Off at = 0, next = 0;
         dwarf_nextcu(dwarf_, at, &next, &header_size, nullptr, nullptr, nullptr) == 0 && next > at; at = next) {
      if (units.size() == kMaxUnits) return fail(ErrorKind::invalid, "too many units of debug information");
      units.push_back(at + header_size);
    }
    for (const Dwarf_Off at : units) {
      Dwarf_Die unit{};
      const bool wanted =
          dwarf_offdie(dwarf_, at, &unit) != nullptr && std::ranges::find(kUnits, name_of(unit)) != kUnits.end();
      if (wanted && !walk(unit)) return fail(ErrorKind::invalid, "the debug information of package runtime is broken");
    }
    return {};
  }

  std::optional<Dwarf_Die> entry(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? std::nullopt : found->second;
  }

  std::optional<std::uint64_t> constant(std::string_view name) const {
    const auto found = entry(name);
    return found ? number(*found, DW_AT_const_value) : std::nullopt;
  }

  // The offset of "a.b" in a struct, when what is there has that width.
  std::optional<std::uint32_t> offset_of(Dwarf_Die within, const FieldSpelling& spelling) const {
    if (spelling.path.starts_with('@')) return element_size(spelling.path.substr(1));
    std::uint64_t offset = 0;
    std::string_view rest = spelling.path;
    while (true) {
      const auto dot = rest.find('.');
      auto member = member_of(within, rest.substr(0, dot));
      const auto at = member ? number(*member, DW_AT_data_member_location) : std::nullopt;
      auto type = member ? type_of(*member) : std::nullopt;
      if (!at || !type || *at >= kAbsent) return std::nullopt;
      offset += *at;
      within = *type;
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
    if (offset >= kAbsent || (spelling.width != 0 && size_of(within) != spelling.width)) return std::nullopt;
    return static_cast<std::uint32_t>(offset);
  }

  static std::optional<std::uint64_t> size_of(Dwarf_Die type) {
    constexpr std::uint64_t kPointer = 8;
    const int tag = dwarf_tag(&type);
    if (tag == DW_TAG_pointer_type || tag == DW_TAG_subroutine_type) return kPointer;
    return number(type, DW_AT_byte_size);
  }

 private:
  // False when libdw finds the unit broken, or it is too large.
  bool walk(Dwarf_Die unit) {
    Dwarf_Die entry{};
    for (int rc = dwarf_child(&unit, &entry); rc != 1; rc = dwarf_siblingof(&entry, &entry)) {
      if (rc != 0 || ++walked_ > kMaxEntries) return false;
      const int tag = dwarf_tag(&entry);
      if (tag != DW_TAG_structure_type && tag != DW_TAG_array_type && tag != DW_TAG_constant) continue;
      const auto wanted = entries_.find(name_of(entry));
      if (wanted != entries_.end() && !wanted->second) wanted->second = entry;
    }
    return true;
  }

  // Go writes names into the entries themselves. libdw does not look whether such a name ends within the section.
  std::string_view name_of(Dwarf_Die entry) const {
    Dwarf_Attribute attribute{};
    if (dwarf_attr(&entry, DW_AT_name, &attribute) == nullptr || attribute.form != DW_FORM_string ||
        attribute.valp < info_.data() || attribute.valp >= info_.data() + info_.size()) {
      return {};
    }
    return c_string_at(info_, static_cast<std::uint64_t>(attribute.valp - info_.data()));
  }

  static std::optional<std::uint64_t> number(Dwarf_Die entry, unsigned name) {
    Dwarf_Attribute attribute{};
    Dwarf_Word value = 0;
    if (dwarf_attr(&entry, name, &attribute) == nullptr || dwarf_formudata(&attribute, &value) != 0) {
      return std::nullopt;
    }
    return value;
  }

  std::optional<Dwarf_Die> member_of(Dwarf_Die structure, std::string_view name) const {
    Dwarf_Die member{};
    std::uint32_t count = 0;
    for (int rc = dwarf_child(&structure, &member); rc == 0 && ++count < kMaxMembers;
         rc = dwarf_siblingof(&member, &member)) {
      if (dwarf_tag(&member) == DW_TAG_member && name_of(member) == name) return member;
    }
    return std::nullopt;
  }

  // The type of a member, behind its names (Go makes a typedef of every named type).
  std::optional<Dwarf_Die> type_of(Dwarf_Die entry) const {
    for (int depth = 0; depth < kMaxTypedefs; ++depth) {
      Dwarf_Attribute attribute{};
      Dwarf_Die type{};
      // The other forms of reference lead to other files or to sections that Go does not write.
      if (dwarf_attr(&entry, DW_AT_type, &attribute) == nullptr || attribute.form != DW_FORM_ref_addr ||
          dwarf_formref_die(&attribute, &type) == nullptr) {
        return std::nullopt;
      }
      if (dwarf_tag(&type) != DW_TAG_typedef) return type;
      entry = type;
    }
    return std::nullopt;
  }

  std::optional<std::uint32_t> element_size(std::string_view array) const {
    const auto found = entry(array);
    const auto element = found ? type_of(*found) : std::nullopt;
    const auto size = element ? size_of(*element) : std::nullopt;
    if (!size || *size == 0 || *size >= kAbsent) return std::nullopt;
    return static_cast<std::uint32_t>(*size);
  }

  Dwarf* dwarf_;
  ByteSpan info_;
  std::unordered_map<std::string_view, std::optional<Dwarf_Die>> entries_;
  std::uint32_t walked_ = 0;
};

// Sets one struct; nothing when its type is not there, else the path of a field that should be and is not, or "".
std::optional<std::string> read_struct(const Reader& reader, const LayoutStruct& wanted) {
  std::optional<Dwarf_Die> type;
  for (const std::string_view name : wanted.types) {
    if (!type) type = reader.entry(name);
  }
  if (!type) return std::nullopt;
  const auto size = Reader::size_of(*type);
  if (!size || *size >= kAbsent) return "size";
  *wanted.size = static_cast<std::uint32_t>(*size);
  for (const LayoutField& field : wanted.fields) {
    std::optional<std::uint32_t> offset;
    for (const FieldSpelling& spelling : field.spellings) {
      if (!offset) offset = reader.offset_of(*type, spelling);
    }
    if (!offset && !field.optional) return std::string(field.spellings.front().path);
    *field.offset = offset.value_or(kAbsent);
  }
  return "";
}

}  // namespace

Result<std::vector<std::string_view>> read_offsets(int fd, const std::string& path, Layout& layout) {
  if (elf_version(EV_CURRENT) == EV_NONE) return fail(ErrorKind::system, elf_errmsg(-1));
  // Not mapped: a file that shrinks under us must be an error and not a signal.
  const ElfHandle elf(elf_begin(fd, ELF_C_READ, nullptr));
  if (elf == nullptr) return fail(ErrorKind::invalid, path + " is not an ELF file");
  const auto section = debug_info_of(elf.get(), path);
  if (!section) return fail(section.error());
  const std::unique_ptr<Dwarf, DwarfEnd> dwarf(dwarf_begin_elf(elf.get(), DWARF_C_READ, nullptr));
  if (dwarf == nullptr) return fail(ErrorKind::invalid, path + ": " + dwarf_errmsg(-1));
  const Elf_Data* info = elf_getdata(*section, nullptr);  // the very bytes that libdw reads, by now decompressed
  if (info == nullptr) return fail(ErrorKind::invalid, path + ": unreadable debug information");

  const auto structs = fields_of(layout);
  Reader reader(dwarf.get(), {static_cast<const std::uint8_t*>(info->d_buf), info->d_size});
  if (const auto ok = reader.find(structs); !ok) return fail(ok.error().within(path));
  if (!reader.entry("runtime.g")) {  // that of a C library, in a Go program without its own
    return fail(ErrorKind::not_found, path + " has no debug information of a Go runtime");
  }
  for (const std::string_view name : kFuncIdWrapper) {
    if (const auto id = reader.constant(name); id && *id <= 0xff) layout.func_id_wrapper = static_cast<int>(*id);
  }
  std::vector<std::string_view> lacking;
  for (const LayoutStruct& wanted : structs) {
    const auto missing = read_struct(reader, wanted);
    if (!missing) lacking.push_back(wanted.name);
    if (missing && !missing->empty()) {
      return fail(ErrorKind::invalid,
                  path + ": " + std::string(wanted.types.front()) + " has no " + *missing + " as goleakd knows it");
    }
  }
  return lacking;
}

Result<Layout> layout_from_dwarf(int fd, const std::string& path, const GoVersion& version) {
  const auto nearest = layout_for(version, false);
  if (!nearest) return fail(nearest.error());
  Layout layout = *nearest->layout;
  layout.key = {};
  const auto lacking = read_offsets(fd, path, layout);
  if (!lacking) return fail(lacking.error());
  for (const LayoutStruct& wanted : fields_of(layout)) {
    const std::string_view type = wanted.types.front();
    // notifyList is the inside of sync.Cond. The rest is in every Go program.
    if (type.starts_with("sync.") || type == "runtime.notifyList" ||
        std::ranges::find(*lacking, wanted.name) == lacking->end()) {
      continue;
    }
    return fail(ErrorKind::invalid, path + ": the debug information lacks " + std::string(type));
  }
  return layout;
}

}  // namespace goleakd::target

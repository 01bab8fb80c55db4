// SPDX-License-Identifier: Apache-2.0
#include "target/module_data.h"

#include <optional>
#include <vector>

#include "target/pclntab.h"

namespace goleakd::target {
namespace {

constexpr std::uint64_t kWord = sizeof(std::uint64_t);
constexpr std::uint64_t kMaxDataSearched = 256U << 20U;
constexpr int kMaxCandidates =
    1000;  // real programs have two words that point at the table; a file may be full of them

class Search {
 public:
  Search(const ElfFile& elf, const Layout& layout, std::uint64_t pclntab_address, std::uint64_t names)
      : elf_(elf), layout_(layout), pclntab_(pclntab_address), names_(names) {}

  bool fits(std::uint64_t address) const {
    return pointer(address + layout_.moduledata.pc_header) == pclntab_ &&
           pointer(address + layout_.moduledata.funcnametab) == pclntab_ + names_ &&
           elf_.is_executable(pointer(address + layout_.moduledata.text));
  }

  ModuleData at(std::uint64_t address) const {
    return {.address = address,
            .text = pointer(address + layout_.moduledata.text),
            .gofunc = pointer(address + layout_.moduledata.gofunc)};
  }

  std::optional<std::uint64_t> in_data() const {
    int candidates = kMaxCandidates;
    // A PIE that was linked externally holds zeros in its data, and the values in its relocations.
    for (const std::uint64_t place : elf_.relocated_to(pclntab_)) {
      if (candidates-- == 0) return std::nullopt;
      if (fits(place - layout_.moduledata.pc_header)) return place - layout_.moduledata.pc_header;
    }
    std::uint64_t left = kMaxDataSearched;
    for (const ElfFile::Segment& segment : elf_.segments()) {
      if (!segment.writable || segment.file_size > left || segment.file_size < kWord) continue;
      left -= segment.file_size;
      const auto bytes = elf_.read(segment.address, segment.file_size);
      if (!bytes) continue;
      const std::uint64_t first = (kWord - segment.address % kWord) % kWord;
      for (std::uint64_t at = first; at + kWord <= bytes->size(); at += kWord) {
        if (read_at<std::uint64_t>(*bytes, at) != pclntab_) continue;
        if (candidates-- == 0) return std::nullopt;
        const std::uint64_t address = segment.address + at - layout_.moduledata.pc_header;
        if (fits(address)) return address;
      }
    }
    return std::nullopt;
  }

 private:
  std::uint64_t pointer(std::uint64_t address) const { return elf_.read_pointer(address).value_or(0); }

  const ElfFile& elf_;
  const Layout& layout_;
  std::uint64_t pclntab_;
  std::uint64_t names_;
};

}  // namespace

Result<ModuleData> ModuleData::find(const ElfFile& elf, const Layout& layout, std::uint64_t pclntab_address,
                                    ByteSpan pclntab) {
  const auto header = Pclntab::header(pclntab);
  if (!header) return fail(ErrorKind::unsupported, "the function table has an unknown format");
  const Search search(elf, layout, pclntab_address, header->names);
  if (const auto symbol = elf.symbol("runtime.firstmoduledata"); symbol && search.fits(*symbol))
    return search.at(*symbol);
  if (const auto* section = elf.section(".go.module"); section != nullptr && search.fits(section->address)) {
    return search.at(section->address);
  }
  if (const auto address = search.in_data()) return search.at(*address);
  return fail(ErrorKind::not_found, "no runtime.firstmoduledata that points at the function table");
}

}  // namespace goleakd::target

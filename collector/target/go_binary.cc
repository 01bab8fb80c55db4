// SPDX-License-Identifier: Apache-2.0
#include "target/go_binary.h"

#include <algorithm>
#include <array>

namespace goleakd::target {
namespace {

// A table bigger than this is refused: the largest real ones (Kubernetes, Docker) are below 60 MB.
constexpr std::uint64_t kMaxPclntab = 256U << 20U;

// The function table by its section; in a PIE that was linked externally the linker has put it into .data.rel.ro, where
// only its header tells it (magic, two zeros, pc quantum 1, pointer size 8; aligned to 32 bytes). Nothing when this is
// no Go program.
std::optional<ElfFile::Section> find_pclntab(const ElfFile& elf) {
  for (const char* name : {".gopclntab", ".data.rel.ro.gopclntab"}) {
    if (const auto* section = elf.section(name)) return *section;
  }
  const auto* data = elf.section(".data.rel.ro");
  if (data == nullptr || elf.section(".go.buildinfo") == nullptr) return std::nullopt;
  const auto bytes = elf.read_section(*data, kMaxPclntab);
  if (!bytes) return std::nullopt;
  constexpr std::uint64_t kAlignment = 32;
  constexpr std::uint64_t kHeader118 = 0x08010000'fffffff0;
  constexpr std::uint64_t kHeader120 = 0x08010000'fffffff1;
  for (std::uint64_t at = (kAlignment - data->address % kAlignment) % kAlignment; at < bytes->size();
       at += kAlignment) {
    const auto header = read_at<std::uint64_t>(*bytes, at);
    if (header == kHeader118 || header == kHeader120) {
      return ElfFile::Section{
          .name = data->name, .address = data->address + at, .offset = data->offset + at, .size = data->size - at};
    }
  }
  return std::nullopt;
}

Result<BuildInfo> read_build_info(const ElfFile& elf) {
  const auto* section = elf.section(".go.buildinfo");
  if (section == nullptr) {
    return fail(ErrorKind::unsupported, "the Go version is unknown: the program has no section .go.buildinfo");
  }
  const auto bytes = elf.read_section(*section, 16U << 20U);
  if (!bytes) return fail(bytes.error());
  return BuildInfo::parse(*bytes);
}

// Go's own prologues: `cmp 0x10(%r14),%rsp`, or the same with %r12 computed first for large frames. A text start that
// is off by anything shows another byte here.
bool begins_like_go(ByteSpan code) {
  constexpr std::array<std::uint8_t, 4> kSmallFrame{0x49, 0x3b, 0x66, 0x10};
  constexpr std::array<std::uint8_t, 3> kLargeFrame{0x4c, 0x8d, 0x64};
  const auto starts = [&](const auto& bytes) {
    return code.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), code.begin());
  };
  return starts(kSmallFrame) || starts(kLargeFrame);
}

}  // namespace

Result<std::shared_ptr<const GoBinary>> GoBinary::open(UniqueFd fd, const std::string& path) {
  auto elf = ElfFile::open(std::move(fd), path);
  if (!elf) return fail(elf.error());
  const auto pclntab = find_pclntab(*elf);
  if (!pclntab) {
    return fail(ErrorKind::not_found, path + " is not a Go program: it has no Go function table (.gopclntab)");
  }
  std::shared_ptr<GoBinary> binary(new GoBinary(std::move(*elf)));
  if (auto ok = binary->load(*pclntab); !ok) return fail(ok.error());
  return binary;
}

Result<void> GoBinary::load(const ElfFile::Section& pclntab) {
  auto info = read_build_info(elf_);
  if (!info) return fail(info.error());
  build_info_ = std::move(*info);
  const auto layout = layout_for(build_info_.version);
  if (!layout) return fail(layout.error());
  layout_ = *layout;

  auto table = elf_.read_section(pclntab, kMaxPclntab);
  if (!table) return fail(table.error());
  const auto module_data = ModuleData::find(elf_, *layout_, pclntab.address, *table);
  if (!module_data) return fail(module_data.error());
  module_data_ = *module_data;
  auto functions = Pclntab::parse(std::move(*table), module_data_.text);
  if (!functions) return fail(functions.error());
  functions_.emplace(std::move(*functions));

  const auto gopark = functions_->runtime_function("runtime.gopark");
  if (!gopark) return fail(ErrorKind::unsupported, "no function runtime.gopark: not a Go runtime that goleakd knows");
  const auto code = code_of(*gopark);
  if (!code || !begins_like_go(*code)) {
    return fail(ErrorKind::invalid, "the function table does not match the code (text start " +
                                        std::to_string(module_data_.text) + "): refusing to guess addresses");
  }
  symbolizer_.emplace(elf_, *functions_, module_data_.gofunc);
  const auto globals = RuntimeGlobals::find(elf_, *functions_);
  if (!globals) return fail(globals.error());
  globals_ = *globals;
  return {};
}

Result<std::vector<std::uint8_t>> GoBinary::code_of(const Pclntab::Function& function) const {
  constexpr std::uint64_t kMaxFunction = 16U << 20U;
  return elf_.read(function.entry, std::min(function.end - function.entry, kMaxFunction));
}

std::uint32_t GoBinary::go_statement_ordinal(std::uint64_t gopc) const {
  const auto function = functions_->function_at(gopc - 1);
  const auto newproc = functions_->runtime_function("runtime.newproc");
  if (!function || !newproc) return 0;
  const auto code = code_of(*function);
  if (!code) return 0;
  const auto calls = calls_to(*code, function->entry, newproc->entry);
  const auto at = std::ranges::lower_bound(calls, gopc) - calls.begin();
  return at > 0 ? static_cast<std::uint32_t>(at - 1) : 0;
}

bool GoBinary::is_range_receive(std::uint64_t return_pc) const {
  const auto function = functions_->function_at(return_pc - 1);
  const auto receive = functions_->runtime_function("runtime.chanrecv2");
  if (!function || !receive) return false;
  const auto code = code_of(*function);
  if (!code) return false;
  bool receives = false;
  std::uint64_t call = 0;
  bool repeated = false;
  for_each_instruction(*code, function->entry, [&](const Instruction& instruction) {
    if (instruction.end() == return_pc) {
      receives = instruction.is_call() && instruction.branch_target() == receive->entry;
      call = instruction.address;
    }
    if (instruction.address >= return_pc && instruction.is_jump()) {
      const auto target = instruction.branch_target();
      // The jump back to the entry itself is the prologue asking again after it grew the stack.
      repeated = repeated || (target && *target > function->entry && *target <= call);
    }
    return true;
  });
  return receives && repeated;
}

}  // namespace goleakd::target

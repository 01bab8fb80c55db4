// SPDX-License-Identifier: Apache-2.0
#include "target/pclntab.h"

#include <algorithm>
#include <string>

namespace goleakd::target {
namespace {

constexpr std::uint32_t kMagic118 = 0xfffffff0;
constexpr std::uint32_t kMagic120 = 0xfffffff1;

// runtime.pcHeader
constexpr std::uint64_t kNfunc = 8;
constexpr std::uint64_t kNames = 32;
constexpr std::uint64_t kUnits = 40;
constexpr std::uint64_t kFiles = 48;
constexpr std::uint64_t kPcs = 56;
constexpr std::uint64_t kFunctions = 64;

// runtime._func; funcID and what follows moved by four bytes when startLine came (Go 1.20).
constexpr std::uint64_t kFuncName = 4;
constexpr std::uint64_t kFuncPcsp = 16;
constexpr std::uint64_t kFuncPcfile = 20;
constexpr std::uint64_t kFuncPcln = 24;
constexpr std::uint64_t kFuncNpcdata = 28;
constexpr std::uint64_t kFuncUnit = 32;

constexpr std::uint8_t kTopFrame = 1;  // abi.FuncFlagTopFrame

constexpr std::uint64_t kFtabEntry = 8;  // u32 offset of the code from text, u32 offset of the _func

}  // namespace

std::optional<std::uint64_t> Pclntab::name_table_offset(ByteSpan bytes) {
  const auto magic = read_at<std::uint32_t>(bytes, 0);
  if (magic != kMagic118 && magic != kMagic120) return std::nullopt;
  return read_at<std::uint64_t>(bytes, kNames);
}

Result<Pclntab> Pclntab::parse(std::vector<std::uint8_t> bytes, std::uint64_t text) {
  const auto invalid = [](const std::string& why) { return fail(ErrorKind::invalid, ".gopclntab: " + why); };
  Pclntab table;
  table.bytes_ = std::move(bytes);
  table.text_ = text;
  const ByteSpan all(table.bytes_);
  const auto magic = read_at<std::uint32_t>(all, 0);
  const auto head = read_at<std::uint64_t>(all, kFunctions);
  if (!magic || !head) return invalid("shorter than its header");
  if (*magic != kMagic118 && *magic != kMagic120) {
    return fail(ErrorKind::unsupported, ".gopclntab: unknown format (older than Go 1.18 or newer than this goleakd)");
  }
  table.old_ = *magic == kMagic118;
  if (read_at<std::uint8_t>(all, 6) != 1 || read_at<std::uint8_t>(all, 7) != 8)
    return invalid("not of a 64-bit x86 program");
  const std::uint64_t count = *read_at<std::uint64_t>(all, kNfunc);
  table.names_ = *read_at<std::uint64_t>(all, kNames);
  table.units_ = *read_at<std::uint64_t>(all, kUnits);
  table.files_ = *read_at<std::uint64_t>(all, kFiles);
  table.pcs_ = *read_at<std::uint64_t>(all, kPcs);
  table.functions_ = *head;
  // count + 1 entries: the last one has only the end address.
  if (table.functions_ > all.size() || count >= (all.size() - table.functions_) / kFtabEntry) {
    return invalid("claims " + std::to_string(count) + " functions and is too short for them");
  }
  table.count_ = static_cast<std::uint32_t>(count);
  table.end_offset_ = read_at<std::uint32_t>(all, table.functions_ + count * kFtabEntry).value_or(0);
  for (std::uint32_t i = 0; i < table.count_; ++i) {
    const auto function = table.function(i);
    if (!function) return invalid("function " + std::to_string(i) + " is outside the table or out of order");
    if (function->name.starts_with("runtime.")) table.runtime_.emplace(function->name, i);
  }
  return table;
}

std::optional<Pclntab::Function> Pclntab::function(std::uint32_t index) const {
  if (index >= count_) return std::nullopt;
  const std::uint64_t at = functions_ + index * kFtabEntry;
  const auto entry = read_at<std::uint32_t>(bytes_, at);
  const auto record = read_at<std::uint32_t>(bytes_, at + 4);
  const auto end = read_at<std::uint32_t>(bytes_, at + kFtabEntry);
  if (!entry || !record || !end || *end < *entry) return std::nullopt;
  Function function;
  function.index = index;
  function.entry = text_ + *entry;
  function.end = text_ + *end;
  function.record = functions_ + *record;
  const auto name = read_at<std::uint32_t>(bytes_, function.record + kFuncName);
  const auto id = read_at<std::uint8_t>(bytes_, function.record + func_header_size() - 4);
  const auto flags = read_at<std::uint8_t>(bytes_, function.record + func_header_size() - 3);
  if (!name || !id || !flags) return std::nullopt;
  function.name = name_at(*name);
  function.id = *id;
  function.top_frame = (*flags & kTopFrame) != 0;
  return function;
}

std::optional<Pclntab::Function> Pclntab::function_at(std::uint64_t pc) const {
  if (pc < text_ || pc - text_ >= end_offset_) return std::nullopt;
  const std::uint64_t offset = pc - text_;
  std::uint32_t low = 0;
  std::uint32_t high = count_;  // the answer is the last entry <= offset, in [low, high)
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (read_at<std::uint32_t>(bytes_, functions_ + middle * kFtabEntry).value_or(0) <= offset) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return function(low);
}

std::optional<Pclntab::Function> Pclntab::runtime_function(std::string_view name) const {
  const auto found = runtime_.find(name);
  if (found == runtime_.end()) return std::nullopt;
  return function(found->second);
}

std::string_view Pclntab::name_at(std::uint32_t offset) const { return c_string_at(slice(bytes_, names_), offset); }

// A pc-value table is a list of (value delta, pc delta) varints, zigzag the first; a zero value delta ends it, but for
// the first entry.
std::optional<std::int32_t> Pclntab::value_at(std::uint32_t table, const Function& function, std::uint64_t pc) const {
  if (table == 0) return std::nullopt;
  const ByteSpan bytes = slice(bytes_, pcs_);
  std::uint64_t offset = table;
  std::uint64_t at = function.entry;
  std::int64_t value = -1;
  constexpr int kMaxSteps = 1 << 18;  // entries need not advance the pc: a table made to be slow ends here
  for (int step = 0; step < kMaxSteps; ++step) {
    const auto value_delta = read_uvarint(bytes, offset);
    if (!value_delta || (*value_delta == 0 && step > 0)) return std::nullopt;
    const auto pc_delta = read_uvarint(bytes, offset);
    if (!pc_delta || *pc_delta > function.end - at) return std::nullopt;
    const auto half = static_cast<std::int64_t>((*value_delta & 0xffffffffU) >> 1U);
    value += (*value_delta & 1U) != 0 ? ~half : half;
    at += *pc_delta;
    if (pc < at) return static_cast<std::int32_t>(value);
  }
  return std::nullopt;
}

std::optional<std::int32_t> Pclntab::sp_delta(const Function& function, std::uint64_t pc) const {
  return value_at(read_at<std::uint32_t>(bytes_, function.record + kFuncPcsp).value_or(0), function, pc);
}

Pclntab::Line Pclntab::line(const Function& function, std::uint64_t pc) const {
  constexpr Line kUnknown{.file = "?", .line = 0};
  const auto file = value_at(read_at<std::uint32_t>(bytes_, function.record + kFuncPcfile).value_or(0), function, pc);
  const auto line = value_at(read_at<std::uint32_t>(bytes_, function.record + kFuncPcln).value_or(0), function, pc);
  const auto unit = read_at<std::uint32_t>(bytes_, function.record + kFuncUnit);
  if (!file || !line || !unit || *file < 0) return kUnknown;
  const std::uint64_t slot = static_cast<std::uint64_t>(*unit) + static_cast<std::uint32_t>(*file);
  const auto name = read_at<std::uint32_t>(bytes_, units_ + slot * sizeof(std::uint32_t));
  if (!name || *name == ~std::uint32_t{0}) return kUnknown;
  const std::string_view text = c_string_at(slice(bytes_, files_), *name);
  return text.empty() ? kUnknown : Line{.file = text, .line = *line};
}

std::int32_t Pclntab::pcdata(const Function& function, std::uint32_t table, std::uint64_t pc) const {
  const auto count = read_at<std::uint32_t>(bytes_, function.record + kFuncNpcdata).value_or(0);
  if (table >= count) return -1;
  const auto offset = read_at<std::uint32_t>(bytes_, function.record + func_header_size() + std::uint64_t{table} * 4);
  return value_at(offset.value_or(0), function, pc).value_or(-1);
}

std::optional<std::uint32_t> Pclntab::funcdata(const Function& function, std::uint32_t table) const {
  const auto pcdata_count = read_at<std::uint32_t>(bytes_, function.record + kFuncNpcdata).value_or(0);
  const auto count = read_at<std::uint8_t>(bytes_, function.record + func_header_size() - 1).value_or(0);
  if (table >= count) return std::nullopt;
  const std::uint64_t at = function.record + func_header_size() + (std::uint64_t{pcdata_count} + table) * 4;
  const auto offset = read_at<std::uint32_t>(bytes_, at);
  if (!offset || *offset == ~std::uint32_t{0}) return std::nullopt;
  return offset;
}

}  // namespace goleakd::target

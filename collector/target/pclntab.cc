// SPDX-License-Identifier: Apache-2.0
#include "target/pclntab.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace goleakd::target {

// The header of every form: magic, two zeros, pc quantum, pointer size, then words: number of functions, of files, from
// Go 1.18 on the text start, and the offsets of five parts. runtime._func begins with the entry; three groups follow.
struct Pclntab::Form {
  std::uint32_t magic;
  std::uint64_t text_at;     // of the text start; 0: none
  std::uint64_t parts_at;    // of the offsets of names, units, files, pc-value tables, functions
  std::uint64_t entry_size;  // of an address, and of an offset beside it: whole in Go 1.16, 32 bits from the text since
  std::uint64_t func_size;   // of _func without its variable tail
  bool old_inline_tree;

  bool whole_addresses() const { return entry_size == 8; }
};

namespace {

constexpr std::array<Pclntab::Form, 3> kForms{{
    {.magic = 0xfffffffa, .text_at = 0, .parts_at = 24, .entry_size = 8, .func_size = 44, .old_inline_tree = true},
    {.magic = 0xfffffff0, .text_at = 24, .parts_at = 32, .entry_size = 4, .func_size = 40, .old_inline_tree = true},
    {.magic = 0xfffffff1, .text_at = 24, .parts_at = 32, .entry_size = 4, .func_size = 44, .old_inline_tree = false},
}};

constexpr std::uint64_t kQuantum = 6;
constexpr std::uint64_t kPointerSize = 7;
constexpr std::uint64_t kNfunc = 8;

// runtime._func after its entry. The last four bytes (funcID, flag, padding, number of FUNCDATA) are counted from the
// end: they moved when startLine came (Go 1.20).
constexpr std::uint64_t kFuncName = 0;
constexpr std::uint64_t kFuncPcsp = 12;
constexpr std::uint64_t kFuncPcfile = 16;
constexpr std::uint64_t kFuncPcln = 20;
constexpr std::uint64_t kFuncNpcdata = 24;
constexpr std::uint64_t kFuncUnit = 28;
constexpr std::uint64_t kFuncId = 4;
constexpr std::uint64_t kFuncFlags = 3;
constexpr std::uint64_t kFuncNfuncdata = 1;

constexpr std::uint8_t kTopFrame = 1;  // abi.FuncFlagTopFrame

// Names longer than this are none: a table may hold one name of many megabytes that every function shares the end of.
constexpr std::uint64_t kMaxName = 64U << 10U;
// Those of package runtime that are looked up are short, and there are some five thousand.
constexpr std::string_view kRuntime = "runtime.";
constexpr std::string_view kRuntimeForSync = "sync.runtime_";  // what package sync calls by a name of its own
constexpr std::uint64_t kMaxRuntimeName = 128;
constexpr std::size_t kMaxRuntimeFunctions = 1U << 15U;
// Entries of a pc-value table advance the pc: one that was made to be slow ends here, or after as many entries as its
// function has bytes.
constexpr std::uint64_t kMaxSteps = 1U << 18U;
constexpr std::uint64_t kNoTable = ~std::uint64_t{0};  // an offset that nothing is at

const Pclntab::Form* form_of(ByteSpan bytes) {
  const auto magic = read_at<std::uint32_t>(bytes, 0);
  const auto* found = std::ranges::find_if(kForms, [&](const Pclntab::Form& form) { return form.magic == magic; });
  return found == kForms.end() ? nullptr : found;
}

}  // namespace

std::optional<Pclntab::Header> Pclntab::header(ByteSpan bytes) {
  const Form* form = form_of(bytes);
  const auto names = form == nullptr ? std::nullopt : read_at<std::uint64_t>(bytes, form->parts_at);
  if (!names) return std::nullopt;
  return Header{.names = *names, .text_at = form->text_at};
}

Result<Pclntab> Pclntab::parse(std::vector<std::uint8_t> bytes, std::uint64_t text) {
  const auto invalid = [](const std::string& why) { return fail(ErrorKind::invalid, ".gopclntab: " + why); };
  Pclntab table;
  table.bytes_ = std::move(bytes);
  table.text_ = text;
  const ByteSpan all(table.bytes_);
  if (all.size() < kNfunc) return invalid("shorter than its header");
  table.form_ = form_of(all);
  if (table.form_ == nullptr) {
    return fail(ErrorKind::unsupported, ".gopclntab: unknown format (older than Go 1.16 or newer than this goleakd)");
  }
  const Form& form = *table.form_;
  const auto part = [&](std::uint64_t index) {
    return read_at<std::uint64_t>(all, form.parts_at + index * 8).value_or(0);
  };
  if (!read_at<std::uint64_t>(all, form.parts_at + std::uint64_t{4} * 8)) return invalid("shorter than its header");
  if (read_at<std::uint8_t>(all, kQuantum) != 1 || read_at<std::uint8_t>(all, kPointerSize) != 8) {
    return invalid("not of a 64-bit x86 program");
  }
  table.names_ = part(0);
  table.units_ = part(1);
  table.files_ = part(2);
  table.pcs_ = part(3);
  table.functions_ = part(4);
  const std::uint64_t count = *read_at<std::uint64_t>(all, kNfunc);
  // count + 1 entries: the last one has only the end address.
  if (table.functions_ > all.size() || count >= (all.size() - table.functions_) / (2 * form.entry_size) ||
      count > ~std::uint32_t{0}) {
    return invalid("claims " + std::to_string(count) + " functions and is too short for them");
  }
  table.count_ = static_cast<std::uint32_t>(count);
  table.first_ = table.entry_address(0).value_or(0);
  table.end_ = table.entry_address(table.count_).value_or(0);
  for (std::uint32_t i = 0; i < table.count_; ++i) {
    std::uint32_t name_offset = 0;
    if (!table.function_without_name(i, name_offset)) {
      return invalid("function " + std::to_string(i) + " is outside the table or out of order");
    }
    const std::string_view name = c_string_at(slice(slice(all, table.names_), name_offset, kMaxRuntimeName), 0);
    const bool of_runtime = name.starts_with(kRuntime) || name.starts_with(kRuntimeForSync);
    if (of_runtime && table.runtime_.size() < kMaxRuntimeFunctions) table.runtime_.emplace(name, i);
  }
  return table;
}

std::size_t Pclntab::memory() const {
  constexpr std::size_t kNode = sizeof(decltype(runtime_)::value_type) + 2 * sizeof(void*);
  return bytes_.capacity() + runtime_.size() * kNode + runtime_.bucket_count() * sizeof(void*);
}

bool Pclntab::old_inline_tree() const { return form_->old_inline_tree; }

std::optional<std::uint64_t> Pclntab::functab_word(std::uint64_t index) const {
  const std::uint64_t at = functions_ + index * form_->entry_size;
  if (form_->whole_addresses()) return read_at<std::uint64_t>(bytes_, at);
  return read_at<std::uint32_t>(bytes_, at);
}

std::optional<std::uint64_t> Pclntab::entry_address(std::uint32_t index) const {
  const auto word = functab_word(std::uint64_t{2} * index);
  if (!word || form_->whole_addresses()) return word;
  return text_ + *word;
}

std::optional<Pclntab::Function> Pclntab::function_without_name(std::uint32_t index, std::uint32_t& name) const {
  if (index >= count_) return std::nullopt;
  const auto entry = entry_address(index);
  const auto end = entry_address(index + 1);
  const auto record = functab_word(std::uint64_t{2} * index + 1);
  if (!entry || !end || *end < *entry || !record || *record > bytes_.size()) return std::nullopt;
  Function function;
  function.index = index;
  function.entry = *entry;
  function.end = *end;
  function.record = functions_ + *record;
  const auto name_offset = read_at<std::uint32_t>(bytes_, function.record + form_->entry_size + kFuncName);
  const auto id = read_at<std::uint8_t>(bytes_, function.record + form_->func_size - kFuncId);
  const auto flags = read_at<std::uint8_t>(bytes_, function.record + form_->func_size - kFuncFlags);
  if (!name_offset || !id || !flags) return std::nullopt;
  name = *name_offset;
  function.id = *id;
  function.top_frame = (*flags & kTopFrame) != 0;
  return function;
}

std::optional<Pclntab::Function> Pclntab::function(std::uint32_t index) const {
  std::uint32_t name = 0;
  auto function = function_without_name(index, name);
  if (function) function->name = name_at(name);
  return function;
}

std::optional<Pclntab::Function> Pclntab::function_at(std::uint64_t pc) const {
  if (pc < first_ || pc >= end_) return std::nullopt;
  std::uint32_t low = 0;
  std::uint32_t high = count_;  // the answer is the last entry <= pc, in [low, high)
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (entry_address(middle).value_or(0) <= pc) {
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

std::string_view Pclntab::name_at(std::uint32_t offset) const {
  return c_string_at(slice(slice(bytes_, names_), offset, kMaxName), 0);
}

// A pc-value table is a list of (value delta, pc delta) varints, zigzag the first; a zero value delta ends it, but for
// the first entry. `table_at` is where its offset stands; offset 0 means none. Each value is handed to `visit` with
// where it ends, until that returns false.
template <typename Visit>
void Pclntab::for_each_value(std::uint64_t table_at, const Function& function, const Visit& visit) const {
  const std::uint32_t table = read_at<std::uint32_t>(bytes_, table_at).value_or(0);
  if (table == 0) return;
  const ByteSpan bytes = slice(bytes_, pcs_);
  std::uint64_t offset = table;
  std::uint64_t at = function.entry;
  std::uint32_t value = ~std::uint32_t{0};
  const std::uint64_t steps = std::min(kMaxSteps, function.end - function.entry + 1);
  for (std::uint64_t step = 0; step < steps; ++step) {
    const auto value_delta = read_uvarint(bytes, offset);
    if (!value_delta || (*value_delta == 0 && step > 0)) return;
    const auto pc_delta = read_uvarint(bytes, offset);
    if (!pc_delta || *pc_delta > function.end - at) return;
    const auto half = static_cast<std::uint32_t>(*value_delta) >> 1U;
    value += (*value_delta & 1U) != 0 ? ~half : half;
    at += *pc_delta;
    if (!visit(static_cast<std::int32_t>(value), at)) return;
  }
}

std::optional<std::int32_t> Pclntab::value_at(std::uint64_t table_at, const Function& function,
                                              std::uint64_t pc) const {
  std::optional<std::int32_t> found;
  for_each_value(table_at, function, [&](std::int32_t value, std::uint64_t end) {
    if (pc < end) found = value;
    return !found;
  });
  return found;
}

std::optional<std::int32_t> Pclntab::sp_delta(const Function& function, std::uint64_t pc) const {
  return value_at(function.record + form_->entry_size + kFuncPcsp, function, pc);
}

Pclntab::Line Pclntab::line(const Function& function, std::uint64_t pc) const {
  constexpr Line kUnknown{.file = "?", .line = 0};
  const std::uint64_t record = function.record + form_->entry_size;
  const auto file = value_at(record + kFuncPcfile, function, pc);
  const auto line = value_at(record + kFuncPcln, function, pc);
  const auto unit = compilation_unit(function);
  if (!file || !line || !unit || *file < 0) return kUnknown;
  const std::uint64_t slot = static_cast<std::uint64_t>(*unit) + static_cast<std::uint32_t>(*file);
  const auto name = read_at<std::uint32_t>(slice(bytes_, units_), slot * sizeof(std::uint32_t));
  if (!name || *name == ~std::uint32_t{0}) return kUnknown;
  const std::string_view text = c_string_at(slice(slice(bytes_, files_), *name, kMaxName), 0);
  return text.empty() ? kUnknown : Line{.file = text, .line = *line};
}

std::optional<std::uint32_t> Pclntab::compilation_unit(const Function& function) const {
  return read_at<std::uint32_t>(bytes_, function.record + form_->entry_size + kFuncUnit);
}

std::uint64_t Pclntab::pcdata_table(const Function& function, std::uint32_t table) const {
  const auto count = read_at<std::uint32_t>(bytes_, function.record + form_->entry_size + kFuncNpcdata).value_or(0);
  return table >= count ? kNoTable : function.record + form_->func_size + std::uint64_t{table} * 4;
}

std::int32_t Pclntab::pcdata(const Function& function, std::uint32_t table, std::uint64_t pc) const {
  return value_at(pcdata_table(function, table), function, pc).value_or(-1);
}

std::int32_t Pclntab::largest_pcdata(const Function& function, std::uint32_t table) const {
  std::int32_t largest = -1;
  for_each_value(pcdata_table(function, table), function, [&](std::int32_t value, std::uint64_t /*end*/) {
    largest = std::max(largest, value);
    return true;
  });
  return largest;
}

std::optional<std::uint64_t> Pclntab::funcdata(const Function& function, std::uint32_t table) const {
  const std::uint64_t record = function.record;
  const auto pcdata_count = read_at<std::uint32_t>(bytes_, record + form_->entry_size + kFuncNpcdata).value_or(0);
  const auto count = read_at<std::uint8_t>(bytes_, record + form_->func_size - kFuncNfuncdata).value_or(0);
  if (table >= count) return std::nullopt;
  const std::uint64_t tail = record + form_->func_size + std::uint64_t{pcdata_count} * 4;
  if (form_->whole_addresses()) {  // pointers, aligned in memory as their table is; nil: none
    const auto address = read_at<std::uint64_t>(bytes_, (tail + 7) / 8 * 8 + std::uint64_t{table} * 8);
    return address && *address != 0 ? address : std::nullopt;
  }
  const auto offset = read_at<std::uint32_t>(bytes_, tail + std::uint64_t{table} * 4);
  if (!offset || *offset == ~std::uint32_t{0}) return std::nullopt;
  return *offset;
}

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#include "target/inline_tree.h"

#include <utility>

namespace goleakd::target {
namespace {

// internal/abi: PCDATA_InlTreeIndex, FUNCDATA_InlTree.
constexpr std::uint32_t kInlineIndexTable = 2;
constexpr std::uint32_t kInlineTree = 3;

// The runtime has about 1 MB of code, and no function into which more calls are inlined than that: what claims more was
// made to take long.
constexpr std::uint64_t kMaxCode = 16U << 20U;
constexpr std::int32_t kMaxCalls = 1 << 14;

}  // namespace

InlineTrees::InlineTrees(const ElfFile& elf, const Pclntab& functions, std::uint64_t gofunc)
    : elf_(elf), functions_(functions), gofunc_(gofunc) {}

std::optional<std::uint64_t> InlineTrees::tree_of(const Pclntab::Function& function) const {
  const auto offset = functions_.funcdata(function, kInlineTree);
  if (!offset) return std::nullopt;
  return gofunc_ + *offset;
}

// runtime.inlinedCall: 20 bytes {parent i16, funcID u8, pad, file, line, func_, parentPc i32} before Go 1.20, since
// then 16 bytes {funcID u8, pad[3], nameOff, parentPc, startLine i32}.
std::uint64_t InlineTrees::entry_size() const { return functions_.old_inline_tree() ? 20 : 16; }

std::optional<InlinedCall> InlineTrees::decode(ByteSpan tree, std::uint64_t index) const {
  const bool old = functions_.old_inline_tree();
  const std::uint64_t at = index * entry_size();
  const auto func_id = read_at<std::uint8_t>(tree, at + (old ? 2 : 0));
  const auto name = read_at<std::uint32_t>(tree, at + (old ? 12 : 4));
  const auto parent_pc = read_at<std::uint32_t>(tree, at + (old ? 16 : 8));
  if (!func_id || !name || !parent_pc) return std::nullopt;
  return InlinedCall{.func_id = *func_id, .name = *name, .parent_pc = *parent_pc};
}

std::optional<InlinedCall> InlineTrees::call_at(const Pclntab::Function& function, std::uint64_t pc) const {
  const auto tree = tree_of(function);
  if (!tree) return std::nullopt;
  const std::int32_t index = functions_.pcdata(function, kInlineIndexTable, pc);
  if (index < 0) return std::nullopt;
  const auto bytes = elf_.read(*tree + static_cast<std::uint64_t>(index) * entry_size(), entry_size());
  if (!bytes) return std::nullopt;
  return decode(*bytes, 0);
}

std::uint64_t InlineTrees::own_pc(const Pclntab::Function& function, std::uint64_t pc) const {
  constexpr int kMaxDepth = 100;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    const auto call = call_at(function, pc);
    if (!call) break;
    pc = function.entry + call->parent_pc;
  }
  return pc;
}

std::vector<InlinedCall> InlineTrees::calls_in(const Pclntab::Function& function) const {
  std::vector<InlinedCall> calls;
  const auto tree = tree_of(function);
  const std::int32_t largest = tree ? functions_.largest_pcdata(function, kInlineIndexTable) : -1;
  if (largest < 0 || largest >= kMaxCalls) return calls;
  const auto bytes = elf_.read(*tree, (static_cast<std::uint64_t>(largest) + 1) * entry_size());
  if (!bytes) return calls;
  for (std::uint64_t i = 0; i <= static_cast<std::uint64_t>(largest); ++i) {
    if (const auto call = decode(*bytes, i)) calls.push_back(*call);
  }
  return calls;
}

std::vector<InlineTrees::Host> InlineTrees::hosts_of(const std::set<std::string_view>& names) const {
  std::vector<Host> hosts;
  std::set<std::optional<std::uint32_t>> units;
  for (const std::string_view name : names) {
    if (const auto function = functions_.runtime_function(name)) units.insert(functions_.compilation_unit(*function));
  }
  std::uint64_t code = 0;
  for (std::uint32_t i = 0; i < functions_.size() && code < kMaxCode; ++i) {
    const auto function = functions_.function(i);
    if (!function || !units.contains(functions_.compilation_unit(*function))) continue;
    code += function->end - function->entry;
    Host host{.function = *function, .inlined = {}};
    for (const InlinedCall& call : calls_in(*function)) {
      const auto known = names.find(functions_.name_at(call.name));
      if (known != names.end()) host.inlined.insert(*known);
    }
    if (!host.inlined.empty()) hosts.push_back(std::move(host));
  }
  return hosts;
}

}  // namespace goleakd::target

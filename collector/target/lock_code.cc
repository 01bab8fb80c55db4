// SPDX-License-Identifier: Apache-2.0
#include "target/lock_code.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "target/code.h"

namespace goleakd::target {
namespace {

constexpr std::uint32_t kMaxDisplacement = 1U << 20U;  // of a field of a struct

enum class Step : std::uint8_t { none, take, release, done };

// The functions of package sync, and of internal/sync, in which it keeps Mutex since Go 1.24.
Step step_of(std::string_view function) {
  constexpr std::string_view kInternal = "internal/";
  if (function.starts_with(kInternal)) function.remove_prefix(kInternal.size());
  if (function == "sync.(*WaitGroup).Done") return Step::done;
  for (const std::string_view type : {"sync.(*Mutex).", "sync.(*RWMutex)."}) {
    if (!function.starts_with(type)) continue;
    function.remove_prefix(type.size());
    if (function == "Lock" || function == "RLock" || function == "TryLock" || function == "TryRLock") return Step::take;
    if (function == "Unlock" || function == "RUnlock") return Step::release;
  }
  return Step::none;
}

// What a memory operand adds to the register in it.
std::optional<std::uint32_t> displacement(const Instruction& instruction) {
  const bool atomic = (instruction.decoded.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0;
  if (!atomic && !instruction.is(ZYDIS_MNEMONIC_LEA)) return std::nullopt;
  for (std::uint8_t i = 0; i < instruction.decoded.operand_count; ++i) {
    const ZydisDecodedOperand& operand = instruction.operands[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.index != ZYDIS_REGISTER_NONE) continue;
    const auto value = operand.mem.disp.value;
    if (value >= 0 && value <= std::int64_t{kMaxDisplacement}) return static_cast<std::uint32_t>(value);
  }
  return std::nullopt;
}

template <typename T>
void sort_once(std::vector<T>& values) {
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
}

bool any_from(const std::vector<std::uint64_t>& places, std::uint64_t place) {
  return std::ranges::any_of(places, [&](std::uint64_t at) { return at >= place; });
}

}  // namespace

bool LockCode::may_hold_at(std::uint64_t place) const {
  return std::ranges::any_of(taken, [&](std::uint64_t at) { return at < place; }) &&
         (defers || any_from(released, place));
}

bool LockCode::may_call_done_at(std::uint64_t place) const { return defers || any_from(done, place); }

std::uint64_t place_of(const GoBinary& binary, const Pclntab::Function& function, std::uint64_t return_pc) {
  // Of the call, which may be the last instruction of what was inlined.
  const std::uint64_t place = binary.symbolizer().inlining().own_pc(function, return_pc - 1);
  return place == return_pc - 1 ? return_pc : place;
}

LockCode lock_code(const GoBinary& binary, const Pclntab::Function& function) {
  LockCode locks;
  const auto code = binary.code_of(function);
  if (!code) return locks;
  const auto add = [&](std::string_view name, std::uint64_t at) {
    const Step step = step_of(name);
    if (step == Step::take) locks.taken.push_back(at);
    if (step == Step::release) locks.released.push_back(at);
    if (step == Step::done) locks.done.push_back(at);
  };
  const InlineTrees& inlining = binary.symbolizer().inlining();
  for (const InlinedCall& call : inlining.calls_in(function)) {
    add(binary.functions().name_at(call.name), inlining.own_pc(function, function.entry + call.parent_pc));
  }
  const auto deferreturn = binary.functions().runtime_function("runtime.deferreturn");
  locks.displacements.push_back(0);
  for_each_instruction(*code, function.entry, [&](const Instruction& instruction) {
    if (const auto global = instruction.rip_relative()) {
      locks.globals.push_back(*global);
    } else if (const auto offset = displacement(instruction)) {
      locks.displacements.push_back(*offset);
    } else if (const auto callee = instruction.is_call() ? instruction.branch_target() : std::nullopt) {
      if (deferreturn && *callee == deferreturn->entry) {
        locks.defers = true;
      } else if (const auto called = binary.functions().function_at(*callee)) {
        add(called->name, place_of(binary, function, instruction.end()));
      }
    }
    return true;
  });
  sort_once(locks.displacements);
  sort_once(locks.globals);
  return locks;
}

}  // namespace goleakd::target

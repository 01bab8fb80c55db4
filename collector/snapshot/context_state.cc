// SPDX-License-Identifier: Apache-2.0
#include "snapshot/context_state.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/bytes.h"
#include "snapshot/channels.h"

namespace goleakd::snapshot {
namespace {

constexpr int kMaxDepth = 32;  // contexts that come from one another
constexpr std::uint64_t kWord = 8;

// Those that are, or begin with, a context.cancelCtx.
constexpr std::array<std::string_view, 3> kCancel{"*context.cancelCtx", "*context.timerCtx", "*context.afterFuncCtx"};
// Those that begin with the context that they come from, and end with it alone.
constexpr std::array<std::string_view, 2> kPassOn{"*context.valueCtx", "*signal.signalCtx"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

ContextStates::ContextStates(const target::GoProcess& process, const Memory& memory)
    : process_(process),
      memory_(memory),
      names_(memory, process.binary->layout(), process.runtime_address(process.binary->globals().firstmoduledata)) {}

const std::string* ContextStates::type_of(std::uint64_t itab) {
  const auto [known, fresh] = types_.try_emplace(itab);
  if (fresh) known->second = read_type(itab);
  return known->second ? &*known->second : nullptr;
}

// The compiler makes those of types that it sees become a Context, and puts them into the program's file.
std::optional<std::string> ContextStates::read_type(std::uint64_t itab) {
  const target::ItabLayout& layout = process_.binary->layout().itab;
  if (itab % kWord != 0 || !process_.binary->elf().file_offset(process_.link_address(itab))) return std::nullopt;
  const auto interface = memory_.value<std::uint64_t>(itab + layout.inter);
  const auto type = memory_.value<std::uint64_t>(itab + layout.type);
  if (!interface || !type || !names_.has(*interface) || !names_.has(*type)) return std::nullopt;
  if (names_.of(*interface) != "context.Context") return std::nullopt;
  return names_.of(*type);
}

ContextStates::State ContextStates::of_object(std::uint64_t address, Interface begin) {
  const State own = of_cancel_context(address);
  return own == State::open ? of(begin) : own;
}

ContextStates::State ContextStates::of(Interface context) {
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    const std::string* type = type_of(context.itab);
    if (type == nullptr || context.value == 0) return State::open;
    if (is_one_of(kCancel, *type)) return of_cancel_context(context.value);
    if (!is_one_of(kPassOn, *type)) return State::open;
    const auto from = memory_.value<Interface>(context.value);
    if (!from) return State::open;
    context = *from;
  }
  return State::open;
}

ContextStates::State ContextStates::of_cancel_context(std::uint64_t value) {
  const auto [known, fresh] = known_.try_emplace(value, State::open);
  if (fresh) known->second = read_cancel_context(value);
  return known->second;
}

// Whoever is cancelled cancels those that come from it. Nothing but a cancelCtx has such a channel there.
ContextStates::State ContextStates::read_cancel_context(std::uint64_t value) {
  const target::Layout& layout = process_.binary->layout();
  struct Any {
    std::uint64_t type;
    std::uint64_t value;
  };
  const auto done = memory_.value<Any>(value + layout.cancel_ctx.done);
  if (!done || done->value == 0 || names_.of(done->type) != "chan struct {}") return State::open;
  const auto channel = memory_.value<std::uint32_t>(done->value + layout.hchan.closed);
  if (!channel || *channel == 0) return State::open;
  const auto error = memory_.value<std::uint64_t>(value + layout.cancel_ctx.err);
  return error && is_deadline(*error) ? State::deadline : State::cancelled;
}

// The first word of an `any`, or of an `error`, which tells its type by way of an itab.
bool ContextStates::is_deadline(std::uint64_t error) {
  constexpr std::string_view kDeadline = "context.deadlineExceededError";
  if (names_.of(error) == kDeadline) return true;
  const auto type = memory_.value<std::uint64_t>(error + process_.binary->layout().itab.type);
  return type && names_.of(*type) == kDeadline;
}

}  // namespace goleakd::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace goleakd::probe {

// What stands under a probe decides its price: the kernel emulates these three in one trap, and single-steps almost
// everything else in two (20 times dearer on virtual machines; arch/x86/kernel/uprobes.c). Every Go function's first
// instruction is of the dear kind, so a site is never simply the entry, but in functions that are as good as never hit.
enum class SiteKind : std::uint8_t {
  push_frame,   // `push %rbp` behind the stack check: arguments still in their registers
  stack_check,  // the `jbe` of the stack check itself (Go 1.19); met twice when the stack grows
  call,         // a `call rel32`
  stepped,      // of the dear kind: the `sub` that an old function without a stack check begins with
};
std::string_view to_string(SiteKind kind);

struct Site {
  std::uint64_t address = 0;  // link-time
  SiteKind kind{};
};

// The cheap instruction nearest to the entry of a function at which its arguments are still where the caller put them.
// `code` is the function, at its link-time address; `name` is for the error: unsupported when the prologue is not one
// that is known, for then nothing is guessed.
Result<Site> entry_site(ByteSpan code, std::uint64_t address, std::string_view name);

// The same of one that is hit so rarely that a `stepped` one will do where there is no other.
Result<Site> cold_entry_site(ByteSpan code, std::uint64_t address, std::string_view name);

// Every direct call to `callee`.
std::vector<Site> call_sites(ByteSpan code, std::uint64_t address, std::uint64_t callee);

}  // namespace goleakd::probe

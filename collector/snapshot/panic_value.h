// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "snapshot/memory.h"
#include "snapshot/type_names.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// The text behind a string's header, as far as it was copied.
struct CopiedText {
  std::uint64_t address = 0;
  std::uint64_t length = 0;  // of all of it
  std::string_view bytes;    // its beginning; empty where it could not be read
};

// An interface's value as it was copied at the moment of a panic.
struct PanicValue {
  std::uint64_t type = 0;  // runtime._type; 0: nil
  ByteSpan bytes;          // its beginning; empty where it could not be read
  CopiedText text;         // what follows if it begins with a string
};

// Says what programs say of the values that they panic with, without running any of their code.
class PanicValues {
 public:
  // Borrows memory and layout. `constants`: types, and texts of the source; `firstmoduledata` is a run-time address.
  // `is_constant` says whether nothing can have changed at an address since the panic.
  PanicValues(const Memory& constants, const target::Layout& layout, std::uint64_t firstmoduledata,
              std::function<bool(std::uint64_t)> is_constant);

  // The type as %T prints it, no longer than is good for people; "nil"; empty where it can't be read.
  std::string kind(const PanicValue& value);
  // What `panic: ...` would print: of strings, numbers, and the errors of the runtime and of packages errors and fmt.
  // Nothing of others: what they say only their own methods know.
  std::optional<std::string> text(const PanicValue& value);
  // Constants may be told though they were not in memory at that moment. Nothing where that fails, too.
  std::optional<std::string> text(const CopiedText& text) const;

 private:
  std::optional<std::string> type_assertion(const PanicValue& value);

  const Memory& constants_;
  const target::Layout& layout_;
  std::function<bool(std::uint64_t)> is_constant_;
  TypeNames names_;
};

}  // namespace goleakd::snapshot

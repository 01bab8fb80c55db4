// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "snapshot/memory.h"
#include "snapshot/type_names.h"
#include "target/process.h"

namespace goleakd::snapshot {

// An interface with methods, as it lies in memory: {itab, value}.
struct Interface {
  std::uint64_t itab = 0;
  std::uint64_t value = 0;
};

// How contexts of package context are, of one look at a program: what it has read it knows.
class ContextStates {
 public:
  enum class State : std::uint8_t {
    open,       // or of a type that is not known
    cancelled,  // its channel is closed
    deadline,   // so, because its deadline has passed
  };

  // Borrows both.
  ContextStates(const target::GoProcess& process, const Memory& memory);

  // The word is the first of a context.Context.
  bool is_context(std::uint64_t itab) { return type_of(itab) != nullptr; }
  State of(Interface context);
  // Of what begins with that context: itself a context.cancelCtx, as far as its contents tell, or else any struct.
  State of_object(std::uint64_t address, Interface begin);

 private:
  // That of the value ("*context.cancelCtx"); null when the word is not the itab of a context.Context.
  const std::string* type_of(std::uint64_t itab);
  std::optional<std::string> read_type(std::uint64_t itab);
  State of_cancel_context(std::uint64_t value);
  State read_cancel_context(std::uint64_t value);
  bool is_deadline(std::uint64_t error);

  const target::GoProcess& process_;
  const Memory& memory_;
  TypeNames names_;
  std::map<std::uint64_t, std::optional<std::string>> types_;  // by itab
  std::map<std::uint64_t, State> known_;                       // by value
};

}  // namespace goleakd::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace goleakd {

// Why something could not be done, in a form that a caller can act on. The command line turns a kind into an exit code,
// the daemon into a label of a metric.
enum class ErrorKind : std::uint8_t {
  invalid,      // input that breaks its own rules: configuration, ELF, pclntab, memory that lies
  not_found,    // a process, file or symbol that is not there
  gone,         // it was there, and ended while being looked at
  permission,   // this user or these capabilities may not
  unsupported,  // understood, and not to be done here: kernel, Go version, architecture
  system,       // any other refusal of the operating system
};

// An expected failure: what was attempted, on what, and the reason. Never thrown, always returned (result.h).
class Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  // From errno, whose text ends the message. The kind follows from the number: EPERM and EACCES are permission, ESRCH
  // is gone, ENOENT not_found, everything else system.
  static Error from_errno(int number, std::string attempted);

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }

  // The same failure, seen from one level up: "reading stack of goroutine 7: <message>".
  Error within(std::string_view context) const;

 private:
  ErrorKind kind_;
  std::string message_;
};

// A short fixed word for each kind, fit for a metric label: "invalid", "not_found", …
std::string_view to_string(ErrorKind kind);

}  // namespace goleakd

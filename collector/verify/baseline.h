// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "verify/leak.h"

namespace goleakd::verify {

// Leaks that are known and put up with for now. By functions, without lines: edits elsewhere leave it true.
class Baseline {
 public:
  struct Site {
    std::string program;  // import path of its main package ("example.com/a.test")
    std::string created;  // functions; "-" where there is none
    std::string blocked;
    std::string wait;  // ledger::WaitClass in words
    auto operator<=>(const Site&) const = default;
  };

  // One site on a line, fields separated by tabs; empty lines and those that begin with '#' are for people. invalid,
  // with the line's number.
  static Result<Baseline> parse(std::string_view text);
  std::string text() const;

  void add(const std::string& program, const Leak& leak) { sites_.insert(site_of(program, leak)); }
  bool has(const std::string& program, const Leak& leak) const { return sites_.contains(site_of(program, leak)); }
  std::size_t size() const { return sites_.size(); }

 private:
  static Site site_of(const std::string& program, const Leak& leak);

  std::set<Site> sites_;
};

}  // namespace goleakd::verify

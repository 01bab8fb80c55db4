// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace goleakd::text {

// One thing that `goleakd check` has looked at.
struct CheckItem {
  enum class State : std::uint8_t {
    good,
    limited,  // it works, with less
    missing,  // something that goleakd is for does not work
  };
  std::string name;
  State state = State::good;
  std::string found;   // what is there
  std::string remedy;  // what would help; empty when nothing is needed, or nothing helps
};

struct CheckReport {
  std::vector<CheckItem> host;
  std::optional<int> pid;          // the process that was asked for
  std::vector<CheckItem> process;  // empty without one
};

std::string check_text(const CheckReport& report);
nlohmann::json check_json(const CheckReport& report);

}  // namespace goleakd::text

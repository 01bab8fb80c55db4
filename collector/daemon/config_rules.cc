// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_rules.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/day.h"

namespace goleakd::daemon {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

// Why a glob over names can't be what somebody has meant; empty: it can.
std::string_view fault_of(std::string_view glob) {
  if (glob.empty()) return "must not be empty: it would match nothing";
  if (std::ranges::all_of(glob, [](char c) { return c == '*'; })) return "would match everything: leave the key out";
  if (glob.front() == ' ' || glob.back() == ' ' || std::ranges::any_of(glob, is_control)) {
    return "no name begins or ends with a space, or holds a control character";
  }
  return {};
}

auto glob(ConfigReader& reader, std::string& into) {
  return [&reader, &into](const YAML::Node& node) {
    reader.text(into)(node);
    if (const auto fault = fault_of(into); !reader.error() && !fault.empty()) reader.fault(node, std::string(fault));
  };
}

auto leak_id(ConfigReader& reader, std::string& into) {
  return [&reader, &into](const YAML::Node& node) {
    reader.text(into)(node);
    constexpr std::size_t kDigits = 16;
    const bool is_id = into.size() == kDigits && into.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!reader.error() && !is_id) reader.fault(node, "must be the id of a leak, 16 digits of 0-9 and a-f");
  };
}

auto day(ConfigReader& reader, std::optional<std::chrono::sys_days>& into) {
  return [&reader, &into](const YAML::Node& node) {
    into = node.IsScalar() ? parse_day(node.Scalar()) : std::nullopt;
    if (!into) reader.fault(node, "must be a day, as 2027-01-31");
  };
}

void read_rule(ConfigReader& reader, const YAML::Node& item, Config& config) {
  verdict::IgnoreRule rule;
  const auto until = [&](const YAML::Node& node) {
    day(reader, rule.until)(node);
    if (!rule.until || *rule.until > std::chrono::system_clock::now()) return;
    // Not an error at the start: a daemon that does not start any more because a day has come would watch nothing.
    config.expired.push_back(reader.place(node) + "this rule has expired: what it ignored is told of again");
  };
  const auto up_to = [&](const YAML::Node& node) {
    reader.number<std::uint64_t>(rule.up_to.emplace(), 1, std::numeric_limits<std::uint32_t>::max())(node);
  };
  reader.mapping(item, "ignore",
                 {{"reason", reader.text(rule.reason)},
                  {"service", glob(reader, rule.service)},
                  {"created_by", glob(reader, rule.created_by)},
                  {"blocked_in", glob(reader, rule.blocked_in)},
                  {"any_function", glob(reader, rule.any_function)},
                  {"leak", leak_id(reader, rule.leak)},
                  {"up_to", up_to},
                  {"accepted", day(reader, rule.accepted)},
                  {"until", until}});
  if (rule.reason.empty()) return reader.fault(item, "needs a reason");
  if (!rule.has_condition()) {
    return reader.fault(item, "needs one of created_by, blocked_in, any_function and leak: it would ignore everything");
  }
  config.ignore.rules.push_back(std::move(rule));
}

}  // namespace

void read_ignore_rules(ConfigReader& reader, const YAML::Node& node, Config& config) {
  if (!node.IsSequence()) return reader.fault(node, "must be a list of rules, each with a reason");
  for (const auto& item : node) {
    read_rule(reader, item, config);
    if (reader.error()) return;
  }
}

}  // namespace goleakd::daemon

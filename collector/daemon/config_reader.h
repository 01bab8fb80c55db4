// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/duration.h"
#include "base/error.h"
#include "base/size.h"

namespace goleakd::daemon {

// The keys of a map, for messages.
template <typename Map>
std::string words_of(const Map& map) {
  std::string list;
  for (const auto& [word, unused] : map) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  return list;
}

// Reads the mappings of one file: a function for each key that may stand in one. Stops at the first fault, which it
// tells with file, line and column.
class ConfigReader {
 public:
  using Keys = std::map<std::string, std::function<void(const YAML::Node&)>>;

  explicit ConfigReader(std::string file) : file_(std::move(file)) {}

  const std::optional<Error>& error() const { return error_; }

  void fault(const YAML::Node& at, const std::string& what) {
    if (!error_) error_ = Error(ErrorKind::invalid, place(at) + what);
  }

  // "FILE:LINE:COLUMN: "
  std::string place(const YAML::Node& at) const {
    const YAML::Mark mark = at.Mark();
    return file_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1) + ": ";
  }

  void mapping(const YAML::Node& node, const std::string& name, const Keys& keys) {
    if (node.IsNull()) return;
    if (!node.IsMap()) return fault(node, (name.empty() ? "the file" : name) + " must be a mapping of keys to values");
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      const auto known = keys.find(key);
      if (known == keys.end()) {
        return fault(entry.first, "unknown key \"" + key + "\"" + (name.empty() ? "" : " in " + name) + "; known are " +
                                      words_of(keys));
      }
      known->second(entry.second);
      if (error_) return;
    }
  }

  auto text(std::string& into) {
    return [this, &into](const YAML::Node& node) {
      if (!node.IsScalar()) return fault(node, "must be a text");
      into = node.Scalar();
    };
  }

  auto texts(std::vector<std::string>& into) {
    return [this, &into](const YAML::Node& node) {
      if (!node.IsSequence()) return fault(node, "must be a list");
      for (const auto& item : node) {
        if (!item.IsScalar()) return fault(item, "must be a text");
        into.push_back(item.Scalar());
      }
    };
  }

  auto duration(Duration& into, Duration least) {
    return [this, &into, least](const YAML::Node& node) {
      const auto value =
          node.IsScalar() ? parse_duration(node.Scalar()) : fail(ErrorKind::invalid, "must be a duration");
      if (!value) return fault(node, value.error().message());
      if (*value < least) return fault(node, "must be at least " + format_duration(least));
      into = *value;
    };
  }

  auto size(std::uint64_t& into, std::uint64_t least) {
    return [this, &into, least](const YAML::Node& node) {
      const auto value = node.IsScalar() ? parse_size(node.Scalar()) : fail(ErrorKind::invalid, "must be a size");
      if (!value) return fault(node, value.error().message());
      if (*value < least) return fault(node, "must be at least " + std::to_string(least >> 20U) + "MiB");
      into = *value;
    };
  }

  template <typename T>
  auto number(T& into, T least, T most) {
    return [this, &into, least, most](const YAML::Node& node) {
      T value{};
      if (!node.IsScalar() || !YAML::convert<T>::decode(node, value) || value < least || value > most) {
        std::ostringstream range;
        range << "must be a number from " << least << " to " << most;
        return fault(node, range.str());
      }
      into = value;
    };
  }

  template <typename T>
  auto choice(T& into, const std::map<std::string, T>& words) {
    return [this, &into, words](const YAML::Node& node) {
      const auto found = node.IsScalar() ? words.find(node.Scalar()) : words.end();
      if (found != words.end()) {
        into = found->second;
        return;
      }
      fault(node, "must be one of " + words_of(words));
    };
  }

  auto yes_or_no(bool& into) { return choice<bool>(into, {{"false", false}, {"true", true}}); }

 private:
  std::string file_;
  std::optional<Error> error_;
};

}  // namespace goleakd::daemon

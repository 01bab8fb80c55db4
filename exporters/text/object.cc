// SPDX-License-Identifier: Apache-2.0
#include "text/object.h"

#include <cstdint>
#include <variant>

#include "base/hex.h"
#include "text/layout.h"

namespace goleakd::text {

using ledger::ObjectDump;
using nlohmann::json;

namespace {

struct ValueText {
  std::string operator()(std::uint64_t value) const { return " " + std::to_string(value); }
  std::string operator()(std::int64_t value) const { return " " + std::to_string(value); }
  std::string operator()(bool value) const { return value ? "" : " no"; }
  std::string operator()(const std::string& value) const { return " " + printable(value); }
};

}  // namespace

std::string object_text(const ObjectDump& object) {
  std::string text = printable(object.kind);
  if (object.address != 0) text += " " + hex(object.address);
  for (const auto& [name, value] : object.attributes) text += ", " + printable(name) + std::visit(ValueText(), value);
  return text;
}

// The address as text, because JSON readers hold numbers as doubles and it must stay exact to tell objects apart.
json object_json(const ObjectDump& object) {
  json j = json::object();
  for (const auto& [name, value] : object.attributes)
    j[name] = std::visit([](const auto& v) { return json(v); }, value);
  j["kind"] = object.kind;
  j["address"] = object.address == 0 ? json() : json(hex(object.address));
  if (object.kind == "select") {
    json& cases = j["cases"] = json::array();
    for (const ObjectDump& c : object.cases) cases.push_back(object_json(c));
  }
  return j;
}

}  // namespace goleakd::text

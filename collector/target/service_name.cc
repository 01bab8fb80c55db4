// SPDX-License-Identifier: Apache-2.0
#include "target/service_name.h"

namespace goleakd::target {
namespace {

// "run-r0f3…", "run-u17", "run-123", "run-p12-i34": systemd-run without --unit.
bool is_transient(std::string_view unit) {
  return unit.starts_with("run-") && unit.find_first_not_of("0123456789abcdef-pirun") == std::string_view::npos &&
         unit.find_first_of("0123456789") != std::string_view::npos;
}

// Of the innermost unit that is a service: "/system.slice/shop.service",
// "/user.slice/…/user@1000.service/app.slice/shop.service".
std::string unit_name(std::string_view group) {
  constexpr std::string_view kService = ".service";
  while (!group.empty()) {
    const std::size_t slash = group.rfind('/');
    std::string_view unit = group.substr(slash == std::string_view::npos ? 0 : slash + 1);
    group = group.substr(0, slash == std::string_view::npos ? 0 : slash);
    if (!unit.ends_with(kService) || unit.starts_with("user@")) continue;
    unit.remove_suffix(kService.size());
    if (is_transient(unit)) continue;
    return unescape_unit(unit.substr(0, unit.find('@')));
  }
  return {};
}

}  // namespace

std::string service_name(const CgroupPath& group, std::string_view exe) {
  if (std::string inside = unit_name(group.inside); !inside.empty()) return inside;
  if (!group.container.known() || group.split) {
    if (std::string unit = unit_name(group.outside); !unit.empty()) return unit;
  }
  if (!group.container.service.empty()) return group.container.service;
  if (!group.container.name.empty()) return group.container.name;
  const std::size_t slash = exe.rfind('/');
  return std::string(slash == std::string_view::npos ? exe : exe.substr(slash + 1));
}

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#include "target/service_name.h"

namespace goleakd::target {
namespace {

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return text;
}

}  // namespace

std::string service_name(std::string_view cgroup, std::string_view exe) {
  constexpr std::string_view kService = ".service";
  // The innermost unit: "/system.slice/shop.service", "/user.slice/…/user@1000.service/app.slice/shop.service".
  while (!cgroup.empty()) {
    const std::size_t slash = cgroup.rfind('/');
    const std::string_view part = cgroup.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (part.ends_with(kService) && !part.starts_with("user@")) return std::string(without_suffix(part, kService));
    if (slash == std::string_view::npos) break;
    cgroup = cgroup.substr(0, slash);
  }
  const std::size_t slash = exe.rfind('/');
  return std::string(slash == std::string_view::npos ? exe : exe.substr(slash + 1));
}

}  // namespace goleakd::target

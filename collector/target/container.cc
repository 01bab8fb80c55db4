// SPDX-License-Identifier: Apache-2.0
#include "target/container.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace goleakd::target {
namespace {

constexpr std::size_t kIdLength = 64;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_container_id(std::string_view text) { return text.size() == kIdLength && is_hex(text); }

std::optional<std::string_view> between(std::string_view text, std::string_view prefix, std::string_view suffix) {
  if (text.size() <= prefix.size() + suffix.size() || !text.starts_with(prefix) || !text.ends_with(suffix)) {
    return std::nullopt;
  }
  return text.substr(prefix.size(), text.size() - prefix.size() - suffix.size());
}

// "docker-ID.scope": what runtimes under systemd call the container's scope.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kScopes{{{"docker-", "docker"},
                                                                                {"cri-containerd-", "containerd"},
                                                                                {"nerdctl-", "containerd"},
                                                                                {"crio-", "cri-o"},
                                                                                {"libpod-", "podman"},
                                                                                {"libpod-payload-", "podman"}}};

// "docker/ID", "…slice:cri-containerd:ID": what stands before the id where the runtime makes the groups itself.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kParents{{{"docker", "docker"},
                                                                                 {"cri-containerd", "containerd"},
                                                                                 {"default", "containerd"},
                                                                                 {"crio", "cri-o"},
                                                                                 {"libpod_parent", "podman"}}};

// Of "kubepods-burstable-podUID.slice" (systemd), "podUID" below "kubepods" (cgroupfs). In slices '_' stands for '-'.
std::string pod_uid_of(std::string_view token, bool in_kubepods) {
  std::string_view uid;
  if (token.ends_with(".slice") && token.find("kubepods") != std::string_view::npos) {
    const std::size_t at = token.rfind("-pod");
    if (at != std::string_view::npos) uid = *between(token, token.substr(0, at + 4), ".slice");
  } else if (in_kubepods && token.starts_with("pod")) {
    uid = token.substr(3);
  }
  std::string text(uid);
  std::ranges::replace(text, '_', '-');
  const bool plausible = text.size() >= 32 && text.size() <= 36 && std::ranges::all_of(text, [](char c) {
                           return c == '-' || is_hex({&c, 1});
                         });
  return plausible ? text : std::string();
}

// systemd's own containers, and LXC's: they have names for ids.
std::optional<Container> named_container(std::string_view token, std::string_view before) {
  const auto named = [](std::string_view runtime, const std::string& name) {
    return Container{.runtime = std::string(runtime),
                     .id = name,
                     .name = name,
                     .service = {},
                     .pod_uid = {},
                     .pod = {},
                     .pod_namespace = {}};
  };
  if (const auto machine = between(token, "machine-", ".scope")) {
    if (machine->starts_with("qemu")) return std::nullopt;  // libvirt's: a virtual machine
    return named("systemd-nspawn", unescape_unit(*machine));
  }
  if (const auto machine = between(token, "systemd-nspawn@", ".service")) {
    return named("systemd-nspawn", unescape_unit(*machine));
  }
  if (const auto name = between(token, "lxc.payload.", "")) return named("lxc", std::string(*name));
  if (before == "lxc") return named("lxc", std::string(token));
  return std::nullopt;
}

// The container whose group `token` is, when it is one; `before` is the token above.
std::optional<Container> container_of(std::string_view token, std::string_view before, bool in_pod) {
  Container container;
  if (is_container_id(token)) {
    const auto* parent = std::ranges::find(kParents, before, &std::pair<std::string_view, std::string_view>::first);
    container.runtime = parent != kParents.end() ? parent->second : in_pod ? "kubernetes" : "unknown";
    container.id = token;
    return container;
  }
  std::string_view scope = token;
  if (scope.ends_with(".scope")) scope.remove_suffix(std::string_view(".scope").size());
  for (const auto& [prefix, runtime] : kScopes) {  // not "libpod-conmon-ID": that is who watches over it
    const auto id = between(scope, prefix, "");
    if (!id || !is_container_id(*id)) continue;
    container.runtime = runtime;
    container.id = *id;
    return container;
  }
  return named_container(token, before);
}

}  // namespace

CgroupPath parse_cgroup(std::string_view path) {
  CgroupPath parsed;
  parsed.outside = path;
  std::size_t first = std::string_view::npos;  // where the first group that belongs to a container begins
  std::size_t last = 0;                        // and the last one ends
  bool in_kubepods = false;
  std::string_view before;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find_first_of("/:", begin), path.size());
    const std::string_view token = path.substr(begin, end - begin);
    in_kubepods = in_kubepods || token == "kubepods";
    const std::string pod_uid = pod_uid_of(token, in_kubepods);
    const auto container = container_of(token, before, !parsed.container.pod_uid.empty());
    if (!pod_uid.empty()) parsed.container = {};  // of a container around this pod, if anything
    if (!pod_uid.empty()) parsed.container.pod_uid = pod_uid;
    if (container) {
      const std::string uid = std::move(parsed.container.pod_uid);
      parsed.container = *container;
      parsed.container.pod_uid = uid;
      parsed.split = token.starts_with("libpod-payload-");
    }
    if (container || !pod_uid.empty()) {
      first = std::min(first, begin);
      last = end;
    }
    before = token;
    begin = end + 1;
  }
  if (first == std::string_view::npos) return parsed;
  if (parsed.container.runtime.empty()) parsed.container.runtime = "kubernetes";
  parsed.outside = path.substr(0, first);
  parsed.inside = path.substr(last);
  return parsed;
}

std::string unescape_unit(std::string_view name) {
  std::string text;
  for (std::size_t at = 0; at < name.size();) {
    unsigned value = 0;
    const std::string_view digits = name.substr(at).starts_with("\\x") ? name.substr(at + 2, 2) : std::string_view();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() == 2 && error == std::errc() && end == digits.data() + 2) {
      text += static_cast<char>(value);
      at += 4;
    } else {
      text += name[at++];
    }
  }
  return text;
}

}  // namespace goleakd::target

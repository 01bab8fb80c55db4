// SPDX-License-Identifier: Apache-2.0
#include "target/container_names.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

namespace goleakd::target {
namespace {

// A node has some hundred containers.
constexpr std::size_t kMaxEntries = 20'000;
constexpr std::size_t kMaxConfigBytes = 1U << 20U;

// Calls `each` with the names in a folder until it returns true, or there were too many.
void find_entry(const std::filesystem::path& folder, const std::function<bool(const std::string&)>& each) {
  std::error_code error;
  std::filesystem::directory_iterator it(folder, error);
  for (std::size_t i = 0; !error && it != std::filesystem::directory_iterator() && i < kMaxEntries; ++i) {
    if (each(it->path().filename())) return;
    it.increment(error);
  }
}

// "a_b_c" → the three; none of kubelet's names has an underscore itself.
bool split_three(std::string_view text, std::string& a, std::string& b, std::string& c) {
  const std::size_t first = text.find('_');
  const std::size_t second = first == std::string_view::npos ? first : text.find('_', first + 1);
  if (second == std::string_view::npos) return false;
  a = text.substr(0, first);
  b = text.substr(first + 1, second - first - 1);
  c = text.substr(second + 1);
  return true;
}

// /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log
void name_from_container_logs(Container& container, const std::filesystem::path& root) {
  const std::string suffix = "-" + container.id + ".log";
  find_entry(root / "var/log/containers", [&](const std::string& name) {
    return name.ends_with(suffix) && split_three(std::string_view(name).substr(0, name.size() - suffix.size()),
                                                 container.pod, container.pod_namespace, container.name);
  });
}

// /var/log/pods/NAMESPACE_POD_UID/CONTAINER/
void name_from_pod_logs(Container& container, const std::filesystem::path& root) {
  const std::filesystem::path pods = root / "var/log/pods";
  find_entry(pods, [&](const std::string& name) {
    if (!name.ends_with("_" + container.pod_uid)) return false;
    std::string uid;
    if (!split_three(name, container.pod_namespace, container.pod, uid)) return false;
    std::size_t containers = 0;
    std::string only;
    find_entry(pods / name, [&](const std::string& entry) {
      only = entry;
      return ++containers > 1;
    });
    if (containers == 1) container.name = only;
    return true;
  });
}

std::string text_at(const nlohmann::json& object, std::string_view key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// /var/lib/docker/containers/ID/config.v2.json
void name_from_docker(Container& container, const std::filesystem::path& root) {
  const auto path = root / "var/lib/docker/containers" / container.id / "config.v2.json";
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  std::string text(kMaxConfigBytes, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  const auto record = nlohmann::json::parse(text, nullptr, false);
  const std::string name = text_at(record, "Name");
  container.name = name.starts_with('/') ? name.substr(1) : name;
  const auto config = record.is_object() ? record.find("Config") : record.end();
  if (config == record.end() || !config->is_object()) return;
  const auto labels = config->find("Labels");
  if (labels == config->end()) return;
  container.service = text_at(*labels, "com.docker.compose.service");
  if (container.service.empty()) container.service = text_at(*labels, "com.docker.swarm.service.name");
}

}  // namespace

void name_container(Container& container, const std::string& host_root) {
  const std::filesystem::path root(host_root);
  if (!container.pod_uid.empty()) {
    if (!container.id.empty()) name_from_container_logs(container, root);
    if (container.pod.empty()) name_from_pod_logs(container, root);
  } else if (container.runtime == "docker") {
    name_from_docker(container, root);
  }
}

}  // namespace goleakd::target

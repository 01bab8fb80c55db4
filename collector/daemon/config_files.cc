// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_files.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/read_file.h"

namespace goleakd::daemon {
namespace {

Result<std::vector<std::string>> drop_ins(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    // What editors keep beside a file begins with a dot, or ends otherwise.
    if (path.extension() == ".yaml" && !path.filename().string().starts_with('.')) found.push_back(path.string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(Error::from_errno(error.value(), "reading the drop-ins in " + folder));
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

std::string drop_in_folder(const std::string& config) {
  std::filesystem::path path(config);
  if (path.extension() == ".yaml" || path.extension() == ".yml") path.replace_extension();
  return path.string() + ".d";
}

Result<std::vector<ConfigText>> read_config_files(const std::string& config) {
  const std::string main = config.empty() ? kDefaultConfig : config;
  std::vector<std::string> paths;
  if (!config.empty() || ::access(kDefaultConfig, F_OK) == 0) paths.push_back(main);
  const auto more = drop_ins(drop_in_folder(main));
  if (!more) return fail(more.error());
  paths.insert(paths.end(), more->begin(), more->end());
  std::vector<ConfigText> files;
  for (const std::string& path : paths) {
    auto text = read_file(path, "reading configuration");
    if (!text) return fail(text.error());
    files.push_back({.name = path, .text = std::move(*text)});
  }
  return files;
}

Result<Config> load_config(const std::string& config) {
  const auto files = read_config_files(config);
  if (!files) return fail(files.error());
  return Config::parse(*files);
}

}  // namespace goleakd::daemon

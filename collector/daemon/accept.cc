// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/day.h"
#include "daemon/accepted.h"
#include "daemon/commands.h"
#include "daemon/config_files.h"
#include "daemon/output_file.h"
#include "http/client.h"
#include "text/layout.h"

namespace goleakd::daemon {
namespace {

// "accepted-20261126-011520-UTC.yaml": their names tell the order in which they were accepted, and are read in.
std::string file_name(std::chrono::system_clock::time_point at) {
  std::string moment = format_utc(at);
  std::erase_if(moment, [](char c) { return c == '-' || c == ':'; });
  std::ranges::replace(moment, ' ', '-');
  return "accepted-" + moment + ".yaml";
}

Result<std::string> new_drop_in(const std::string& config, std::chrono::system_clock::time_point at) {
  const std::filesystem::path folder = drop_in_folder(config.empty() ? kDefaultConfig : config);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(Error::from_errno(error.value(), "making the folder " + folder.string()));
  const std::string path = folder / file_name(at);
  if (::access(path.c_str(), F_OK) == 0) {
    return fail(ErrorKind::invalid, path + " is there already: wait for a second");
  }
  return path;
}

// Whole or not at all: a daemon may load its configuration at any time. The daemon's user must be able to read it.
Result<void> write_whole(const std::string& path, const std::string& text) {
  const std::filesystem::path target(path);
  const std::string fresh = target.parent_path() / ("." + target.filename().string() + ".new");
  auto file = OutputFile::open(fresh);
  if (!file) return fail(file.error());
  file->write(text);
  auto ok = file->finish();
  if (ok && ::chmod(fresh.c_str(), 0644) != 0) ok = fail(Error::from_errno(errno, "changing the mode of " + fresh));
  if (ok && ::rename(fresh.c_str(), path.c_str()) != 0) ok = fail(Error::from_errno(errno, "writing " + path));
  if (!ok) ::unlink(fresh.c_str());
  return ok;
}

// What it writes must be what the daemon takes.
Result<void> check(const std::string& path, const std::string& text) {
  if (const auto config = Config::parse(text, path); !config) return fail(config.error());
  return {};
}

void tell(const std::vector<AcceptedLeak>& leaks, const Acceptance& acceptance, const std::string& path) {
  for (const AcceptedLeak& leak : leaks) {
    const std::uint64_t up_to = acceptance.up_to.value_or(leak.peak);
    std::printf("accepted: %s of %s, up to %llu goroutines: %s\n", leak.id.c_str(),
                text::printable(leak.service).c_str(), static_cast<unsigned long long>(up_to),
                text::printable(leak.stuck).c_str());
    if (leak.growth_per_hour > 0) {
      std::printf("  it grows by %.0f an hour, and will be told of again beyond that (--up-to gives it room)\n",
                  leak.growth_per_hour);
    }
  }
  std::printf("written to %s; it counts once the daemon has loaded its configuration: systemctl reload goleakd\n",
              path.c_str());
}

}  // namespace

Result<void> accept(const AcceptOptions& options) {
  std::string target = "/api/v1/leaks?format=json";
  if (options.pid) target += "&pid=" + std::to_string(*options.pid);
  const auto answer = http::get(options.socket, target);
  if (!answer) return fail(answer.error());
  const auto leaks = accepted_leaks(*answer, options.leaks);
  if (!leaks) return fail(leaks.error());
  if (leaks->empty()) {
    std::puts("nothing to accept: no leaks");
    return {};
  }
  const Acceptance acceptance{
      .reason = options.reason, .at = std::chrono::system_clock::now(), .until = options.until, .up_to = options.up_to};
  const std::string text = accepted_rules(*leaks, acceptance);
  if (options.output == "-") {
    std::fputs(text.c_str(), stdout);
    return {};
  }
  const auto path = options.output.empty() ? new_drop_in(options.config, acceptance.at) : options.output;
  if (!path) return fail(path.error());
  if (auto ok = check(*path, text); !ok) return ok;
  if (auto ok = write_whole(*path, text); !ok) return ok;
  tell(*leaks, acceptance, *path);
  return {};
}

}  // namespace goleakd::daemon

// SPDX-License-Identifier: Apache-2.0
#include "target/procfs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace goleakd::target {
namespace {

constexpr std::string_view kDeleted =
    " (deleted)";  // what the kernel appends to the name of a file that has none any more

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

// "Name:   1234 kB" → 1234, from files of that form.
std::optional<std::uint64_t> number_after(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream rest(line.substr(name.size()));
    std::uint64_t value = 0;
    if (rest >> value) return value;
  }
  return std::nullopt;
}

}  // namespace

std::vector<int> Procfs::pids() const {
  std::vector<int> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(root_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    int pid = 0;
    const auto [rest, code] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (code == std::errc() && rest == name.data() + name.size()) found.push_back(pid);
  }
  std::ranges::sort(found);
  return found;
}

Result<ProcessIdentity> Procfs::identity(int pid) const {
  const auto text = read_text(file(pid, "stat"));
  // The command name, in parentheses, may itself hold spaces and parentheses: count fields from the last ')'.
  const std::size_t after_name = text ? text->rfind(')') : std::string::npos;
  if (after_name == std::string::npos) return fail(ErrorKind::not_found, "there is no process " + std::to_string(pid));
  std::istringstream fields(text->substr(after_name + 1));
  std::string state;
  fields >> state;  // field 3
  if (state == "Z" || state == "X") return fail(ErrorKind::gone, "process " + std::to_string(pid) + " has ended");
  int at = 4;
  const auto skip_to = [&fields, &at](int field) {
    for (std::string skipped; at < field; ++at) fields >> skipped;
    ++at;
  };
  ProcessIdentity identity;
  skip_to(22);
  fields >> identity.start_ticks;
  if (!fields) return fail(ErrorKind::invalid, file(pid, "stat") + " has no start time");
  skip_to(28);
  fields >> identity.start_stack;
  struct stat status {};
  if (::stat(exe_path(pid).c_str(), &status) == 0) {
    identity.device = status.st_dev;
    identity.inode = status.st_ino;
  }
  return identity;
}

Result<std::string> Procfs::exe(int pid) const {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(exe_path(pid).c_str(), target.data(), target.size());
  if (length < 0) return fail(Error::from_errno(errno, "reading " + exe_path(pid)));
  std::string_view path(target.data(), static_cast<std::size_t>(length));
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return std::string(path);
}

std::optional<std::uint32_t> Procfs::uid(int pid) const {
  const auto text = read_text(file(pid, "status"));
  const auto value = text ? number_after(*text, "Uid:") : std::nullopt;
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

Result<std::vector<Procfs::Mapping>> Procfs::maps(int pid) const {
  errno = 0;
  std::ifstream in(file(pid, "maps"));
  if (!in) return fail(Error::from_errno(errno != 0 ? errno : EIO, "opening " + file(pid, "maps")));
  std::vector<Mapping> found;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    Mapping mapping;
    char dash = 0;
    std::string permissions;
    std::string device;
    std::uint64_t inode = 0;
    fields >> std::hex >> mapping.start >> dash >> mapping.end >> permissions >> mapping.offset >> device >> std::dec >>
        inode;
    if (!fields) continue;
    std::getline(fields >> std::ws, mapping.path);
    if (mapping.path.ends_with(kDeleted)) mapping.path.resize(mapping.path.size() - kDeleted.size());
    found.push_back(std::move(mapping));
  }
  return found;
}

std::uint64_t Procfs::resident_bytes(int pid) const {
  const auto text = read_text(file(pid, "statm"));
  std::istringstream fields(text.value_or(""));
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  fields >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string Procfs::cgroup(int pid) const {
  std::istringstream lines(read_text(file(pid, "cgroup")).value_or(""));
  std::string systemd;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::") && line != "0::/") return line.substr(3);
    constexpr std::string_view kNamed = ":name=systemd:";
    if (const auto at = line.find(kNamed); at != std::string::npos) systemd = line.substr(at + kNamed.size());
  }
  return systemd;
}

std::uint64_t Procfs::memory_total() const {
  const auto text = read_text(root_ + "/meminfo");
  return (text ? number_after(*text, "MemTotal:").value_or(0) : 0) * 1024;
}

Instant start_instant(std::uint64_t ticks) {
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);  // what the kernel counts start times in: it runs on during suspend
  const auto since_boot = std::chrono::seconds(boot.tv_sec) + std::chrono::nanoseconds(boot.tv_nsec);
  const auto started = std::chrono::nanoseconds(ticks * (1'000'000'000U / per_second));
  return MonotonicClock::now() - (since_boot - started);
}

}  // namespace goleakd::target

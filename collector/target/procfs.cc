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

// What stands after "Name:" in files of lines of that form.
std::string line_after(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) return line.substr(name.size());
  }
  return {};
}

// "Name:   1234 kB" → 1234.
std::optional<std::uint64_t> number_after(const std::string& text, std::string_view name) {
  std::istringstream rest(line_after(text, name));
  std::uint64_t value = 0;
  if (rest >> value) return value;
  return std::nullopt;
}

// Names in a folder that are numbers, ascending.
std::vector<int> numbers_in(const std::string& folder) {
  std::vector<int> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    int number = 0;
    const auto [rest, code] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (code == std::errc() && rest == name.data() + name.size()) found.push_back(number);
  }
  std::ranges::sort(found);
  return found;
}

// Of a process or thread, from its "status": the last of its ids, one for each pid namespace from here to its own.
std::optional<int> innermost_id(const std::string& status) {
  std::istringstream numbers(line_after(status, "NSpid:"));
  std::optional<int> innermost;
  for (int number = 0; numbers >> number;) innermost = number;
  return innermost;
}

// A process's "stat". Fields have the numbers that proc(5) gives them.
class Stat {
 public:
  explicit Stat(const std::optional<std::string>& text) {
    // The command name, in parentheses, may itself hold spaces and parentheses: count fields from the last ')'.
    const std::size_t after_name = text ? text->rfind(')') : std::string::npos;
    if (after_name == std::string::npos) return;
    std::istringstream rest(text->substr(after_name + 1));
    for (std::string field; rest >> field;) fields_.push_back(field);
  }

  // Why there is nothing to be read of it.
  std::optional<Error> absence(int pid) const {
    if (fields_.empty()) return Error(ErrorKind::not_found, "there is no process " + std::to_string(pid));
    if (fields_[0] == "Z" || fields_[0] == "X")
      return Error(ErrorKind::gone, "process " + std::to_string(pid) + " has ended");
    return std::nullopt;
  }
  std::optional<std::uint64_t> number(std::size_t field) const {
    constexpr std::size_t kFirst = 3;  // after the name
    if (field - kFirst >= fields_.size()) return std::nullopt;
    const std::string& text = fields_[field - kFirst];
    std::uint64_t value = 0;
    const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc()) return std::nullopt;
    return value;
  }

 private:
  std::vector<std::string> fields_;
};

std::chrono::nanoseconds of_clock_ticks(std::uint64_t ticks) {
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return std::chrono::nanoseconds(ticks * (1'000'000'000U / per_second));
}

Result<std::string> read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length < 0) return fail(Error::from_errno(errno, "reading " + path));
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace

std::vector<int> Procfs::pids() const { return numbers_in(root_); }

Result<ProcessIdentity> Procfs::identity(int pid) const {
  const Stat stat(read_text(file(pid, "stat")));
  if (auto absent = stat.absence(pid)) return fail(std::move(*absent));
  const auto start_ticks = stat.number(22);
  if (!start_ticks) return fail(ErrorKind::invalid, file(pid, "stat") + " has no start time");
  ProcessIdentity identity;
  identity.start_ticks = *start_ticks;
  identity.start_stack = stat.number(28).value_or(0);
  struct stat status {};
  if (::stat(exe_path(pid).c_str(), &status) == 0) {
    identity.device = status.st_dev;
    identity.inode = status.st_ino;
  }
  return identity;
}

Result<Duration> Procfs::cpu_time(int pid) const {
  const Stat stat(read_text(file(pid, "stat")));
  if (auto absent = stat.absence(pid)) return fail(std::move(*absent));
  const auto user = stat.number(14);
  const auto kernel = stat.number(15);
  if (!user || !kernel) return fail(ErrorKind::invalid, file(pid, "stat") + " has no CPU time");
  return of_clock_ticks(*user + *kernel);
}

Result<std::string> Procfs::exe(int pid) const {
  auto path = read_link(exe_path(pid));
  if (path && path->ends_with(kDeleted)) path->resize(path->size() - kDeleted.size());
  return path;
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

std::map<std::uint64_t, int> Procfs::threads(int pid) const {
  std::map<std::uint64_t, int> found;
  for (const int thread : numbers_in(file(pid, "task"))) {
    const auto status = read_text(file(pid, "task/") + std::to_string(thread) + "/status");
    if (const auto own = status ? innermost_id(*status) : std::nullopt)
      found[static_cast<std::uint64_t>(*own)] = thread;
  }
  return found;
}

std::optional<int> Procfs::system_call(int pid, int thread) const {
  const auto text = read_text(file(pid, "task/") + std::to_string(thread) + "/syscall");
  std::istringstream fields(text.value_or(""));  // "NUMBER ARGUMENT… SP PC", "running" or "-1 SP PC"
  int number = -1;
  if (!(fields >> number) || number < 0) return std::nullopt;
  return number;
}

Result<std::string> Procfs::descriptor(int pid, std::uint64_t fd) const {
  return read_link(file(pid, "fd/") + std::to_string(fd));
}

int Procfs::own_pid(int pid) const { return innermost_id(read_text(file(pid, "status")).value_or("")).value_or(pid); }

std::optional<int> Procfs::process_of(int thread) const {
  const auto pid = number_after(read_text(file(thread, "status")).value_or(""), "Tgid:");
  if (!pid) return std::nullopt;
  return static_cast<int>(*pid);
}

std::optional<int> Procfs::parent(int pid) const {
  const auto parent = number_after(read_text(file(pid, "status")).value_or(""), "PPid:");
  if (!parent || *parent == 0) return std::nullopt;
  return static_cast<int>(*parent);
}

bool Procfs::only_forked(int pid, const ProcessIdentity& own) const {
  const auto parent_pid = parent(pid);
  if (!parent_pid || own.start_stack == 0) return false;
  const auto other = identity(*parent_pid);
  return other && other->start_stack == own.start_stack && other->device == own.device && other->inode == own.inode;
}

std::string Procfs::command(int pid) const {
  const std::string text = read_text(file(pid, "comm")).value_or("");
  return text.substr(0, text.find('\n'));
}

std::string Procfs::argv0(int pid) const {
  const auto text = read_text(file(pid, "cmdline"));
  return text ? text->substr(0, text->find('\0')) : std::string();
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

std::vector<std::string> Procfs::cgroups(int pid) const {
  std::vector<std::string> paths{cgroup(pid)};
  std::istringstream lines(read_text(file(pid, "cgroup")).value_or(""));
  for (std::string line; std::getline(lines, line);) {  // HIERARCHY:CONTROLLERS:PATH
    const std::size_t controllers = line.find(':');
    const std::size_t path = controllers == std::string::npos ? controllers : line.find(':', controllers + 1);
    if (path == std::string::npos) continue;
    if (std::ranges::find(paths, line.substr(path + 1)) == paths.end()) paths.push_back(line.substr(path + 1));
  }
  std::erase_if(paths, [](const std::string& path) { return path.empty() || path == "/"; });
  return paths;
}

std::uint64_t Procfs::memory_total() const {
  const auto text = read_text(root_ + "/meminfo");
  return (text ? number_after(*text, "MemTotal:").value_or(0) : 0) * 1024;
}

int Procfs::yama_scope() const {
  std::istringstream text(read_text(root_ + "/sys/kernel/yama/ptrace_scope").value_or(""));
  int scope = 0;
  text >> scope;
  return scope;
}

std::uint64_t Procfs::effective_capabilities() const {
  std::istringstream text(line_after(read_text(root_ + "/self/status").value_or(""), "CapEff:"));
  std::uint64_t bits = 0;
  text >> std::hex >> bits;
  return bits;
}

Instant start_instant(std::uint64_t ticks) {
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);  // what the kernel counts start times in: it runs on during suspend
  const auto since_boot = std::chrono::seconds(boot.tv_sec) + std::chrono::nanoseconds(boot.tv_nsec);
  return MonotonicClock::now() - (since_boot - of_clock_ticks(ticks));
}

}  // namespace goleakd::target

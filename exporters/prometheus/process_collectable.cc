// SPDX-License-Identifier: Apache-2.0
#include "prometheus/process_collectable.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "prometheus/families.h"

namespace goleakd::prometheus {
namespace {

constexpr Metric kCpu{"process_cpu_seconds_total", ::prometheus::MetricType::Counter,
                      "CPU time used by goleakd, user and system."};
constexpr Metric kStart{"process_start_time_seconds", ::prometheus::MetricType::Gauge, "When goleakd was started."};
constexpr Metric kResident{"process_resident_memory_bytes", ::prometheus::MetricType::Gauge,
                           "Memory of goleakd that is resident."};
constexpr Metric kFds{"process_open_fds", ::prometheus::MetricType::Gauge, "File descriptors open in goleakd."};

struct Stat {
  std::uint64_t cpu_ticks = 0;
  std::uint64_t start_ticks = 0;  // since boot
};

std::optional<Stat> read_stat(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');  // the name may hold spaces and parentheses
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;  // numbered as in proc(5)
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  Stat stat;
  fields >> user >> system;
  for (int field = 16; field < 22; ++field) fields >> skipped;
  fields >> stat.start_ticks;
  if (!fields) return std::nullopt;
  stat.cpu_ticks = user + system;
  return stat;
}

// Seconds since the Unix epoch.
std::optional<double> boot_time(const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    double seconds = 0;
    if (words >> key >> seconds && key == "btime") return seconds;
  }
  return std::nullopt;
}

std::optional<double> resident_bytes(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(file >> size >> resident)) return std::nullopt;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::optional<double> count_entries(const std::string& folder) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(folder, error);
  if (error) return std::nullopt;
  return static_cast<double>(std::distance(begin(entries), end(entries)));
}

}  // namespace

std::vector<::prometheus::MetricFamily> ProcessCollectable::Collect() const {
  Families families;
  const std::string self = proc_ + "/self";
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (const auto stat = read_stat(self + "/stat")) {
    families.add(kCpu, {}, static_cast<double>(stat->cpu_ticks) / ticks_per_second);
    if (const auto boot = boot_time(proc_ + "/stat")) {
      families.add(kStart, {}, *boot + static_cast<double>(stat->start_ticks) / ticks_per_second);
    }
  }
  if (const auto bytes = resident_bytes(self + "/statm")) families.add(kResident, {}, *bytes);
  if (const auto fds = count_entries(self + "/fd")) families.add(kFds, {}, *fds);
  return families.take();
}

}  // namespace goleakd::prometheus

// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/read_file.h"
#include "daemon/commands.h"
#include "daemon/config_files.h"
#include "daemon/event_loop.h"
#include "daemon/reload.h"
#include "daemon/supervisor.h"
#include "history/writer.h"
#include "http/server.h"
#include "probe/prober.h"
#include "target/layout.h"

namespace goleakd::daemon {
namespace {

// The journal stamps lines itself.
void set_up_log(const Config& config) {
  auto logger = spdlog::stderr_color_mt("goleakd");
  logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%l: %v" : "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  spdlog::set_default_logger(logger);
  set_log_level(config);
}

// Large blocks that are freed go back to the kernel at once, which the ledger's table counts on. Left alone, malloc
// raises its thresholds when it sees some, and keeps what a grown program has left behind.
void return_large_blocks() {
  constexpr int kLarge = 128 << 10;  // malloc's own first value
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
  ::mallopt(M_TRIM_THRESHOLD, kLarge);
}

// Null when none is to be kept.
std::unique_ptr<history::Writer> make_history(const Config& config) {
  if (!config.history.enabled) return nullptr;
  std::string boot = read_file("/proc/sys/kernel/random/boot_id", "reading").value_or("");
  boot.erase(boot.find_last_not_of('\n') + 1);
  return std::make_unique<history::Writer>(history::Settings{.path = config.history.path,
                                                             .max_bytes = config.history.max_bytes,
                                                             .interval = config.history.interval,
                                                             .boot = std::move(boot)},
                                           [](const std::string& message) { spdlog::warn("{}", message); });
}

}  // namespace

Result<void> run(const RunOptions& options) {
  const auto config = load_config(options.config);
  if (!config) return fail(config.error());
  if (options.check_config) {
    for (const std::string& place : config->expired) {
      std::printf("warning: %s; a running daemon refuses to load it\n", place.c_str());
    }
    std::puts("the configuration is valid");
    return {};
  }
  return_large_blocks();
  set_up_log(*config);
  for (const std::string& place : config->expired) spdlog::warn("{}", place);
  auto loop = EventLoop::make();
  if (!loop) return fail(loop.error());
  // Before any thread is started, so that all of them have the signals blocked.
  auto signals = (*loop)->on_signals({SIGINT, SIGTERM}, [&](int signal) {
    spdlog::info("stopping: {}", strsignal(signal));
    (*loop)->stop();
  });
  if (!signals) return signals;
  std::function<void()> reload_now;
  if (auto ok = (*loop)->on_signals({SIGHUP}, [&](int) { reload_now(); }); !ok) return ok;

  // The listener first: an address that is taken is told before anything is touched.
  ReportBoard board;
  auto server =
      http::Server::make({.listen = config->listen, .socket = config->socket, .sites_per_app = config->sites_per_app},
                         [&board] { return board.newest(); });
  if (!server) return fail(server.error());
  const auto history = make_history(*config);
  auto supervisor = Supervisor::make(*config, **loop, board, history.get());
  if (!supervisor) return fail(supervisor.error());
  (*supervisor)->scan();
  reload_now = [&] { reload(options.config, **supervisor, **server); };

  if (auto ok = (*loop)->every(std::chrono::seconds(5), [] { sd_notify(0, "WATCHDOG=1"); }); !ok) return ok;
  sd_notify(0, "READY=1");
  spdlog::info("goleakd {} is watching; metrics on {}, socket {}", version(),
               config->listen.empty() ? "no address" : config->listen, config->socket);
  (*loop)->run();
  sd_notify(0, "STOPPING=1");
  return {};
}

std::string version() { return GOLEAKD_VERSION; }

std::string version_text() {
  return "goleakd " + version() + "\nlibbpf " + probe::libbpf_version() + "\nGo " + target::supported_versions() +
         " (amd64)\n";
}

int exit_code(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::invalid:
    case ErrorKind::not_found:
      return 2;
    case ErrorKind::permission:
    case ErrorKind::unsupported:
    case ErrorKind::system:
      return 3;
    case ErrorKind::gone:
      return 1;
  }
  return 1;
}

}  // namespace goleakd::daemon

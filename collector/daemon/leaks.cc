// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "base/duration.h"
#include "daemon/commands.h"
#include "daemon/event_loop.h"
#include "daemon/supervisor.h"
#include "http/client.h"
#include "text/json.h"
#include "text/leaks_json.h"
#include "text/leaks_text.h"

namespace goleakd::daemon {
namespace {

Result<std::string> ask_daemon(const LeaksOptions& options) {
  std::string target = std::string("/api/v1/leaks?format=") + (options.format == Format::json ? "json" : "text");
  if (options.pid) target += "&pid=" + std::to_string(*options.pid);
  return http::get(options.socket, target);
}

// A window that fits into the time there is: one interval until a goroutine counts as stuck, the window itself, and the
// second evaluation that confirms.
Config config_for(const LeaksOptions& options) {
  Config config;
  config.targets.pids = {*options.pid};
  verdict::Thresholds& t = config.thresholds;
  const int intervals = t.growing_intervals + t.confirm_windows + 1;
  const Duration interval = options.watch_for / (intervals + 1);
  t.growing_window = interval * t.growing_intervals;
  t.quiet_after_start = Duration::zero();
  t.stuck_after = std::min(t.stuck_after, interval * 3);
  t.cancelled_after = std::min(t.cancelled_after, interval * 3);
  config.snapshots.interval = interval / 2;
  config.snapshots.interval_with_suspects = config.snapshots.interval;
  return config;
}

Result<verdict::ReportPtr> watch_here(const LeaksOptions& options) {
  spdlog::set_level(spdlog::level::warn);
  spdlog::set_pattern("%l: %v");
  // Says what is wrong with the process at once, rather than after a minute of silence.
  const target::Procfs proc;
  target::BinaryCache binaries;
  const auto process = target::GoProcess::open(proc, binaries, *options.pid);
  if (!process) return fail(process.error());
  auto loop = EventLoop::make();
  if (!loop) return fail(loop.error());
  if (auto ok = (*loop)->on_signals({SIGINT, SIGTERM}, [&](int) { (*loop)->stop(); }); !ok) return fail(ok.error());
  ReportBoard board;
  auto supervisor = Supervisor::make(config_for(options), **loop, board);
  if (!supervisor) return fail(supervisor.error());
  const Instant end = MonotonicClock::now() + options.watch_for;
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  bool ended = false;
  auto ok = (*loop)->every(std::chrono::seconds(1), [&] {
    const Instant now = MonotonicClock::now();
    ended = !process->alive(proc);
    if (terminal)
      std::fprintf(stderr, "\rwatching process %d: %s left ", *options.pid, format_duration(end - now).c_str());
    if (now >= end || ended) (*loop)->stop();
  });
  if (!ok) return fail(ok.error());
  std::fprintf(stderr, "no daemon answers on %s: watching process %d here for %s%s", options.socket.c_str(),
               *options.pid, format_duration(options.watch_for).c_str(), terminal ? "" : "\n");
  (*supervisor)->scan();
  (*loop)->run();
  if (terminal) std::fputs("\r\033[K", stderr);
  if (ended) return fail(ErrorKind::gone, "process " + std::to_string(*options.pid) + " ended while it was watched");
  return board.newest();
}

// On a terminal each answer takes the place of the one before; else they follow one another.
Result<void> show_again_and_again(const LeaksOptions& options) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  while (true) {
    const auto answer = ask_daemon(options);
    if (!answer) return fail(answer.error());
    if (terminal) std::fputs("\x1b[H\x1b[2J", stdout);
    std::fputs(answer->c_str(), stdout);
    if (!terminal && options.format == Format::text) std::fputs("\n", stdout);
    if (std::fflush(stdout) != 0) return fail(Error::from_errno(errno, "writing to standard output"));
    std::this_thread::sleep_for(*options.again_every);
  }
}

}  // namespace

Result<void> leaks(const LeaksOptions& options) {
  if (options.again_every) return show_again_and_again(options);
  if (const auto answer = ask_daemon(options)) {
    std::fputs(answer->c_str(), stdout);
    return {};
  } else if (options.socket_given || !options.pid || answer.error().kind() != ErrorKind::not_found) {
    return fail(answer.error());
  }
  const auto report = watch_here(options);
  if (!report) return fail(report.error());
  const text::LeaksQuery query{.pid = options.pid,
                               .color = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr};
  const std::string text = options.format == Format::json ? text::to_text(text::leaks_json(**report, options.pid))
                                                          : text::leaks_text(**report, query);
  std::fputs(text.c_str(), stdout);
  return {};
}

}  // namespace goleakd::daemon

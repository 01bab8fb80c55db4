// SPDX-License-Identifier: Apache-2.0
#include "daemon/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "daemon/output_file.h"
#include "text/layout.h"

namespace goleakd::daemon {
namespace {

constexpr Duration kPatience = std::chrono::seconds(1);
constexpr Duration kInterval = std::chrono::milliseconds(100);

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(!dumb(STDERR_FILENO)), next_(MonotonicClock::now() + kPatience) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::show(std::size_t done, std::size_t all) {
  if (!terminal_) return;
  const Instant now = MonotonicClock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  drawn_ = true;
  std::fprintf(stderr, "\r\033[K%s", text::progress_line(what_, done, all, columns() - 1).c_str());
  std::fflush(stderr);
}

}  // namespace goleakd::daemon

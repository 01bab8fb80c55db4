// SPDX-License-Identifier: Apache-2.0
#include "daemon/event_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace goleakd::daemon {
namespace {

// Timer and wake-up descriptors hand out a count that must be taken, or they stay ready.
bool take_count(int fd) {
  std::uint64_t count = 0;
  return ::read(fd, &count, sizeof(count)) == sizeof(count);
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::make() {
  std::unique_ptr<EventLoop> loop(new EventLoop());
  loop->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_) return fail(Error::from_errno(errno, "creating an epoll"));
  return loop;
}

Result<void> EventLoop::add(UniqueFd fd, std::function<void(int)> ready, bool once_a_wakeup) {
  if (!fd) return fail(Error::from_errno(errno, "creating an event source"));
  auto source = std::make_unique<Source>(Source{.fd = std::move(fd), .ready = std::move(ready)});
  epoll_event event{};
  event.events = once_a_wakeup ? EPOLLIN | EPOLLET : EPOLLIN;
  event.data.ptr = source.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, source->fd.get(), &event) != 0) {
    return fail(Error::from_errno(errno, "watching an event source"));
  }
  sources_.push_back(std::move(source));
  return {};
}

Result<void> EventLoop::every(Duration interval, std::function<void()> callback) {
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return fail(Error::from_errno(errno, "creating a timer"));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(interval);
  itimerspec when{};
  when.it_interval.tv_sec = seconds.count();
  when.it_interval.tv_nsec = (interval - seconds).count();
  when.it_value = when.it_interval;
  if (::timerfd_settime(timer.get(), 0, &when, nullptr) != 0) return fail(Error::from_errno(errno, "setting a timer"));
  return add(std::move(timer), [callback = std::move(callback)](int fd) {
    if (take_count(fd)) callback();
  });
}

Result<void> EventLoop::on_signals(const std::vector<int>& signals, std::function<void(int)> callback) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return fail(Error::from_errno(error, "blocking signals"));
  }
  return add(UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)), [callback = std::move(callback)](int fd) {
    signalfd_siginfo info{};
    if (::read(fd, &info, sizeof(info)) == sizeof(info)) callback(static_cast<int>(info.ssi_signo));
  });
}

Result<void> EventLoop::on_wakeup_of(int fd, std::function<void()> callback) {
  return add(
      UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)), [callback = std::move(callback)](int /*fd*/) { callback(); },
      /*once_a_wakeup=*/true);
}

Result<std::function<void()>> EventLoop::on_wake(std::function<void()> callback) {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  // The waker keeps a descriptor of its own, so that it stays valid whatever becomes of the loop.
  auto other_end = std::make_shared<UniqueFd>(::fcntl(event.get(), F_DUPFD_CLOEXEC, 0));
  if (!*other_end) return fail(Error::from_errno(errno, "creating an event source"));
  auto ok = add(std::move(event), [callback = std::move(callback)](int fd) {
    if (take_count(fd)) callback();
  });
  if (!ok) return fail(ok.error());
  return [other_end] {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(other_end->get(), &one, sizeof(one));
  };
}

void EventLoop::run() {
  std::array<epoll_event, 16> events{};
  while (running_) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count && running_; ++i) {
      const auto* source = static_cast<const Source*>(events[static_cast<std::size_t>(i)].data.ptr);
      source->ready(source->fd.get());
    }
  }
}

}  // namespace goleakd::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/exit_keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <new>

namespace goleakd::daemon {

struct ExitKeeper::Shared {
  std::array<std::atomic<std::uint64_t>, kSlots> open{};  // ids; 0: none
};

void ExitKeeper::Unmap::operator()(Shared* shared) const { ::munmap(shared, sizeof(Shared)); }

Result<ExitKeeper> ExitKeeper::start(int listener) {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail(Error::from_errno(errno, "sharing memory"));
  std::unique_ptr<Shared, Unmap> shared(new (memory) Shared);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Error::from_errno(errno, "making a pipe"));
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const int pid = ::fork();
  if (pid < 0) return fail(Error::from_errno(errno, "starting a process"));
  if (pid == 0) {
    write_end.reset();
    keep(read_end.get(), listener, *shared);
  }
  return ExitKeeper(pid, std::move(write_end), std::move(shared));
}

// Holds nothing of what we share with our callers: who reads our output until its end must not wait for this process.
void ExitKeeper::keep(int life, int listener, const Shared& shared) {
  ::setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) std::signal(number, SIG_IGN);
  if (const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC); null >= 0) {
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, standard);
  }
  char byte = 0;
  while (::read(life, &byte, 1) < 0 && errno == EINTR) {
  }
  ExitNotices notices{UniqueFd(listener)};
  for (const auto& id : shared.open) {
    if (id != 0) notices.let_go(id);
  }
  for (;;) {
    pollfd wait{.fd = listener, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, -1) < 0 && errno != EINTR) break;
    if ((wait.revents & POLLIN) != 0) {
      const auto notice = notices.next();
      if (notice && *notice) notices.let_go((*notice)->id);
    } else if (wait.revents != 0) {
      break;
    }
  }
  ::_exit(0);
}

void ExitKeeper::dismiss() {
  life_.reset();
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ExitKeeper::received(std::uint64_t id) {
  const auto free = std::ranges::find_if(shared_->open, [](const auto& slot) { return slot == 0; });
  if (free != shared_->open.end()) *free = id;
}

void ExitKeeper::answered(std::uint64_t id) {
  const auto at = std::ranges::find_if(shared_->open, [&](const auto& slot) { return slot == id; });
  if (at != shared_->open.end()) *at = 0;
}

}  // namespace goleakd::daemon

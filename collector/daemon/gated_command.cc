// SPDX-License-Identifier: Apache-2.0
#include "daemon/gated_command.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "daemon/exit_notices.h"

namespace goleakd::daemon {
namespace {

// What the child tells its parent: first of the filter, with the listener; then, only if it fails, of the execve.
struct Word {
  int error = 0;  // errno
};

union Control {
  cmsghdr header;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

void send_listener(int socket, int listener) {
  Word word{.error = listener < 0 ? errno : 0};
  iovec part{.iov_base = &word, .iov_len = sizeof(word)};
  Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (listener >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof(control);
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &listener, sizeof(int));
  }
  ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

struct Received {
  Word word;
  UniqueFd listener;
};

// Nothing when the child has closed its end: by the execve, or because it has been killed.
std::optional<Received> receive(int socket) {
  Received received;
  iovec part{.iov_base = &received.word, .iov_len = sizeof(received.word)};
  Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof(control);
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < static_cast<ssize_t>(sizeof(Word))) return std::nullopt;
  if (const cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr && head->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    received.listener = UniqueFd(fd);
  }
  return received;
}

// Never returns; between fork and execve nothing but plain system calls. An exit_group here would wait for the parent,
// which waits for this: the one thread there is ends by exit.
[[noreturn]] void become(const std::vector<char*>& arguments, const sigset_t& mask, int socket) {
  const int listener = ExitNotices::install();
  send_listener(socket, listener);
  if (listener >= 0) {
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    ::execvp(arguments.front(), arguments.data());
    const Word word{.error = errno};
    [[maybe_unused]] const auto sent = ::send(socket, &word, sizeof(word), MSG_NOSIGNAL);
  }
  for (;;) ::syscall(SYS_exit, 127);
}

// Until the child has closed its end, or says what is wrong. Its own execve, which is tried in each folder of PATH, is
// the first to give notice.
void let_execute(ExitNotices& notices, int socket) {
  while (true) {
    std::array<pollfd, 2> wait{
        {{.fd = socket, .events = POLLIN, .revents = 0}, {.fd = notices.fd(), .events = POLLIN, .revents = 0}}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return;
    if (wait[0].revents != 0 || wait[1].revents == POLLHUP) return;
    if ((wait[1].revents & POLLIN) == 0) continue;
    const auto notice = notices.next();
    if (notice && *notice) notices.let_go((*notice)->id);
  }
}

void reap(int pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Error refused(int error) {
  if (error == EBUSY) {
    return {
        ErrorKind::unsupported,
        "this process already runs under a program that holds its exits or other calls (seccomp user notification), "
        "perhaps another `goleakd verify`: there can be only one"};
  }
  return Error::from_errno(error, "installing a seccomp filter, which a sandbox or container may forbid");
}

}  // namespace

Result<GatedCommand> start_gated(const std::vector<std::string>& command, const sigset_t& mask) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(Error::from_errno(errno, "making a pair of sockets"));
  }
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int pid = ::fork();
  if (pid < 0) return fail(Error::from_errno(errno, "starting a process"));
  if (pid == 0) become(arguments, mask, theirs.get());
  theirs.reset();
  auto installed = receive(ours.get());
  if (!installed || !installed->listener) {
    reap(pid);
    return fail(installed ? refused(installed->word.error)
                          : Error(ErrorKind::system, "the child process ended before it had a seccomp filter"));
  }
  GatedCommand started{
      .pid = pid, .process = {}, .notices = ExitNotices(std::move(installed->listener)), .not_started = 0};
  let_execute(started.notices, ours.get());
  if (const auto failed = receive(ours.get())) {
    reap(pid);
    started.not_started = failed->word.error;
    return started;
  }
  started.process = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // close-on-exec by itself
  if (!started.process) {
    const Error error = Error::from_errno(errno, "opening process " + std::to_string(pid));
    ::kill(pid, SIGKILL);
    reap(pid);
    return fail(error);
  }
  return started;
}

}  // namespace goleakd::daemon

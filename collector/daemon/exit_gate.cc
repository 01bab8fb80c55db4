// SPDX-License-Identifier: Apache-2.0
#include "daemon/exit_gate.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>

#include "target/access.h"

namespace goleakd::daemon {
namespace {

using std::chrono::milliseconds;
using verify::Program;

// Between looks at a program in which somebody is left: as goleak does, twice as long each time.
constexpr Duration kFirstPause = milliseconds(1);
constexpr Duration kLongestPause = milliseconds(100);

// Without the links of /proc and others, as /proc/PID/exe will have it.
std::string path_of(const std::string& file) {
  std::error_code error;
  const auto path = std::filesystem::canonical(file, error);
  return error ? file : path.string();
}

}  // namespace

Result<std::unique_ptr<ExitGate>> ExitGate::make(GatedCommand command, const sigset_t& signals,
                                                 const GateOptions& options, verify::Report& report) {
  auto keeper = ExitKeeper::start(command.notices.fd());
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  const Error refused = Error::from_errno(errno, "making a descriptor for signals");
  if (keeper && fd) {
    return std::unique_ptr<ExitGate>(
        new ExitGate(std::move(command), std::move(fd), std::move(*keeper), options, report));
  }
  // It has begun already, and nobody would let it go.
  ::kill(command.pid, SIGKILL);
  while (::waitpid(command.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (keeper) keeper->dismiss();
  return fail(keeper ? refused : keeper.error());
}

ExitGate::ExitGate(GatedCommand command, UniqueFd signals, ExitKeeper keeper, const GateOptions& options,
                   verify::Report& report)
    : command_(std::move(command)),
      signals_(std::move(signals)),
      keeper_(std::move(keeper)),
      options_(options),
      report_(report),
      selector_(proc_, binaries_, options_.only) {}

ExitGate::~ExitGate() {
  if (nobody_left_) keeper_.dismiss();
}

Result<void> ExitGate::run() {
  Instant last = Instant::max();
  while (true) {
    std::array<pollfd, 3> wait{{{.fd = command_.notices.fd(), .events = POLLIN, .revents = 0},
                                {.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                {.fd = ended_ ? -1 : command_.process.get(), .events = POLLIN, .revents = 0}}};
    if (::poll(wait.data(), wait.size(), milliseconds_to_wait(last)) < 0 && errno != EINTR) {
      return fail(Error::from_errno(errno, "waiting for the command"));
    }
    if ((wait[1].revents & POLLIN) != 0) hand_on_signals();
    if ((wait[0].revents & POLLIN) != 0) receive();
    look_at_due();
    if ((wait[2].revents & POLLIN) != 0) {
      reap();
      last = MonotonicClock::now() + options_.settle;
    }
    nobody_left_ = (wait[0].revents & (POLLHUP | POLLIN)) == POLLHUP;
    const bool late = hurry_ || MonotonicClock::now() >= last;
    if (ended_ && standing_.empty() && (nobody_left_ || late)) break;
    // The filter goes a moment later than the pidfd becomes readable, and stays ready from then on.
    if (nobody_left_ && !ended_) ::poll(&wait[2], 1, -1);
  }
  report_.still_running = !nobody_left_;
  std::ranges::move(begun_.killed(proc_), std::back_inserter(report_.programs));
  return {};
}

int ExitGate::milliseconds_to_wait(Instant last) const {
  if (nobody_left_ && !ended_) return -1;
  Instant next = last;
  for (const Standing& standing : standing_) next = std::min(next, standing.next);
  if (next == Instant::max()) return -1;
  const Duration left = std::max(next - MonotonicClock::now(), Duration::zero());
  return static_cast<int>(std::chrono::ceil<milliseconds>(left).count());
}

void ExitGate::hand_on_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    // What a terminal sends goes to its whole foreground group: the command has it already.
    const bool from_terminal = info.ssi_code == SI_KERNEL;
    if (ended_) {
      hurry_ = true;
    } else if (!from_terminal) {
      ::syscall(SYS_pidfd_send_signal, command_.process.get(), static_cast<int>(info.ssi_signo), nullptr, 0);
    }
  }
}

void ExitGate::reap() {
  int status = 0;
  while (::waitpid(command_.pid, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
  report_.end = WIFSIGNALED(status) ? verify::CommandEnd{.status = 0, .signal = WTERMSIG(status)}
                                    : verify::CommandEnd{.status = WEXITSTATUS(status), .signal = 0};
}

void ExitGate::receive() {
  const auto notice = command_.notices.next();
  if (!notice || !*notice) return;
  keeper_.received((*notice)->id);
  examine(**notice);
}

void ExitGate::let_go(std::uint64_t id) {
  command_.notices.let_go(id);
  keeper_.answered(id);
}

void ExitGate::examine(const ExitNotice& notice) {
  const int pid = proc_.process_of(notice.thread).value_or(notice.thread);
  const auto identity = proc_.identity(pid);
  if (!identity) return let_go(notice.id);
  const ProcessLife life{pid, identity->start_ticks};
  if (notice.executes) return note_execution(notice, life);
  begun_.end(life);
  if (const auto known = std::ranges::find(standing_, life, &Standing::life); known != standing_.end()) {
    known->ids.push_back(notice.id);
    return;
  }
  if (done_.contains(life) || !stand(notice, life, *identity)) {
    done_.insert(life);
    let_go(notice.id);
  }
}

// So that a program that is killed before its exit is missed. What can't be found is left to the execve, which may
// fail.
void ExitGate::note_execution(const ExitNotice& notice, const ProcessLife& life) {
  begun_.end(life);
  const auto file = file_to_execute(proc_, life.first, notice.path);
  UniqueFd fd(file ? ::open(file->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1);
  const std::string path = fd ? path_of(*file) : std::string();
  let_go(notice.id);  // the program's beginning takes as long as looking into its file
  if (!fd) return;
  const auto binary = binaries_.open(std::move(fd));
  if (!binary) return;
  Program program = ProgramSelector::describe(life.first, path, **binary);
  if (selector_.selects(program)) begun_.begin(life, std::move(program));
}

// A Go program is to be judged: from now on it is among those that stand.
bool ExitGate::stand(const ExitNotice& notice, const ProcessLife& life, const target::ProcessIdentity& identity) {
  const int pid = life.first;
  const auto binary = binaries_.open(proc_.exe_path(pid));
  if (!binary && binary.error().kind() == ErrorKind::not_found) return false;  // no Go program
  Program program;
  if (binary) {
    if (proc_.only_forked(pid, identity)) return false;  // its goroutines are its parent's
    program = ProgramSelector::describe(pid, proc_.exe(pid).value_or(""), **binary);
  } else {
    program.pid = pid;
    program.exe = proc_.exe(pid).value_or("");
  }
  program.status = notice.status;
  if (!selector_.selects(program)) {
    ++report_.not_selected;
    return false;
  }
  if (!binary) {
    const bool denied = binary.error().kind() == ErrorKind::permission;
    return give_up(std::move(program), denied ? target::access_denied(proc_, pid) : binary.error());
  }
  if (notice.status != 0 && !options_.run_on_failure) {
    program.outcome = Program::Outcome::failed;
    report_.programs.push_back(std::move(program));
    return false;
  }
  auto process = target::GoProcess::open(proc_, binaries_, pid);
  if (!process) return give_up(std::move(program), process.error());
  Standing& standing = standing_.emplace_back();
  standing.life = life;
  standing.ids = {notice.id};
  standing.look =
      std::make_unique<ExitLook>(proc_, std::move(*process), notice.thread, program.package, program.tests_of);
  standing.program = std::move(program);
  standing.since = MonotonicClock::now();
  standing.next = standing.since;
  standing.pause = kFirstPause;
  return true;
}

bool ExitGate::give_up(Program program, const Error& error) {
  program.outcome = Program::Outcome::unreadable;
  program.reason = error.message();
  if (program.exe.empty()) program.exe = proc_.command(program.pid);
  report_.programs.push_back(std::move(program));
  return false;
}

void ExitGate::look_at_due() {
  const Instant now = MonotonicClock::now();
  std::erase_if(standing_, [&](Standing& standing) {
    if (standing.next > now || !look_at(standing)) return false;
    for (const std::uint64_t id : standing.ids) let_go(id);
    done_.insert(standing.life);
    report_.programs.push_back(std::move(standing.program));
    return true;
  });
}

// It is decided.
bool ExitGate::look_at(Standing& standing) {
  const Instant begin = MonotonicClock::now();
  auto left = standing.look->take(options_.rules, options_.baseline);
  const Instant end = MonotonicClock::now();
  const bool last = end - standing.since >= options_.settle;
  const bool final_error = !left && left.error().kind() == ErrorKind::permission;
  if (!last && !final_error && (!left || !left->clean())) {
    // Looks that take long, at very many goroutines, leave the program as much time between them.
    standing.next = end + std::max(standing.pause, end - begin);
    standing.pause = std::min(standing.pause * 2, kLongestPause);
    return false;
  }
  standing.program.waited = end - standing.since;
  if (left) {
    standing.program.left = std::move(*left);
  } else {
    standing.program.outcome = Program::Outcome::unreadable;
    standing.program.reason = left.error().message();
  }
  return true;
}

}  // namespace goleakd::daemon

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "daemon/begun_programs.h"
#include "daemon/exit_keeper.h"
#include "daemon/exit_look.h"
#include "daemon/exit_notices.h"
#include "daemon/gated_command.h"
#include "daemon/program_selector.h"
#include "target/binary_cache.h"
#include "target/procfs.h"
#include "verify/report.h"

namespace goleakd::daemon {

struct GateOptions {
  verify::IgnoreRules rules;
  verify::Baseline baseline;
  std::vector<std::string> only;  // verify::is_selected
  Duration settle{};              // how long goroutines have to go away by themselves
  bool run_on_failure = false;    // judge programs that exit with another status than 0, too
};

// Runs a command that has been started to its end, and judges each Go program below it as it exits. Several may stand
// at once: none waits for another's goroutines.
class ExitGate {
 public:
  // Borrows options and fills the report's programs. `signals` is what signalfd wants: those are handed on to the
  // command.
  static Result<std::unique_ptr<ExitGate>> make(GatedCommand command, const sigset_t& signals,
                                                const GateOptions& options, verify::Report& report);
  ~ExitGate();

  // Until the command has ended, and everything it has left behind, too, but for that no longer than the settle time.
  Result<void> run();

 private:
  struct Standing {
    ProcessLife life;
    std::vector<std::uint64_t> ids;  // of its notices: more than one when several threads exit, or a signal came
    verify::Program program;
    std::unique_ptr<ExitLook> look;
    Instant since;
    Instant next;
    Duration pause{};
  };

  ExitGate(GatedCommand command, UniqueFd signals, ExitKeeper keeper, const GateOptions& options,
           verify::Report& report);

  void receive();
  void examine(const ExitNotice& notice);
  void note_execution(const ExitNotice& notice, const ProcessLife& life);
  bool stand(const ExitNotice& notice, const ProcessLife& life, const target::ProcessIdentity& identity);
  bool give_up(verify::Program program, const Error& error);
  void look_at_due();
  bool look_at(Standing& standing);
  void let_go(std::uint64_t id);
  void hand_on_signals();
  void reap();
  int milliseconds_to_wait(Instant last) const;

  GatedCommand command_;
  UniqueFd signals_;
  ExitKeeper keeper_;
  const GateOptions& options_;
  verify::Report& report_;
  target::Procfs proc_;
  target::BinaryCache binaries_;
  ProgramSelector selector_;
  std::vector<Standing> standing_;
  BegunPrograms begun_;
  std::set<ProcessLife> done_;
  bool ended_ = false;  // the command
  bool nobody_left_ = false;
  bool hurry_ = false;  // a signal came after the command's end
};

}  // namespace goleakd::daemon

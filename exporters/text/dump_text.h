// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ledger/dump_sink.h"

namespace goleakd::text {

struct DumpTextOptions {
  int go_minor = 0;      // of the program's Go 1.minor: its runtime's way with long stacks and labels is followed
  bool details = false;  // what each goroutine waits on, and its labels: lines that begin with '#'
  bool color = false;    // ANSI escapes, for a terminal
};

// The goroutine in the form of the Go runtime's own traceback (runtime/traceback.go, pprof's debug=2). Arguments are
// always "(...)". Without details, programs that read those read this: panicparse, for one, takes a line that it does
// not know for the end of the dump.
std::string goroutine_text(const ledger::GoroutineDump& g, const DumpTextOptions& options);

// Goroutines with an empty line between them; before each group's example a line with its size and title, and one with
// the ids of its goroutines.
class DumpText final : public ledger::DumpSink {
 public:
  DumpText(const DumpTextOptions& options, ledger::Output output) : options_(options), output_(std::move(output)) {}

  void goroutine(const ledger::GoroutineDump& g) override;
  void group(const ledger::GoroutineGroup& group, const ledger::GoroutineDump& example) override;
  Result<void> end(std::uint64_t left_out) override;

 private:
  void write(std::string text);

  DumpTextOptions options_;
  ledger::Output output_;
  bool first_ = true;
};

}  // namespace goleakd::text

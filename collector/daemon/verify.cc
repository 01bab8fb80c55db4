// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/read_file.h"
#include "daemon/commands.h"
#include "daemon/exit_gate.h"
#include "daemon/exit_notices.h"
#include "daemon/gated_command.h"
#include "daemon/output_file.h"
#include "junit/verify_junit.h"
#include "text/json.h"
#include "text/verify_json.h"
#include "text/verify_text.h"

namespace goleakd::daemon {
namespace {

using verify::ExitCodes;

Result<verify::Baseline> read_baseline(const std::string& path) {
  if (path.empty()) return verify::Baseline();
  auto text = read_file(path, "opening the baseline");
  if (!text) return fail(text.error());
  auto baseline = verify::Baseline::parse(*std::move(text));
  if (!baseline) return fail(baseline.error().within(path));
  return baseline;
}

Result<void> write_file(const std::string& path, const std::string& text) {
  auto file = OutputFile::open(path);
  if (!file) return fail(file.error());
  file->write(text);
  return file->finish();
}

// The command is not to see that its signals are held back here.
Result<sigset_t> hold_signals(sigset_t& before) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) ::sigaddset(&signals, number);
  if (::sigprocmask(SIG_BLOCK, &signals, &before) != 0) {
    return fail(Error::from_errno(errno, "blocking signals"));
  }
  return signals;
}

int not_started(const std::string& command, int error) {
  std::fprintf(stderr, "goleakd: verify: %s: %s\n", command.c_str(),
               error == ENOENT ? "there is no such command" : std::strerror(error));
  return error == ENOENT ? ExitCodes::kNotFound : ExitCodes::kNotExecutable;
}

Result<void> write_baseline(const VerifyOptions& options, verify::Report& report) {
  if (options.write_baseline.empty()) return {};
  verify::Baseline found;
  for (const verify::Program& program : report.programs) {
    for (const verify::Leak& leak : program.left.leaks) found.add(program.package, leak);
  }
  report.baseline_written = true;
  return write_file(options.write_baseline, found.text());
}

// Where nothing leaks and all was judged, the command's own output stays as it would be without us.
Result<void> write_report(const VerifyOptions& options, const verify::Report& report, int code) {
  const bool wanted = options.verbose || !options.output.empty() || options.format == Format::json;
  if (!wanted && report.leaked() == 0 && !text::verify_remarks(report)) return {};
  if (options.format == Format::json) {
    const std::string document = text::to_text(text::verify_json(report, code));
    if (!options.output.empty()) return write_file(options.output, document);
    std::fputs(document.c_str(), stderr);
    return {};
  }
  if (!options.output.empty()) return write_file(options.output, text::verify_text(report, false));
  std::fputs(("goleakd verify:\n" + text::verify_text(report, wants_color(STDERR_FILENO))).c_str(), stderr);
  return {};
}

}  // namespace

Result<int> verify_command(const VerifyOptions& options) {
  auto baseline = read_baseline(options.baseline);
  if (!baseline) return fail(baseline.error());
  if (auto ok = ExitNotices::supported(); !ok) return fail(ok.error());
  sigset_t before;
  const auto signals = hold_signals(before);
  if (!signals) return fail(signals.error());
  auto command = start_gated(options.command, before);
  if (!command) return fail(command.error());
  if (command->not_started != 0) return not_started(options.command.front(), command->not_started);

  verify::Report report;
  report.version = version();
  report.command = options.command;
  report.settle = options.settle;
  const GateOptions gate_options{.rules = options.rules,
                                 .baseline = std::move(*baseline),
                                 .only = options.only,
                                 .settle = options.settle,
                                 .run_on_failure = options.run_on_failure};
  {
    auto gate = ExitGate::make(std::move(*command), *signals, gate_options, report);
    if (!gate) return fail(gate.error());
    if (auto ok = (*gate)->run(); !ok) return fail(ok.error());
  }
  if (options.only.empty()) verify::keep_test_binaries(report);
  if (auto ok = write_baseline(options, report); !ok) return fail(ok.error());
  const int code = verify::exit_code(report, options.leaks_code);
  if (auto ok = write_report(options, report, code); !ok) return fail(ok.error());
  if (!options.junit.empty()) {
    if (auto ok = write_file(options.junit, junit::verify_junit(report)); !ok) return fail(ok.error());
  }
  return code;
}

}  // namespace goleakd::daemon

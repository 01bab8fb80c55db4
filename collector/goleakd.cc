// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <string>

#include "base/duration.h"
#include "daemon/commands.h"

namespace {

using goleakd::Result;
namespace daemon_room = goleakd::daemon;

constexpr int kUsage = 2;

CLI::Option* add_format(CLI::App* command, daemon_room::Format& format) {
  static const std::map<std::string, daemon_room::Format> kFormats{{"text", daemon_room::Format::text},
                                                                   {"json", daemon_room::Format::json}};
  return command->add_option("--format", format, "text (default) or json")
      ->transform(CLI::CheckedTransformer(kFormats));
}

int command_line(int argc, char** argv) {
  CLI::App app("Finds goroutine leaks in running Go programs, from outside.");
  app.require_subcommand(1);
  std::function<Result<void>()> chosen;

  daemon_room::RunOptions run;
  auto* run_command = app.add_subcommand("run", "the daemon: watches every Go process of this host");
  run_command->add_option("--config", run.config,
                          "configuration file (default: /etc/goleakd/goleakd.yaml when it exists)");
  run_command->add_flag("--check-config", run.check_config,
                        "say whether the configuration is valid, and do nothing else");
  run_command->callback([&] { chosen = [&] { return daemon_room::run(run); }; });

  daemon_room::Format list_format{};
  auto* list_command = app.add_subcommand("list", "Go processes on this host, and how each can be watched");
  add_format(list_command, list_format);
  list_command->callback([&] { chosen = [&] { return daemon_room::list(list_format); }; });

  int dump_pid = 0;
  daemon_room::Format dump_format{};
  auto* dump_command = app.add_subcommand("dump", "every goroutine of a process with its stack, as a Go traceback");
  dump_command->add_option("pid", dump_pid, "the process")->required()->check(CLI::PositiveNumber);
  add_format(dump_command, dump_format);
  dump_command->callback([&] { chosen = [&] { return daemon_room::dump(dump_pid, dump_format); }; });

  daemon_room::LeaksOptions leaks;
  int leaks_pid = 0;
  std::string watch_for;
  auto* leaks_command = app.add_subcommand("leaks", "the leaks that were found, with evidence, cause and advice");
  auto* pid_option = leaks_command->add_option("pid", leaks_pid, "of this process only")->check(CLI::PositiveNumber);
  auto* socket_option = leaks_command->add_option("--socket", leaks.socket, "the daemon's socket");
  leaks_command->add_option("--for", watch_for, "without a daemon: watch the process for this long (default 1m)");
  add_format(leaks_command, leaks.format);
  leaks_command->callback([&] {
    chosen = [&]() -> Result<void> {
      if (pid_option->count() > 0) leaks.pid = leaks_pid;
      leaks.socket_given = socket_option->count() > 0;
      if (!watch_for.empty()) {
        const auto duration = goleakd::parse_duration(watch_for);
        if (!duration) return goleakd::fail(duration.error().within("--for"));
        if (*duration < std::chrono::seconds(10)) {
          return goleakd::fail(goleakd::ErrorKind::invalid, "--for: 10s is the least that can show growth");
        }
        leaks.watch_for = *duration;
      }
      return daemon_room::leaks(leaks);
    };
  });

  app.add_subcommand("version", "version and supported Go versions")->callback([&] {
    chosen = []() -> Result<void> {
      std::fputs(daemon_room::version_text().c_str(), stdout);
      return {};
    };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {  // also --help, whose exit code is 0
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  const auto done = chosen();
  if (done) return 0;
  std::fprintf(stderr, "goleakd: %s\n", done.error().message().c_str());
  return daemon_room::exit_code(done.error());
}

}  // namespace

// Expected failure is a value everywhere; what still throws (no memory, a fault in a library) ends here, with its
// words.
int main(int argc, char** argv) {
  try {
    return command_line(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "goleakd: %s\n", e.what());
    return 1;
  }
}

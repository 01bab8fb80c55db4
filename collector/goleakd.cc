// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "accept_command_line.h"
#include "base/duration.h"
#include "daemon/check.h"
#include "daemon/commands.h"
#include "verify_command_line.h"

namespace {

using goleakd::ErrorKind;
using goleakd::fail;
using goleakd::Result;
using goleakd::ledger::GroupBy;
namespace daemon_room = goleakd::daemon;

constexpr int kUsage = 2;

CLI::Option* add_format(CLI::App* command, daemon_room::Format& format) {
  static const std::map<std::string, daemon_room::Format> kFormats{{"text", daemon_room::Format::text},
                                                                   {"json", daemon_room::Format::json}};
  return command->add_option("--format", format, "text (default) or json")
      ->transform(CLI::CheckedTransformer(kFormats));
}

// What the options of `dump` were given as, until they are known to be complete.
struct DumpWords {
  int pid = 0;
  std::vector<std::string> with;
  std::vector<std::string> without;
  std::string object;
  std::string min_wait;
};

Result<void> add_filters(const DumpWords& words, goleakd::ledger::GoroutineFilter& filter) {
  for (const bool wanted : {true, false}) {
    for (const std::string& condition : wanted ? words.with : words.without) {
      auto parsed = goleakd::ledger::GoroutineCondition::parse(condition, wanted);
      if (!parsed) return fail(parsed.error().within(wanted ? "--with" : "--without"));
      filter.conditions.push_back(std::move(*parsed));
    }
  }
  if (!words.object.empty()) {
    std::string_view digits = words.object;
    if (digits.starts_with("0x")) digits.remove_prefix(2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), filter.object, 16);
    if (error != std::errc() || end != digits.data() + digits.size() || filter.object == 0) {
      return fail(ErrorKind::invalid, "--object: \"" + words.object + "\" is not an address such as 0xc000012345");
    }
  }
  if (!words.min_wait.empty()) {
    const auto duration = goleakd::parse_duration(words.min_wait);
    if (!duration) return fail(duration.error().within("--min-wait"));
    if (*duration < std::chrono::minutes(1)) {
      return fail(ErrorKind::invalid, "--min-wait: 1m is the least: waiting is counted in minutes");
    }
    filter.min_wait = *duration;
  }
  return {};
}

void add_dump(CLI::App& app, DumpWords& words, daemon_room::DumpOptions& options,
              std::function<Result<void>()>& chosen) {
  using daemon_room::DumpFormat;
  static const std::map<std::string, DumpFormat> kFormats{
      {"text", DumpFormat::text}, {"json", DumpFormat::json}, {"pprof", DumpFormat::pprof}};
  static const std::map<std::string, GroupBy> kGroups{{"site", GroupBy::site},
                                                      {"state", GroupBy::state},
                                                      {"created", GroupBy::created},
                                                      {"object", GroupBy::object},
                                                      {"stack", GroupBy::stack}};
  auto* command = app.add_subcommand("dump", "every goroutine of a process with its stack, as a Go traceback");
  auto* pid = command->add_option("pid", words.pid, "the process")->check(CLI::PositiveNumber);
  auto* core = command->add_option("--core", options.core, "instead of a process: a core file")->excludes(pid);
  command->add_option("--binary", options.binary, "the core's executable, where it is elsewhere now")->needs(core);
  command->add_option("--format", options.format, "text (default), json, or pprof (for `go tool pprof`)")
      ->transform(CLI::CheckedTransformer(kFormats));
  command->add_option("--output", options.output, "write to this file");
  const std::string kinds =
      "user FUNC (in any frame), current FUNC (in the innermost), created FUNC (by whom), start FUNC (what it runs), "
      "state S, label K[=V], running";
  command->add_option("--with", words.with, "only goroutines with all of these: " + kinds)->type_name("KIND ...");
  command->add_option("--without", words.without, "only goroutines with none of these: as --with")
      ->type_name("KIND ...");
  command->add_option("--min-wait", words.min_wait,
                      "only those that wait at least that long (known once a garbage collection has seen it)");
  command->add_option("--object", words.object, "only those that wait on the object at this address");
  command->add_flag("--system", options.filter.system, "the runtime's own goroutines too");
  command->add_option("--group-by", options.group_by, "site, state, created, object or stack; largest group first")
      ->transform(CLI::CheckedTransformer(kGroups));
  command->add_option("--limit", options.limit, "at most so many goroutines or groups")->check(CLI::PositiveNumber);
  command->add_flag("--details", options.details,
                    "text: also what each waits on, and its labels (always so on a terminal)");
  command->callback([&words, &options, &chosen, pid, core] {
    chosen = [&words, &options, pid, core]() -> Result<void> {
      if (pid->count() == 0 && core->count() == 0) {
        return fail(ErrorKind::invalid, "dump: give a process id, or --core FILE");
      }
      if (pid->count() > 0) options.pid = words.pid;
      if (auto ok = add_filters(words, options.filter); !ok) return ok;
      return daemon_room::dump(options);
    };
  });
}

// "--with user main.work" has two words to one option or, for "running", one: one word for the parser in any case.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    words.emplace_back(argv[i]);
    const bool condition = words.back() == "--with" || words.back() == "--without";
    if (!condition || i + 1 == argc) continue;
    words.emplace_back(argv[++i]);
    if (words.back() != "running" && words.back().find(' ') == std::string::npos && i + 1 < argc) {
      words.back() += std::string(" ") + argv[++i];
    }
  }
  return words;
}

// `verify` runs a command, whose words are its own: what stands behind the first "--" is taken away.
std::vector<std::string> take_command(std::vector<std::string>& words) {
  const auto mark = std::ranges::find(words, "--");
  if (words.empty() || words.front() != "verify" || mark == words.end()) return {};
  std::vector<std::string> command(mark + 1, words.end());
  words.erase(mark, words.end());
  return command;
}

int command_line(int argc, char** argv) {
  const bool verifies = argc > 1 && std::string_view(argv[1]) == "verify";  // and "--with" may be its command's
  std::vector<std::string> words = verifies ? std::vector<std::string>(argv + 1, argv + argc) : arguments(argc, argv);
  const std::vector<std::string> command = take_command(words);
  CLI::App app("Finds goroutine leaks in running Go programs, from outside.");
  app.require_subcommand(1);
  std::function<Result<void>()> chosen;
  int status = 0;

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

  daemon_room::CheckOptions check;
  int check_pid = 0;
  auto* check_command = app.add_subcommand("check", "what this host allows, and how far a process can be watched");
  auto* check_pid_option = check_command->add_option("pid", check_pid, "the process")->check(CLI::PositiveNumber);
  std::string probes_of;
  check_command->add_option("--probes", probes_of, "instead: where the probes would stand in this executable")
      ->type_name("BINARY")
      ->excludes(check_pid_option);
  add_format(check_command, check.format);
  check_command->callback([&] {
    chosen = [&] {
      if (!probes_of.empty()) return daemon_room::check_probes(probes_of, check.format);
      if (check_pid_option->count() > 0) check.pid = check_pid;
      return daemon_room::check(check);
    };
  });

  DumpWords dump_words;
  daemon_room::DumpOptions dump;
  add_dump(app, dump_words, dump, chosen);

  daemon_room::LeaksOptions leaks;
  int leaks_pid = 0;
  std::string watch_for;
  std::string again_every;
  bool from_history = false;
  std::string history_file;
  auto* leaks_command = app.add_subcommand("leaks", "the leaks that were found, with evidence, cause and advice");
  auto* pid_option = leaks_command->add_option("pid", leaks_pid, "of this process only")->check(CLI::PositiveNumber);
  auto* socket_option = leaks_command->add_option("--socket", leaks.socket, "the daemon's socket");
  auto* for_option =
      leaks_command->add_option("--for", watch_for, "without a daemon: watch the process for this long (default 1m)");
  auto* watch_option =
      leaks_command->add_flag("--watch{2s}", again_every, "show them again and again, every 2s or --watch=DURATION")
          ->excludes(for_option);
  auto* history_option = leaks_command
                             ->add_flag("--history", from_history,
                                        "every leak that was ever found: since when, in which versions, its counts")
                             ->excludes(for_option)
                             ->excludes(watch_option)
                             ->excludes(socket_option);
  leaks_command->add_option("--history-file", history_file, "that file (default: as the configuration says)")
      ->needs(history_option);
  add_format(leaks_command, leaks.format);
  leaks_command->callback([&] {
    chosen = [&]() -> Result<void> {
      if (pid_option->count() > 0) leaks.pid = leaks_pid;
      if (from_history) {
        return daemon_room::leaks_history({.pid = leaks.pid, .format = leaks.format, .file = history_file});
      }
      leaks.socket_given = socket_option->count() > 0;
      if (!watch_for.empty()) {
        const auto duration = goleakd::parse_duration(watch_for);
        if (!duration) return fail(duration.error().within("--for"));
        if (*duration < std::chrono::seconds(10)) {
          return fail(ErrorKind::invalid, "--for: 10s is the least that can show growth");
        }
        leaks.watch_for = *duration;
      }
      if (!again_every.empty()) {
        const auto duration = goleakd::parse_duration(again_every);
        if (!duration) return fail(duration.error().within("--watch"));
        if (*duration < std::chrono::milliseconds(100)) {
          return fail(ErrorKind::invalid, "--watch: must be at least 100ms");
        }
        leaks.again_every = *duration;
      }
      return daemon_room::leaks(leaks);
    };
  });

  goleakd::add_accept(app, chosen);
  goleakd::add_verify(app, command, status, chosen);

  app.add_subcommand("version", "version and supported Go versions")->callback([&] {
    chosen = []() -> Result<void> {
      std::fputs(daemon_room::version_text().c_str(), stdout);
      return {};
    };
  });

  try {
    std::ranges::reverse(words);  // as the parser takes them
    app.parse(std::move(words));
  } catch (const CLI::ParseError& e) {  // also --help, whose exit code is 0
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  const auto done = chosen();
  if (done && std::fflush(stdout) != 0) {
    std::perror("goleakd: writing to standard output");
    return 1;
  }
  if (done) return status;
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

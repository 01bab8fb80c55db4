// SPDX-License-Identifier: Apache-2.0
#include "verify_command_line.h"

#include <map>
#include <utility>

#include "base/duration.h"
#include "daemon/commands.h"

namespace goleakd {
namespace {

constexpr const char* kFooter =
    "Exit codes: the command's own where nothing leaks; else\n"
    "  1        goroutines are left (--leaks-code gives another)\n"
    "  2        wrong usage\n"
    "  3        the host does not allow it, or a program could not be judged: the reason is told\n"
    "  4        no Go program was judged, though the command succeeded (go test: -count=1)\n"
    "  126, 127 the command can't be executed, or is not there\n"
    "  128+N    signal N ended the command";

struct Words {
  daemon::VerifyOptions options;
  std::vector<std::string> top;
  std::vector<std::string> any;
  std::vector<std::string> created_by;
  std::string settle;
};

Result<void> add_patterns(const char* option, const std::vector<std::string>& texts,
                          std::vector<verify::NamePattern>& patterns) {
  for (const std::string& text : texts) {
    auto pattern = verify::NamePattern::parse(text);
    if (!pattern) return fail(pattern.error().within(option));
    patterns.push_back(std::move(*pattern));
  }
  return {};
}

Result<void> complete(Words& words) {
  daemon::VerifyOptions& options = words.options;
  if (options.command.empty()) {
    return fail(ErrorKind::invalid, "verify: give the command behind \"--\": goleakd verify [OPTIONS] -- CMD ARGS...");
  }
  if (!words.settle.empty()) {
    const auto settle = parse_duration(words.settle);
    if (!settle) return fail(settle.error().within("--settle"));
    options.settle = *settle;
  }
  if (auto ok = add_patterns("--ignore-top", words.top, options.rules.top); !ok) return ok;
  if (auto ok = add_patterns("--ignore-any", words.any, options.rules.any); !ok) return ok;
  return add_patterns("--ignore-created-by", words.created_by, options.rules.created_by);
}

void add_options(CLI::App& command, Words& words) {
  static const std::map<std::string, daemon::Format> kFormats{{"text", daemon::Format::text},
                                                              {"json", daemon::Format::json}};
  daemon::VerifyOptions& options = words.options;
  command.add_option("--ignore-top", words.top, "not goroutines whose innermost frame is this function")
      ->type_name("FUNC")
      ->allow_extra_args(false);
  command.add_option("--ignore-any", words.any, "not those with any frame in it")->type_name("FUNC");
  command.add_option("--ignore-created-by", words.created_by, "not those that it started; a trailing * is a wildcard")
      ->type_name("FUNC")
      ->allow_extra_args(false);
  command.add_option("--baseline", options.baseline, "accept the leaks of this file")->type_name("FILE");
  command
      .add_option("--write-baseline", options.write_baseline, "write the leaks that are found there, and accept them")
      ->type_name("FILE");
  command.add_option("--settle", words.settle, "how long goroutines have to go away by themselves (default 2s)")
      ->type_name("DURATION");
  command
      .add_option("--only", options.only,
                  "judge only programs whose path, file or main package fits the glob, and them in any case")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  command.add_flag("--run-on-failure", options.run_on_failure, "judge programs that exit with an error, too");
  command.add_option("--format", options.format, "of the report: text (default) or json")
      ->transform(CLI::CheckedTransformer(kFormats));
  command.add_option("--output", options.output, "write the report there, and not to standard error")
      ->type_name("FILE");
  command.add_option("--junit", options.junit, "write the result as JUnit XML, too")->type_name("FILE");
  command.add_option("--leaks-code", options.leaks_code, "exit code for leaks (default 1)")->check(CLI::Range(1, 255));
  command.add_flag("-v,--verbose", options.verbose, "report also when nothing is left");
}

}  // namespace

void add_verify(CLI::App& app, const std::vector<std::string>& command, int& status,
                std::function<Result<void>()>& chosen) {
  auto* verify =
      app.add_subcommand("verify", "run -- CMD ARGS..., and fail if a Go program in it leaves goroutines at its end");
  verify->footer(kFooter);
  const auto words = std::make_shared<Words>();
  add_options(*verify, *words);
  verify->callback([words, &command, &status, &chosen] {
    chosen = [words, &command, &status]() -> Result<void> {
      words->options.command = command;
      if (auto ok = complete(*words); !ok) return ok;
      const auto code = daemon::verify_command(words->options);
      if (!code) return fail(code.error());
      status = *code;
      return {};
    };
  });
}

}  // namespace goleakd

// SPDX-License-Identifier: Apache-2.0
#include "accept_command_line.h"

#include <chrono>
#include <memory>
#include <string>

#include "base/day.h"
#include "daemon/commands.h"

namespace goleakd {
namespace {

struct Words {
  daemon::AcceptOptions options;
  int pid = 0;
  std::string until;
  std::uint64_t up_to = 0;
};

Result<void> complete(Words& words) {
  daemon::AcceptOptions& options = words.options;
  if (options.reason.empty()) return fail(ErrorKind::invalid, "--reason: must not be empty");
  if (words.pid != 0) options.pid = words.pid;
  if (words.up_to != 0) options.up_to = words.up_to;
  if (words.until.empty()) return {};
  options.until = parse_day(words.until);
  if (!options.until) return fail(ErrorKind::invalid, "--until: must be a day, as 2027-01-31");
  if (*options.until <= std::chrono::system_clock::now()) {
    return fail(ErrorKind::invalid, "--until: must be a day to come");
  }
  return {};
}

}  // namespace

void add_accept(CLI::App& app, std::function<Result<void>()>& chosen) {
  const auto words = std::make_shared<Words>();
  daemon::AcceptOptions& options = words->options;
  auto* command = app.add_subcommand(
      "accept",
      "leave the leaks that there are now alone, until they grow: writes rules for the daemon's configuration");
  command->add_option("pid", words->pid, "only those of this process")->check(CLI::PositiveNumber);
  command->add_option("--reason", options.reason, "why: it is shown wherever they are")->required()->type_name("TEXT");
  command->add_option("--leak", options.leaks, "only this one, by its id; may be given again")->type_name("ID");
  command->add_option("--until", words->until, "tell of them again from this day on")->type_name("YYYY-MM-DD");
  command->add_option("--up-to", words->up_to, "goroutines of each in one process (default: the most that there were)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{0xffffffff}))
      ->type_name("N");
  auto* config =
      command->add_option("--config", options.config,
                          "the daemon's configuration file: the rules go to the folder of drop-ins beside it "
                          "(default: /etc/goleakd/goleakd.yaml, to /etc/goleakd/goleakd.d)");
  command->add_option("--output", options.output, "write them to this file instead; - is standard output")
      ->type_name("FILE")
      ->excludes(config);
  command->add_option("--socket", options.socket, "the daemon's socket");
  command->callback([words, &chosen] {
    chosen = [words]() -> Result<void> {
      if (auto ok = complete(*words); !ok) return ok;
      return daemon::accept(words->options);
    };
  });
}

}  // namespace goleakd

// SPDX-License-Identifier: Apache-2.0
#include "daemon/check.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/check_host.h"
#include "daemon/check_process.h"
#include "target/process.h"
#include "text/check.h"
#include "text/json.h"

namespace goleakd::daemon {
namespace {

using text::CheckItem;
using State = CheckItem::State;
using Items = std::vector<CheckItem>;

Result<void> verdict_on(const std::string& what, const Items& items) {
  std::string names;
  for (const CheckItem& item : items) {
    if (item.state == State::missing) names += (names.empty() ? "" : ", ") + item.name;
  }
  if (names.empty()) return {};
  return fail(ErrorKind::unsupported, what + " does not allow all that goleakd does: " + names);
}

}  // namespace

Result<void> check(const CheckOptions& options) {
  const target::Procfs proc;
  const HostCheck host = check_host(proc);
  text::CheckReport report{.host = host.items, .pid = options.pid, .process = {}};
  Result<void> outcome = verdict_on("this host", report.host);
  if (options.pid) {
    target::BinaryCache binaries;
    auto process = target::GoProcess::open(proc, binaries, *options.pid);
    if (process) {
      report.process = check_process(proc, std::make_shared<const target::GoProcess>(std::move(*process)), host);
      outcome = verdict_on("process " + std::to_string(*options.pid), report.process);
    } else {
      report.process = {
          {.name = "can be watched", .state = State::missing, .found = process.error().message(), .remedy = ""}};
      outcome = fail(process.error());
    }
  }
  const std::string text =
      options.format == Format::json ? text::to_text(text::check_json(report)) : text::check_text(report);
  std::fputs(text.c_str(), stdout);
  return outcome;
}

}  // namespace goleakd::daemon

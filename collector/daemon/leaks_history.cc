// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "daemon/commands.h"
#include "daemon/config_files.h"
#include "daemon/output_file.h"
#include "history/file.h"
#include "history/view.h"
#include "text/history_json.h"
#include "text/history_text.h"
#include "text/json.h"

namespace goleakd::daemon {
namespace {

Result<std::string> file_of(const LeaksHistoryOptions& options) {
  if (!options.file.empty()) return options.file;
  const auto config = load_config("");
  if (!config) return fail(config.error());
  return config->history.path;
}

}  // namespace

Result<void> leaks_history(const LeaksHistoryOptions& options) {
  const auto path = file_of(options);
  if (!path) return fail(path.error());
  auto database = history::open_file_to_read(*path);
  if (!database) return fail(database.error().within("history"));
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const history::Seconds now = std::chrono::duration_cast<std::chrono::seconds>(wall).count();
  const auto view = history::read_view(*database, options.pid, now);
  if (!view) return fail(view.error().within("history"));
  const std::string text = options.format == Format::json ? text::to_text(text::history_json(*view, now, version()))
                                                          : text::history_text(*view, now, wants_color(STDOUT_FILENO));
  std::fputs(text.c_str(), stdout);
  return {};
}

}  // namespace goleakd::daemon

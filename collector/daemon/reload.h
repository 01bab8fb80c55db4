// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/supervisor.h"
#include "http/server.h"

namespace goleakd::daemon {

struct ReloadPlan {
  Config config;                           // to put in force: as the new one, but for what can't change while it runs
  std::vector<std::string> needs_restart;  // the keys of those that would have changed
};
ReloadPlan plan_reload(const Config& old, Config fresh);

// Reads the configuration again (load_config) and puts it in force, or says what is wrong and leaves everything as it
// is. Rules that have expired are wrong here: somebody is there to take them out. Tells systemd, too.
void reload(const std::string& path, Supervisor& supervisor, http::Server& server);

// Of the daemon's own log; lines that are less important are left out.
void set_log_level(const Config& config);

}  // namespace goleakd::daemon

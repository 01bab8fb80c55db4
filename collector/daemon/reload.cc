// SPDX-License-Identifier: Apache-2.0
#include "daemon/reload.h"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <chrono>
#include <utility>

#include "daemon/config_files.h"

namespace goleakd::daemon {
namespace {

Result<Config> load_anew(const std::string& path) {
  auto config = load_config(path);
  if (config && !config->expired.empty()) return fail(ErrorKind::invalid, config->expired.front());
  return config;
}

void tell_systemd_begin() {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(MonotonicClock::now().time_since_epoch());
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", static_cast<long long>(now.count()));
}

}  // namespace

ReloadPlan plan_reload(const Config& old, Config fresh) {
  std::vector<std::string> needs_restart;
  const auto keep = [&](const char* key, auto& value, const auto& before) {
    if (value == before) return;
    needs_restart.emplace_back(key);
    value = before;
  };
  keep("listen", fresh.listen, old.listen);
  keep("socket", fresh.socket, old.socket);
  keep("mode", fresh.mode, old.mode);
  keep("targets.host_root", fresh.targets.host_root, old.targets.host_root);
  keep("probes.drain_interval", fresh.probes.drain_interval, old.probes.drain_interval);
  keep("probes.ring_bytes", fresh.probes.ring_bytes, old.probes.ring_bytes);
  keep("history", fresh.history, old.history);
  keep("probes.method", fresh.probes.method, old.probes.method);
  return {.config = std::move(fresh), .needs_restart = std::move(needs_restart)};
}

void set_log_level(const Config& config) {
  spdlog::default_logger()->set_level(spdlog::level::from_str(config.log_level));
}

void reload(const std::string& path, Supervisor& supervisor, http::Server& server) {
  tell_systemd_begin();
  if (auto fresh = load_anew(path)) {
    const ReloadPlan plan = plan_reload(supervisor.config(), std::move(*fresh));
    set_log_level(plan.config);
    server.limit_sites(plan.config.sites_per_app);
    supervisor.reload(plan.config);
    for (const std::string& key : plan.needs_restart) {
      spdlog::warn("{} stays as it is until goleakd is started again", key);
    }
    spdlog::info("the configuration is in force as it is now");
    sd_notify(0, "READY=1\nSTATUS=");
  } else {
    const std::string why = "the configuration in force stays, the new one is refused: " + fresh.error().message();
    supervisor.reload_failed();
    spdlog::error("{}", why);
    sd_notify(0, ("READY=1\nSTATUS=" + why).c_str());
  }
}

}  // namespace goleakd::daemon

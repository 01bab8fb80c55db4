// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/config.h"

namespace goleakd::daemon {

inline constexpr const char* kDefaultConfig = "/etc/goleakd/goleakd.yaml";

// Where the drop-ins of a configuration file are: goleakd.d beside goleakd.yaml.
std::string drop_in_folder(const std::string& config);

// The file, and every *.yaml in its folder of drop-ins in the order of their names. `config` empty: the default one,
// which need not be there; neither must drop-ins.
Result<std::vector<ConfigText>> read_config_files(const std::string& config);

// What stands in them. Errors as Config::parse has them.
Result<Config> load_config(const std::string& config);

}  // namespace goleakd::daemon

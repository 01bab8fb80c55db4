// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include "daemon/config.h"
#include "daemon/config_reader.h"

namespace goleakd::daemon {

// What stands under `ignore`, added to what other files have brought.
void read_ignore_rules(ConfigReader& reader, const YAML::Node& node, Config& config);

}  // namespace goleakd::daemon

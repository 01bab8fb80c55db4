// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include "daemon/config.h"
#include "daemon/config_reader.h"

namespace goleakd::daemon {

// What stands under `thresholds`; what does not stays as it is.
void read_thresholds(ConfigReader& reader, const YAML::Node& node, verdict::Thresholds& thresholds);

// What stands under `services`, added to what other files have brought. Comes last: what a service does not set it has
// from the general thresholds of all files.
void read_services(ConfigReader& reader, const YAML::Node& node, Config& config);

}  // namespace goleakd::daemon

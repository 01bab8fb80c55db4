// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace goleakd::target {

// What a process is called in metrics and ids when the configuration does not say: the systemd unit it runs in (without
// ".service"), else the file name of its executable. Sessions, scopes and slices are no service.
std::string service_name(std::string_view cgroup, std::string_view exe);

}  // namespace goleakd::target

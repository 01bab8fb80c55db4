// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "target/container.h"

namespace goleakd::target {

// What a process is called in metrics and ids when the configuration does not say: the systemd unit it runs in, without
// ".service" and, since the instances of a template are replicas of one service, without "@instance"; else its
// container; else the file name of its executable. `group` may have its container's names filled in.
//
// No names are those that are new with each start: ids, and units that systemd-run has numbered. Sessions, scopes and
// slices are no services, nor is the unit of the container runtime that of what runs in the container.
std::string service_name(const CgroupPath& group, std::string_view exe);

}  // namespace goleakd::target

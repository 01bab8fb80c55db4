// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "target/container.h"

namespace goleakd::target {

// Fills in what the files of this host say of a container (name, service, pod, pod_namespace), without asking any
// agent: kubelet's log folders (/var/log/containers, /var/log/pods) and Docker's own record of the container.
// What may not be read, or is not there, stays empty. `host_root` is where the host's file system is seen.
void name_container(Container& container, const std::string& host_root);

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace goleakd::target {

// The container that a process runs in, as far as the host knows it. Texts are empty where they are not known.
struct Container {
  std::string runtime;  // "docker", "containerd", "cri-o", "podman", "lxc", "systemd-nspawn"; "kubernetes" when only
                        // the pod tells, "unknown" for an id that nothing explains
  std::string id;       // the runtime's: 64 hex digits; of lxc and systemd-nspawn the name
  std::string name;     // what people call it (container_names.h)
  std::string service;  // of which it is one replica (Compose, Swarm)
  std::string pod_uid;
  std::string pod;
  std::string pod_namespace;

  bool known() const { return !runtime.empty(); }
  bool operator==(const Container&) const = default;
};

// A path from /proc/PID/cgroup, taken apart at the container that it names: the innermost one, when they are nested.
struct CgroupPath {
  std::string_view outside;  // what is above; the whole path when there is no container
  Container container;       // runtime, id and pod_uid
  std::string_view inside;   // what is below: a container may have a systemd of its own
  bool split = false;        // the container lies inside its own unit (podman's cgroups=split, as Quadlet sets it)
};
CgroupPath parse_cgroup(std::string_view path);

// systemd's escapes in a unit name: "a\x2db" is "a-b".
std::string unescape_unit(std::string_view name);

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "target/procfs.h"

namespace goleakd::target {

// A socket as the kernel's tables tell (proc(5), /proc/PID/net).
struct Socket {
  std::string protocol;  // "tcp", "udp", "unix"
  std::string local;     // "127.0.0.1:80", "[::1]:80"; a path, or "@name"; empty: none
  std::string remote;    // empty: none
  std::string state;     // "ESTABLISHED", "LISTEN", …; empty where there is no such thing
};

// The inode in what a descriptor stands for, "socket:[INODE]"; nothing when it is no socket.
std::optional<std::uint64_t> socket_inode(std::string_view descriptor);

// Those of `inodes` that are in the tables of the network namespace of a process.
std::unordered_map<std::uint64_t, Socket> read_sockets(const Procfs& proc, int pid,
                                                       const std::set<std::uint64_t>& inodes);

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#include "target/sockets.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <vector>

namespace goleakd::target {
namespace {

template <typename T>
std::optional<T> number(std::string_view text, int base = 10) {
  T value{};
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

// At most the fields that are looked at.
std::vector<std::string_view> fields_of(std::string_view line) {
  constexpr std::size_t kLooked = 10;
  std::vector<std::string_view> fields;
  while (fields.size() < kLooked) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find(' '), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return fields;
}

std::string_view state_name(std::string_view number_text) {
  constexpr std::array<std::string_view, 12> kNames{"",           "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
                                                    "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
                                                    "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING"};
  const auto value = number<std::size_t>(number_text, 16);  // include/net/tcp_states.h
  return value && *value < kNames.size() ? kNames[*value] : std::string_view();
}

// "0100007F:1F90": the address in words of this machine's byte order, as they lie in the kernel, and the port. Empty
// for none at all; IPv4 within IPv6 as what it is.
std::string endpoint(std::string_view text) {
  constexpr std::size_t kDigits = 8;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || (colon != kDigits && colon != 4 * kDigits)) return {};
  const auto port = number<std::uint16_t>(text.substr(colon + 1), 16);
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < colon / kDigits; ++i) {
    const auto word = number<std::uint32_t>(text.substr(i * kDigits, kDigits), 16);
    if (!word) return {};
    words[i] = *word;
  }
  const bool none = std::ranges::all_of(words, [](std::uint32_t word) { return word == 0; });
  if (!port || (none && *port == 0)) return {};
  const bool mapped = colon > kDigits && words[0] == 0 && words[1] == 0 && words[2] == htonl(0xffff);
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const std::string port_text = ":" + std::to_string(*port);
  if (colon == kDigits || mapped) {
    ::inet_ntop(AF_INET, mapped ? &words[3] : words.data(), buffer.data(), buffer.size());
    return buffer.data() + port_text;
  }
  ::inet_ntop(AF_INET6, words.data(), buffer.data(), buffer.size());
  return "[" + std::string(buffer.data()) + "]" + port_text;
}

using Inodes = std::set<std::uint64_t>;
using Sockets = std::unordered_map<std::uint64_t, Socket>;

// Calls visit(inode, fields, line) for each line of one of the inodes.
template <typename Visit>
void each_line(const std::string& path, std::size_t inode_field, const Inodes& inodes, const Visit& visit) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);  // the heads of the columns
  while (std::getline(in, line)) {
    const auto fields = fields_of(line);
    if (fields.size() <= inode_field) continue;
    const auto inode = number<std::uint64_t>(fields[inode_field]);
    if (inode && inodes.contains(*inode)) visit(*inode, fields, line);
  }
}

void read_inet(const std::string& path, const std::string& protocol, const Inodes& inodes, Sockets& found) {
  each_line(path, 9, inodes, [&](std::uint64_t inode, const std::vector<std::string_view>& fields, std::string_view) {
    const std::string_view state = state_name(fields[3]);
    found[inode] = {.protocol = protocol,
                    .local = endpoint(fields[1]),
                    .remote = endpoint(fields[2]),
                    // All that UDP knows is whether it has a peer; without one the kernel says CLOSE.
                    .state = std::string(protocol == "udp" && state == "CLOSE" ? "" : state)};
  });
}

// "Num: RefCount Protocol Flags Type St Inode Path"; the path, where there is one, is the rest of the line.
void read_unix(const std::string& path, const Inodes& inodes, Sockets& found) {
  each_line(path, 6, inodes,
            [&](std::uint64_t inode, const std::vector<std::string_view>& fields, std::string_view line) {
              constexpr std::uint32_t kListens = 1U << 16U;  // __SO_ACCEPTCON
              Socket socket{.protocol = "unix", .local = {}, .remote = {}, .state = {}};
              const auto after_inode = static_cast<std::size_t>(fields[6].data() + fields[6].size() - line.data());
              if (after_inode < line.size()) socket.local = line.substr(after_inode + 1);
              if ((number<std::uint32_t>(fields[3], 16).value_or(0) & kListens) != 0) {
                socket.state = "LISTEN";
              } else if (fields[5] == "03") {  // SS_CONNECTED
                socket.state = "ESTABLISHED";
              }
              found[inode] = std::move(socket);
            });
}

}  // namespace

std::optional<std::uint64_t> socket_inode(std::string_view descriptor) {
  constexpr std::string_view kPrefix = "socket:[";
  if (!descriptor.starts_with(kPrefix) || !descriptor.ends_with(']')) return std::nullopt;
  descriptor.remove_prefix(kPrefix.size());
  descriptor.remove_suffix(1);
  return number<std::uint64_t>(descriptor);
}

std::unordered_map<std::uint64_t, Socket> read_sockets(const Procfs& proc, int pid,
                                                       const std::set<std::uint64_t>& inodes) {
  Sockets found;
  if (inodes.empty()) return found;
  for (const std::string protocol : {"tcp", "udp"}) {
    read_inet(proc.socket_table_path(pid, protocol), protocol, inodes, found);
    read_inet(proc.socket_table_path(pid, protocol + "6"), protocol, inodes, found);
  }
  read_unix(proc.socket_table_path(pid, "unix"), inodes, found);
  return found;
}

}  // namespace goleakd::target

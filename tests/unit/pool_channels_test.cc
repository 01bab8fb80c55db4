// SPDX-License-Identifier: Apache-2.0
#include "daemon/pool_channels.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace goleakd::daemon {
namespace {

using ledger::WaitClass;

constexpr std::uint64_t kQueue = 0xc000010000;
constexpr Instant kStart{std::chrono::hours(1)};

ledger::GoroutineState blocked(ledger::Ledger& ledger, ledger::Goid goid, WaitClass wait) {
  ledger::CreationSite site;
  site.function = "main.pool";
  ledger::BlockedPlace place;
  place.function = wait == WaitClass::select ? "main.worker" : "main.confirm";
  place.wait = wait;
  ledger::GoroutineState state;
  state.goid = goid;
  state.creation = ledger.intern(site);
  state.blocked = ledger.intern(place);
  state.state = ledger::RunState::waiting;
  state.wait = wait;
  state.park_identity = 1 + static_cast<std::uint64_t>(wait);
  return state;
}

ledger::ObjectDump channel_case(std::uint64_t address, const char* direction) {
  return {.kind = "channel",
          .address = address,
          .attributes = {{"direction", std::string(direction)},
                         {"element", std::string("main.job")},
                         {"length", std::uint64_t{0}},
                         {"capacity", std::uint64_t{8}}},
          .cases = {}};
}

// Two workers whose select receives from the queue (as memory showed it), then both wait for a lock while it is full.
std::size_t stalled(const char* direction) {
  ledger::Ledger ledger;
  verdict::Stalls stalls(std::chrono::seconds(10));
  Instant now = kStart;
  const auto look = [&](WaitClass wait) {
    now += std::chrono::seconds(5);
    const std::vector states{blocked(ledger, 7, wait), blocked(ledger, 8, wait)};
    ledger.apply({.begin = now, .end = now, .torn = 0, .count = states.size(), .state = [&](std::size_t i) {
                    return states[i];
                  }});
    stalls.observe(ledger, now);
    Inspection inspection;
    inspection.begin = inspection.end = now;
    for (const std::uint64_t address : stalls.channels()) {
      inspection.channels.push_back({.channel = {.address = address, .length = 8, .capacity = 8, .closed = false},
                                     .receive_index = 3,
                                     .element = "main.job",
                                     .senders = false,
                                     .receivers = wait == WaitClass::select});
    }
    for (const ledger::Goid goid : stalls.unclear(Inspection::kMaxGoroutines)) {
      inspection.seen.push_back(
          {.goid = goid,
           .object = {.kind = "select", .address = 0, .attributes = {}, .cases = {channel_case(kQueue, direction)}}});
    }
    tell_stalls(inspection, stalls);
  };
  look(WaitClass::select);
  look(WaitClass::select);
  for (int i = 0; i < 6; ++i) look(WaitClass::mutex);
  return stalls.stalled().size();
}

TEST(PoolChannels, OfASelectAreThoseThatItReceivesFrom) {
  EXPECT_EQ(stalled("receive"), 1U);
  EXPECT_EQ(stalled("send"), 0U);
  EXPECT_EQ(stalled("unknown"), 0U);
}

}  // namespace
}  // namespace goleakd::daemon

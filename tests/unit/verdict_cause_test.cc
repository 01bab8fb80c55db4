// SPDX-License-Identifier: Apache-2.0
// Causes and fixed words.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "ledger_fixture.h"
#include "verdict/cause.h"
#include "verdict/report.h"

namespace goleakd::verdict {
namespace {

using ledger::place;
using ledger::WaitClass;

Group group_at(const ledger::BlockedPlace& where) {
  Group group;
  group.place = &where;
  group.count = 4;
  return group;
}

TEST(Causes, FollowFromTheWait) {
  const std::map<WaitClass, Cause> table{
      {WaitClass::chan_receive, Cause::receive_never_satisfied},
      {WaitClass::chan_send_nil, Cause::nil_channel},
      {WaitClass::chan_receive_nil, Cause::nil_channel},
      {WaitClass::select, Cause::select_without_exit},
      {WaitClass::select_no_cases, Cause::select_no_cases},
      {WaitClass::mutex, Cause::mutex_never_released},
      {WaitClass::rwmutex_read, Cause::mutex_never_released},
      {WaitClass::rwmutex_write, Cause::mutex_never_released},
      {WaitClass::wait_group, Cause::wait_group_never_done},
      {WaitClass::cond, Cause::cond_never_signalled},
      {WaitClass::semaphore, Cause::semaphore_never_released},
      {WaitClass::io, Cause::io_wait},
      {WaitClass::sleep, Cause::sleeping},
      {WaitClass::syscall, Cause::syscall},
      {WaitClass::coroutine, Cause::coroutine_never_stopped},
      {WaitClass::none, Cause::unknown},
      {WaitClass::runtime, Cause::unknown},
      {WaitClass::chan_send, Cause::unknown},  // no channel could be read
  };
  EXPECT_EQ(table.size(), static_cast<std::size_t>(WaitClass::runtime) + 1);
  for (const auto& [wait, cause] : table) {
    const ledger::BlockedPlace where = place("main.f", wait);
    EXPECT_EQ(cause_of(group_at(where), Evidence::growing), cause) << to_string(wait);
  }
}

TEST(Causes, LookAtTheChannelsAndTheLoop) {
  const ledger::BlockedPlace send = place("main.f", WaitClass::chan_send);
  Group group = group_at(send);
  group.with_object = 4;
  group.unbuffered = 4;
  EXPECT_EQ(cause_of(group, Evidence::growing), Cause::send_unbuffered_no_receiver);
  group.unbuffered = 1;
  group.full = 3;
  EXPECT_EQ(cause_of(group, Evidence::growing), Cause::send_buffer_full);

  ledger::BlockedPlace range = place("main.f", WaitClass::chan_receive);
  range.in_loop = true;
  EXPECT_EQ(cause_of(group_at(range), Evidence::growing), Cause::range_never_closed);
}

TEST(Causes, WhatWakesAndDoesNotEndIsALoop) {
  for (const WaitClass wait : {WaitClass::none, WaitClass::sleep, WaitClass::select, WaitClass::chan_receive}) {
    const ledger::BlockedPlace where = place("main.f", wait);
    EXPECT_EQ(cause_of(group_at(where), Evidence::accumulating), Cause::loop_without_exit) << to_string(wait);
    EXPECT_EQ(cause_of(group_at(where), Evidence::spinning), Cause::loop_without_exit) << to_string(wait);
  }
  const ledger::BlockedPlace read = place("main.f", WaitClass::io);
  EXPECT_EQ(cause_of(group_at(read), Evidence::accumulating), Cause::io_wait);
}

// Go 1.19 calls every lock "semacquire".
TEST(Causes, TellLocksApartByTheStack) {
  const auto with_stack = [](const char* function) {
    ledger::BlockedPlace where = place("main.f", WaitClass::semaphore);
    where.stack = std::make_shared<std::vector<ledger::Frame>>(
        std::vector<ledger::Frame>{{"sync.runtime_Semacquire", "", 0}, {function, "", 0}, {"main.f", "", 0}});
    return cause_of(group_at(where), Evidence::growing);
  };
  EXPECT_EQ(with_stack("sync.(*WaitGroup).Wait"), Cause::wait_group_never_done);
  EXPECT_EQ(with_stack("sync.(*Mutex).lockSlow"), Cause::mutex_never_released);
  EXPECT_EQ(with_stack("sync.(*RWMutex).RLock"), Cause::mutex_never_released);
  EXPECT_EQ(with_stack("main.acquire"), Cause::semaphore_never_released);
}

// What Go's own packages start is known by where it stands.
TEST(Causes, KnowWhatPackagesOfGoWaitFor) {
  struct Case {
    const char* created;
    const char* blocked;
    WaitClass wait;
    Cause cause;
  };
  const char* const dial = "net/http.(*Transport).dialConn";
  const std::vector<Case> cases{
      {dial, "net/http.(*persistConn).readLoop", WaitClass::select, Cause::http_body_not_closed},
      {dial, "net.(*netFD).Read", WaitClass::io, Cause::http_connection_unused},
      {dial, "net/http.(*persistConn).writeLoop", WaitClass::select, Cause::http_connection_unused},
      {"main.f", "io.(*pipe).write", WaitClass::select, Cause::pipe_never_closed},
      {"main.f", "io.(*pipe).write", WaitClass::mutex, Cause::mutex_never_released},
      {"main.f", "net.(*pipe).read", WaitClass::select, Cause::pipe_never_closed},
      {"main.f", "net.(*netFD).Read", WaitClass::io, Cause::io_wait},
      {"context.propagateCancel", "context.propagateCancel.func1", WaitClass::select, Cause::context_never_cancelled},
      {"context.(*cancelCtx).propagateCancel", "context.(*cancelCtx).propagateCancel.func2", WaitClass::select,
       Cause::context_never_cancelled},
      {"context.(*cancelCtx).propagateCancel", "main.(*parent).Done", WaitClass::mutex, Cause::mutex_never_released},
      {"database/sql.(*Rows).initContextClose", "database/sql.(*Rows).awaitDone", WaitClass::select,
       Cause::sql_rows_not_closed},
      {"database/sql.(*DB).beginDC", "database/sql.(*Tx).awaitDone", WaitClass::chan_receive,
       Cause::sql_transaction_not_ended},
      {"database/sql.OpenDB", "database/sql.(*DB).connectionOpener", WaitClass::select, Cause::sql_db_not_closed},
      {"main.f", "main.(*pipe).read", WaitClass::select, Cause::select_without_exit},
  };
  for (const Case& expected : cases) {
    const ledger::BlockedPlace where = place(expected.blocked, expected.wait);
    const ledger::CreationSite creation = ledger::creation_site(expected.created);
    Group group = group_at(where);
    group.creation = &creation;
    EXPECT_EQ(cause_of(group, Evidence::growing), expected.cause) << expected.created << " " << expected.blocked;
  }
}

TEST(Causes, AllHaveTheirWords) {
  std::set<std::string_view> words;
  std::set<std::string_view> advice;
  for (int i = 0; i <= static_cast<int>(Cause::unknown); ++i) {
    const auto cause = static_cast<Cause>(i);
    words.insert(to_string(cause));
    advice.insert(advise(cause));
    EXPECT_FALSE(explain(cause).empty());
    EXPECT_EQ(to_string(cause) == "unknown", cause == Cause::unknown);
  }
  EXPECT_EQ(words.size(), static_cast<std::size_t>(Cause::unknown) + 1);
  EXPECT_EQ(advice.size(), words.size());
}

TEST(Words, AreFixed) {
  EXPECT_EQ(to_string(Evidence::forever), "forever");
  EXPECT_EQ(to_string(Evidence::growing), "growing");
  EXPECT_EQ(to_string(Evidence::accumulating), "accumulating");
  EXPECT_EQ(to_string(Evidence::spinning), "spinning");
  EXPECT_EQ(to_string(Evidence::stale), "stale");
  EXPECT_EQ(to_string(Severity::page), "page");
  EXPECT_EQ(to_string(Stage::resolved), "resolved");
  EXPECT_EQ(to_string(Mode::events), "events");
  EXPECT_EQ(to_string(Mode::snapshots), "snapshots");
}

TEST(DurationHistogram, IsCumulative) {
  DurationHistogram histogram;
  histogram.observe(0.001);
  histogram.observe(0.3);
  histogram.observe(10);
  EXPECT_EQ(histogram.cumulative, (std::array<std::uint64_t, 10>{1, 1, 1, 1, 1, 1, 1, 1, 2, 2}));
  EXPECT_EQ(histogram.count, 3U);
  EXPECT_DOUBLE_EQ(histogram.sum, 10.301);
}

}  // namespace
}  // namespace goleakd::verdict

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "verify_fixture.h"

namespace goleakd::verify {
namespace {

using ledger::GoroutineDump;

NamePattern pattern(std::string_view text) { return *NamePattern::parse(text); }

const Ending kProgram{.program = "example.com/a", .tests_of = "", .exiting = 1, .single_processor = false};

TEST(Judge, EveryOtherGoroutineIsALeak) {
  const Left left =
      judged(kProgram, {main_goroutine(), waiting(7, 1, "main.main", "main.work"),
                        waiting(8, 1, "main.main", "main.work"), waiting(9, 1, "main.main", "main.rest")});
  EXPECT_EQ(left.leaked(), 3);
  ASSERT_EQ(left.leaks.size(), 2);
  EXPECT_EQ(left.leaks[0].count, 2);
  EXPECT_EQ(left.leaks[0].goids, (std::vector<ledger::Goid>{7, 8}));
  EXPECT_EQ(left.leaks[0].blocked->function, "main.work");
  EXPECT_EQ(left.leaks[0].created->line, 20);
  EXPECT_EQ(left.leaks[0].wait, ledger::WaitClass::chan_receive);
  EXPECT_EQ(left.leaks[0].example.goid, 7);
  EXPECT_FALSE(left.clean());
}

TEST(Judge, RunningOnesToo) {
  GoroutineDump g = waiting(7, 1, "main.main", "main.spin");
  g.frames.clear();
  g.state = "running";
  const Left left = judged(kProgram, {main_goroutine(), g});
  ASSERT_EQ(left.leaks.size(), 1);
  EXPECT_FALSE(left.leaks[0].blocked);
}

TEST(Judge, MainAndTheOneThatExitsAreNone) {
  Ending ending = kProgram;
  EXPECT_TRUE(judged(ending, {main_goroutine()}).clean());
  GoroutineDump handler = waiting(5, 1, "main.main", "main.handle");
  handler.state = "running";
  EXPECT_FALSE(judged(ending, {main_goroutine(), handler}).clean());
  ending.exiting = 5;
  EXPECT_TRUE(judged(ending, {main_goroutine(), handler}).clean());
}

TEST(Judge, WhatGoKeepsIsNone) {
  GoroutineDump own = waiting(2, 1, "runtime.init.0", "runtime.forcegchelper");
  own.system = true;
  EXPECT_TRUE(judged(kProgram, {own}).clean());
  for (const char* top : {"testing.(*T).Run", "testing.(*T).Parallel", "os/signal.signal_recv", "os/signal.loop"}) {
    EXPECT_TRUE(judged(kProgram, {waiting(7, 1, "x.y", top)}).clean()) << top;
  }
  for (const char* any : {"runtime.ReadTrace", "runtime/pprof.profileWriter", "runtime.ensureSigM"}) {
    GoroutineDump g = waiting(7, 1, "x.y", any);
    g.frames.insert(g.frames.begin() + 2, frame("time.Sleep"));
    EXPECT_TRUE(judged(kProgram, {g}).clean()) << any;
  }
  // The test runner waits for a test; what sleeps in a function of the same name does not.
  GoroutineDump asleep = waiting(7, 1, "x.y", "testing.(*T).Run");
  asleep.state = "sleep";
  EXPECT_FALSE(judged(kProgram, {asleep}).clean());
  GoroutineDump of_c = waiting(17, 0, "", "main.callback");
  of_c.created_by.reset();
  of_c.started.clear();
  EXPECT_TRUE(judged(kProgram, {of_c}).clean());
}

TEST(Judge, IgnoresAsGoleakDoes) {
  GoroutineDump g = waiting(7, 1, "main.start", "main.work");
  g.frames.insert(g.frames.begin() + 2, frame("time.Sleep"));
  const auto left_with = [&](const IgnoreRules& rules) { return judged(kProgram, {g}, rules); };
  EXPECT_TRUE(left_with({.top = {pattern("time.Sleep")}, .any = {}, .created_by = {}}).clean());
  EXPECT_EQ(left_with({.top = {pattern("time.Sleep")}, .any = {}, .created_by = {}}).ignored, 1);
  EXPECT_FALSE(left_with({.top = {pattern("main.work")}, .any = {}, .created_by = {}}).clean());
  EXPECT_FALSE(left_with({.top = {pattern("runtime.gopark")}, .any = {}, .created_by = {}}).clean());  // not shown
  EXPECT_TRUE(left_with({.top = {}, .any = {pattern("main.work")}, .created_by = {}}).clean());
  EXPECT_TRUE(left_with({.top = {}, .any = {pattern("main.w*")}, .created_by = {}}).clean());
  EXPECT_FALSE(left_with({.top = {}, .any = {pattern("main.w")}, .created_by = {}}).clean());
  EXPECT_FALSE(left_with({.top = {}, .any = {pattern("main.start")}, .created_by = {}}).clean());
  EXPECT_TRUE(left_with({.top = {}, .any = {}, .created_by = {pattern("main.start")}}).clean());
  EXPECT_FALSE(left_with({.top = {}, .any = {}, .created_by = {pattern("main.work")}}).clean());
}

TEST(NamePattern, AStarIsAWildcardOnlyAtTheEnd) {
  EXPECT_TRUE(pattern("net/http.(*persistConn).readLoop").matches("net/http.(*persistConn).readLoop"));
  EXPECT_TRUE(pattern("net/http.(*persist*").matches("net/http.(*persistConn).readLoop"));
  EXPECT_FALSE(pattern("net/http.(*").matches("net/http.serve"));
  for (const char* text : {"", "*"}) {
    const auto refused = NamePattern::parse(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().kind(), ErrorKind::invalid);
  }
}

TEST(Judge, WithoutAProcessorTheReadyOnesAreNotBlamed) {
  Ending ending = kProgram;
  GoroutineDump ready = waiting(7, 1, "main.main", "main.work");
  ready.state = "runnable";
  EXPECT_EQ(judged(ending, {ready}).leaked(), 1);
  ending.single_processor = true;
  const Left left = judged(ending, {ready, waiting(8, 1, "main.main", "main.work")});
  EXPECT_EQ(left.could_not_run, 1);
  EXPECT_EQ(left.leaked(), 1);
}

TEST(Baseline, AcceptsWhatItHasWritten) {
  const std::vector<GoroutineDump> goroutines{waiting(7, 1, "main.main", "main.work"),
                                              waiting(8, 1, "main.main", "main.rest")};
  const Left before = judged(kProgram, goroutines);
  Baseline written;
  written.add(kProgram.program, before.leaks[0]);
  const auto read = Baseline::parse("# why: see issue 7\n\n" + written.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), 1);
  const Left after = judged(kProgram, goroutines, {}, *read);
  EXPECT_EQ(after.leaked(), 1);
  EXPECT_EQ(after.leaks[0].accepted, after.leaks[0].blocked->function == "main.work");
  Ending other = kProgram;
  other.program = "example.com/b";
  EXPECT_EQ(judged(other, goroutines, {}, *read).leaked(), 2);
}

TEST(Baseline, SaysWhichLineIsWrong) {
  for (const char* text : {"# ok\nexample.com/a\tmain.main\tmain.work\n", "\n1\t2\t3\t4\t5\n"}) {
    const auto refused = Baseline::parse(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().message().find("line 2"), std::string::npos) << refused.error().message();
  }
}

TEST(Baseline, NamesMakeNoFieldsOfTheirOwn) {
  const Left left = judged(kProgram, {waiting(7, 1, "main.main\tx\ny", "main.work")});
  Baseline written;
  written.add(kProgram.program, left.leaks[0]);
  const auto read = Baseline::parse(written.text());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->has(kProgram.program, left.leaks[0]));
}

}  // namespace
}  // namespace goleakd::verify

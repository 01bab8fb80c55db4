// SPDX-License-Identifier: Apache-2.0
// Where probes stand in a program, above all in one that a profile (PGO) has made the compiler inline the runtime's
// functions in.
#include "probe/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "runtime_functions_fixture.h"
#include "target/go_binary.h"

namespace goleakd::probe {
namespace {

using Fixture = RuntimeFunctionsFixture;
using Function = Fixture::Function;

// A program of Go 1.27, as it comes without a profile; a test changes its functions.
class ProbePlan : public ::testing::Test {
 protected:
  ProbePlan() {
    for (const char* name : {"runtime.casgstatus",
                             "runtime.runqput",
                             "runtime.mcall",
                             "runtime.gopark",
                             "runtime.park_m",
                             "runtime.newproc",
                             "runtime.chansend",
                             "runtime.chansend1",
                             "runtime.chanrecv",
                             "runtime.closechan",
                             "runtime.selectgo",
                             "runtime.semacquire1",
                             "runtime.semrelease1",
                             "sync.runtime_notifyListNotifyOne",
                             "sync.runtime_notifyListNotifyAll",
                             "time.Sleep",
                             "runtime.goexit0",
                             "runtime.gopanic",
                             "runtime.recovery",
                             "runtime.fatalpanic",
                             "runtime.fatal",
                             "runtime.throw",
                             "main.main"}) {
      functions[name] = {.name = name};
    }
    for (const char* name :
         {"runtime.newproc1", "runtime.gdestroy", "runtime.ready", "runtime.injectglist", "runtime.findRunnable"}) {
      functions[name] = {.name = name, .calls = {"runtime.casgstatus"}};
    }
    functions["runtime.newproc.func1"] = {.name = "runtime.newproc.func1",
                                          .calls = {"runtime.newproc1", "runtime.runqput"}};
    functions["runtime.goready.func1"] = {.name = "runtime.goready.func1", .calls = {"runtime.ready"}};
    functions["main.main"].package = Fixture::Package::other;
  }

  // What the compiler does: the callee's own calls stand in the caller instead.
  void inline_into(const std::string& caller, const std::string& callee) {
    std::vector<std::string>& calls = functions[caller].calls;
    std::erase(calls, callee);
    calls.insert(calls.end(), functions[callee].calls.begin(), functions[callee].calls.end());
    functions[caller].inlined.push_back(callee);
  }

  void make() {
    std::vector<Function> all;
    for (const auto& [name, function] : functions) all.push_back(function);
    fixture.emplace(all);
    const auto binary = target::GoBinary::open(GoProgramFixture::file(fixture->program("go1.27.4")), "fixture");
    ASSERT_TRUE(binary) << binary.error().message();
    plan = plan_probes(**binary);
  }

  // The point, or those of that kind whose place is in `function`.
  const PlannedPoint& point(const std::string& function) const {
    const auto is_it = [&](const PlannedPoint& point) { return point.row.place.function == function; };
    return *std::ranges::find_if(plan.points, is_it);
  }

  struct Chosen {
    goleakd_point point;
    std::string function;
    std::uint64_t offset;
    bool operator==(const Chosen&) const = default;
  };
  std::vector<Chosen> chosen(const std::string& function) const {
    std::vector<Chosen> all;
    for (const Probe& probe : point(function).probes) {
      all.push_back({probe.point, probe.function, probe.site.address - fixture->address(probe.function)});
    }
    return all;
  }

  std::map<std::string, Function> functions;
  std::optional<Fixture> fixture;
  Plan plan;
};

constexpr std::uint64_t kPush = Fixture::kPush;
constexpr std::uint64_t kFirstCall = Fixture::kCalls;
constexpr std::uint64_t kSecondCall = Fixture::kCalls + Fixture::kCall;

TEST_F(ProbePlan, WithoutAProfileEveryPointIsInItsPlace) {
  make();
  for (const PlannedPoint& point : plan.points) {
    EXPECT_EQ(point.refused, "");
    EXPECT_EQ(point.otherwise, "");
    ASSERT_EQ(point.probes.size(), 1U) << point.row.place.function;
    EXPECT_EQ(point.probes[0].function, point.row.place.function);
    EXPECT_EQ(point.probes[0].callee, point.row.place.callee);
    EXPECT_EQ(point.probes[0].point, point.row.place.point);
  }
  EXPECT_EQ(chosen("runtime.gopark"), (std::vector<Chosen>{{GOLEAKD_GOPARK, "runtime.gopark", kPush}}));
  EXPECT_EQ(chosen("runtime.newproc1"),
            (std::vector<Chosen>{{GOLEAKD_NEWPROC1_CASGSTATUS, "runtime.newproc1", kFirstCall}}));
  EXPECT_TRUE(plan.has(Group::spawn_exit));
  EXPECT_TRUE(plan.has(Group::park_unpark));
}

TEST_F(ProbePlan, WhereGoparkWasInlinedParksAreSeenInParkM) {
  inline_into("runtime.chansend", "runtime.gopark");
  make();
  EXPECT_EQ(chosen("runtime.gopark"), (std::vector<Chosen>{{GOLEAKD_PARK_M, "runtime.park_m", kPush}}));
  EXPECT_EQ(point("runtime.gopark").otherwise, "runtime.gopark was inlined into runtime.chansend");
  EXPECT_TRUE(plan.has(Group::park_unpark));
}

// casgstatus is inlined into its callers by the same profiles.
TEST_F(ProbePlan, ParkMNeedsNoCallThatMayHaveBeenInlined) {
  inline_into("runtime.chansend", "runtime.gopark");
  inline_into("runtime.park_m", "runtime.casgstatus");
  make();
  EXPECT_EQ(chosen("runtime.gopark"), (std::vector<Chosen>{{GOLEAKD_PARK_M, "runtime.park_m", kPush}}));
}

// It is runtime.timeSleep, which the linker gives another name.
TEST_F(ProbePlan, FunctionsOfTheRuntimeCountByTheirPackageNotByTheirName) {
  inline_into("time.Sleep", "runtime.gopark");
  make();
  EXPECT_EQ(point("runtime.gopark").otherwise, "runtime.gopark was inlined into time.Sleep");
  EXPECT_EQ(chosen("runtime.gopark"), (std::vector<Chosen>{{GOLEAKD_PARK_M, "runtime.park_m", kPush}}));
}

TEST_F(ProbePlan, WhereReadyWasInlinedItIsSeenAtItsEntryAndInEachCopy) {
  inline_into("runtime.goready.func1", "runtime.ready");
  make();
  EXPECT_EQ(chosen("runtime.ready"),
            (std::vector<Chosen>{{GOLEAKD_READY, "runtime.ready", kPush},
                                 {GOLEAKD_CASGSTATUS_WAKE, "runtime.goready.func1", kFirstCall}}));
  EXPECT_EQ(point("runtime.ready").otherwise, "runtime.ready was inlined into runtime.goready.func1");
}

// The compiler inlines no further into what it has inlined: a copy has the call that the function itself has no more.
TEST_F(ProbePlan, WhatWasInlinedIntoReadyItselfDoesNotMatterToItsCopies) {
  inline_into("runtime.goready.func1", "runtime.ready");
  inline_into("runtime.ready", "runtime.casgstatus");
  make();
  EXPECT_EQ(chosen("runtime.ready"),
            (std::vector<Chosen>{{GOLEAKD_READY, "runtime.ready", kPush},
                                 {GOLEAKD_CASGSTATUS_WAKE, "runtime.goready.func1", kFirstCall}}));
  EXPECT_TRUE(plan.has(Group::park_unpark));
}

TEST_F(ProbePlan, WhereNobodyCallsReadyAnyMoreItsCopiesAreSeen) {
  inline_into("runtime.goready.func1", "runtime.ready");
  functions.erase("runtime.ready");
  make();
  EXPECT_EQ(chosen("runtime.ready"),
            (std::vector<Chosen>{{GOLEAKD_CASGSTATUS_WAKE, "runtime.goready.func1", kFirstCall}}));
}

TEST_F(ProbePlan, APrologueThatIsNotKnownIsDoneWithout) {
  functions["runtime.ready"].prologue = Fixture::Prologue::unknown;
  functions["runtime.gopark"].prologue = Fixture::Prologue::unknown;
  make();
  EXPECT_EQ(chosen("runtime.ready"), (std::vector<Chosen>{{GOLEAKD_CASGSTATUS_WAKE, "runtime.ready", kFirstCall}}));
  EXPECT_EQ(chosen("runtime.gopark"), (std::vector<Chosen>{{GOLEAKD_PARK_M, "runtime.park_m", kPush}}));
}

TEST_F(ProbePlan, ACallInTwoRowsOfTheTableIsProbedOnce) {
  inline_into("runtime.findRunnable", "runtime.ready");
  make();
  EXPECT_EQ(chosen("runtime.ready"),
            (std::vector<Chosen>{{GOLEAKD_READY, "runtime.ready", kPush},
                                 {GOLEAKD_CASGSTATUS_WAKE, "runtime.findRunnable", kFirstCall},
                                 {GOLEAKD_CASGSTATUS_WAKE, "runtime.findRunnable", kSecondCall}}));
  EXPECT_TRUE(chosen("runtime.findRunnable").empty());
  EXPECT_TRUE(plan.has(Group::park_unpark));
}

TEST_F(ProbePlan, WhereGdestroyWasInlinedExitsAreSeenInEachCopy) {
  inline_into("runtime.goexit0", "runtime.gdestroy");
  inline_into("runtime.gdestroy", "runtime.casgstatus");
  make();
  EXPECT_EQ(chosen("runtime.gdestroy"),
            (std::vector<Chosen>{{GOLEAKD_GDESTROY, "runtime.gdestroy", kPush},
                                 {GOLEAKD_CASGSTATUS_EXIT, "runtime.goexit0", kFirstCall}}));
}

TEST_F(ProbePlan, WhereNewproc1CallsNothingSpawnsAreSeenWhenTheyAreQueued) {
  inline_into("runtime.newproc1", "runtime.casgstatus");
  make();
  EXPECT_EQ(chosen("runtime.newproc1"),
            (std::vector<Chosen>{{GOLEAKD_NEWPROC_RUNQPUT, "runtime.newproc.func1", kSecondCall}}));
  EXPECT_EQ(point("runtime.newproc1").otherwise, "runtime.casgstatus was inlined into runtime.newproc1");
}

TEST_F(ProbePlan, WithoutAnyPlaceTheGroupIsRefusedWithTheReason) {
  inline_into("runtime.injectglist", "runtime.casgstatus");
  make();
  EXPECT_EQ(plan.why_not(Group::park_unpark), "runtime.casgstatus was inlined into runtime.injectglist");
  EXPECT_TRUE(plan.has(Group::spawn_exit));

  inline_into("runtime.newproc1", "runtime.casgstatus");
  inline_into("runtime.newproc.func1", "runtime.runqput");
  make();
  EXPECT_EQ(plan.why_not(Group::spawn_exit), "runtime.runqput was inlined into runtime.newproc.func1");
}

TEST_F(ProbePlan, EachWayToDieStandsForItself) {
  functions["runtime.throw"].prologue = Fixture::Prologue::unknown;
  functions.erase("runtime.fatal");
  make();
  EXPECT_TRUE(plan.has(Group::deaths));
  EXPECT_EQ(chosen("runtime.fatalpanic"), (std::vector<Chosen>{{GOLEAKD_AT_FATALPANIC, "runtime.fatalpanic", kPush}}));
  EXPECT_NE(point("runtime.throw").refused, "");
  EXPECT_EQ(point("runtime.fatal").refused, "the program has no function runtime.fatal");

  functions.erase("runtime.throw");
  functions.erase("runtime.fatalpanic");
  make();
  EXPECT_EQ(plan.why_not(Group::deaths), "none of the functions by which it dies is known");
}

TEST_F(ProbePlan, WhatAProgramNeverDoesToAChannelIsNotMissed) {
  for (const char* name : {"runtime.closechan", "sync.runtime_notifyListNotifyOne"}) functions.erase(name);
  make();
  EXPECT_TRUE(plan.has(Group::objects)) << plan.why_not(Group::objects);
  EXPECT_EQ(chosen("runtime.chansend"), (std::vector<Chosen>{{GOLEAKD_AT_CHANSEND, "runtime.chansend", kPush}}));
  EXPECT_EQ(chosen("sync.runtime_notifyListNotifyAll"),
            (std::vector<Chosen>{{GOLEAKD_AT_NOTIFY, "sync.runtime_notifyListNotifyAll", kPush}}));
  EXPECT_EQ(std::ranges::count(plan.points, GOLEAKD_CLOSE, [](const PlannedPoint& p) { return p.row.kind; }), 0);

  functions.erase("runtime.semrelease1");  // there is no Go program without
  make();
  EXPECT_EQ(plan.why_not(Group::objects), "the program has no function runtime.semrelease1");
  EXPECT_TRUE(plan.has(Group::wakers));
}

TEST_F(ProbePlan, WhereAnOperationOnChannelsWasInlinedObjectsAreNotProbed) {
  inline_into("runtime.chansend1", "runtime.chansend");
  make();
  EXPECT_EQ(plan.why_not(Group::objects), "runtime.chansend was inlined into runtime.chansend1");

  functions.erase("runtime.chansend");  // nobody calls it any more: that is not to say that nobody sends
  make();
  EXPECT_EQ(plan.why_not(Group::objects), "runtime.chansend was inlined into runtime.chansend1");
}

TEST_F(ProbePlan, PanicsAreCountedOnlyWithTheirEnds) {
  functions.erase("runtime.recovery");
  make();
  EXPECT_EQ(plan.why_not(Group::panics), "the program has no function runtime.recovery");
  EXPECT_TRUE(plan.has(Group::deaths));
  EXPECT_TRUE(plan.has(Group::spawn_exit));
}

}  // namespace
}  // namespace goleakd::probe

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "history_fixture.h"

namespace goleakd::history {
namespace {

using verdict::Stage;

class RecorderTest : public HistoryTest {
 protected:
  verdict::TargetReport leaking(std::uint64_t count, Seconds first_seen, int pid = 1) const {
    verdict::TargetReport target = process(pid);
    target.leaks = {leak(Stage::leaking, count, first_seen)};
    target.sites = {sample::site(target.leaks[0].site_id, count + 3)};
    return target;
  }
};

TEST_F(RecorderTest, ALeakHasALifeCycle) {
  Recorder recorder = this->recorder();
  verdict::TargetReport suspected = process();
  suspected.leaks = {leak(Stage::suspect, 5, 100)};
  ASSERT_OK(recorder.record(report(110, {suspected})));
  EXPECT_TRUE(view().leaks.empty()) << "a suspicion is no leak";
  EXPECT_TRUE(recorder.first_seen()->empty());

  ASSERT_OK(recorder.record(report(150, {leaking(12, 100)})));
  ASSERT_OK(recorder.record(report(700, {leaking(412, 100)})));
  View view = this->view();
  ASSERT_EQ(view.leaks.size(), 1);
  const LifeCycle& there = view.leaks[0];
  EXPECT_EQ(there.id, sample::leak().id);
  EXPECT_EQ(there.service, "shop");
  EXPECT_EQ(there.stage, LifeStage::leaking);
  EXPECT_EQ(there.first_seen, begin_ + 100) << "since it was suspected";
  EXPECT_EQ(there.last_seen, begin_ + 700);
  EXPECT_EQ(there.count, 412);
  EXPECT_EQ(there.peak, 412);
  EXPECT_EQ(there.function, "main.handleOrder.func1");
  EXPECT_EQ(there.creation.line, 88);
  EXPECT_EQ(there.cause, "send_unbuffered_no_receiver");
  ASSERT_EQ(there.changes.size(), 1);
  EXPECT_EQ(there.changes[0].at, begin_ + 150);
  EXPECT_EQ(recorder.first_seen()->at(there.id), begin_ + 100);

  verdict::TargetReport resolved = process();
  resolved.leaks = {leak(Stage::resolved, 0, 100)};
  ASSERT_OK(recorder.record(report(800, {resolved})));
  ASSERT_OK(recorder.record(report(900, {leaking(20, 850)})));
  ASSERT_OK(recorder.record(report(1000, {})));
  view = this->view();
  std::vector<LifeStage> stages;
  for (const Change& change : view.leaks.at(0).changes) stages.push_back(change.stage);
  EXPECT_EQ(stages, (std::vector{LifeStage::leaking, LifeStage::resolved, LifeStage::leaking, LifeStage::gone}));
  EXPECT_EQ(view.leaks[0].first_seen, begin_ + 100) << "ever";
  EXPECT_EQ(view.leaks[0].peak, 412);
}

TEST_F(RecorderTest, WordsThatChangeAreAChange) {
  Recorder recorder = this->recorder();
  ASSERT_OK(recorder.record(report(100, {leaking(10, 50)})));
  verdict::TargetReport worse = leaking(20, 50);
  worse.leaks[0].severity = verdict::Severity::page;
  ASSERT_OK(recorder.record(report(101, {worse})));
  ASSERT_OK(recorder.record(report(102, {worse})));
  const View view = this->view();
  ASSERT_EQ(view.leaks.at(0).changes.size(), 2);
  EXPECT_EQ(view.leaks[0].changes[1].severity, "page");
  EXPECT_EQ(view.leaks[0].severity, "page") << "at once, not by the next sample";
}

TEST_F(RecorderTest, FlappingIsBounded) {
  Recorder recorder = this->recorder();
  for (int i = 0; i < 150; ++i) {
    verdict::TargetReport flapping = leaking(10, 50);
    if (i % 2 == 1) flapping.leaks[0].cause = verdict::Cause::unknown;
    ASSERT_OK(recorder.record(report(100 + i, {flapping})));
  }
  const View view = this->view();
  EXPECT_EQ(view.leaks.at(0).changes.size(), 100);
  EXPECT_EQ(view.leaks[0].changes.back().at, begin_ + 249) << "the newest";
}

TEST_F(RecorderTest, GoesOnWhereTheOneBeforeWasKilled) {
  {
    Recorder recorder = this->recorder();
    ASSERT_OK(recorder.record(report(600, {leaking(100, 300)})));
  }
  Recorder recorder = this->recorder();
  EXPECT_EQ(recorder.first_seen()->at(sample::leak().id), begin_ + 300);
  verdict::TargetReport young = process();  // as the new daemon sees it: not yet, then as a suspicion
  young.snapshot_taken = false;
  ASSERT_OK(recorder.record(report(700, {})));
  ASSERT_OK(recorder.record(report(701, {young})));
  verdict::TargetReport suspected = leaking(110, 705);
  suspected.leaks[0].stage = Stage::suspect;
  ASSERT_OK(recorder.record(report(710, {suspected})));
  ASSERT_OK(recorder.record(report(800, {leaking(120, 705)})));
  const View view = this->view();
  ASSERT_EQ(view.leaks.size(), 1);
  EXPECT_EQ(view.leaks[0].changes.size(), 1) << "nothing has changed";
  EXPECT_EQ(view.leaks[0].first_seen, begin_ + 300);
  EXPECT_EQ(view.leaks[0].processes, 1) << "the same";
}

TEST_F(RecorderTest, WhatEndedWhileNobodyWatchedIsGone) {
  {
    Recorder recorder = this->recorder();
    ASSERT_OK(recorder.record(report(600, {leaking(100, 300)})));
  }
  Recorder recorder = this->recorder();
  ASSERT_OK(recorder.record(report(700, {})));
  EXPECT_EQ(view().leaks.at(0).stage, LifeStage::leaking) << "it may be found in a moment";
  ASSERT_OK(recorder.record(report(735, {})));
  EXPECT_EQ(view().leaks.at(0).stage, LifeStage::gone);
  EXPECT_EQ(recorder.database().number("SELECT ended FROM run").value_or(0), begin_ + 600) << "when it was last seen";
}

TEST_F(RecorderTest, WhatRanWhenTheMachineWentDownHasEnded) {
  {
    Recorder recorder = this->recorder("first boot");
    ASSERT_OK(recorder.record(report(600, {leaking(100, 300)})));
  }
  Recorder recorder = this->recorder("second boot");
  ASSERT_OK(recorder.record(report(700, {process()})));  // the same pid and start, by chance
  const View view = this->view();
  EXPECT_EQ(view.leaks.at(0).stage, LifeStage::gone);
  EXPECT_EQ(recorder.database().number("SELECT count(*) FROM run").value_or(0), 2);
}

TEST_F(RecorderTest, LeaksThatNoNewDaemonHearsOfAreJudgedByTheirCount) {
  {
    Recorder recorder = this->recorder();
    ASSERT_OK(recorder.record(report(600, {leaking(100, 300)})));
  }
  Recorder recorder = this->recorder();
  verdict::TargetReport still = process();
  still.sites = {sample::site(sample::leak().site_id, 90)};
  ASSERT_OK(recorder.record(report(700, {still})));
  EXPECT_EQ(view().leaks.at(0).stage, LifeStage::leaking);
  still.sites[0].live = 10;
  ASSERT_OK(recorder.record(report(760, {still})));
  EXPECT_EQ(view().leaks.at(0).stage, LifeStage::resolved);
}

TEST_F(RecorderTest, SaysSinceWhichVersionAndWhichHadItNot) {
  Recorder recorder = this->recorder();
  const auto version = [&](const char* name, verdict::TargetReport target, Seconds started) {
    target.module_version = name;
    target.build_id = std::string("build of ") + name;
    target.pid = static_cast<int>(started);
    target.facts.started = instant(started);
    return target;
  };
  for (const Seconds at : {100, 4000}) ASSERT_OK(recorder.record(report(at, {version("v1.0.0", process(), 1)})));
  for (const Seconds at : {4100, 5000}) ASSERT_OK(recorder.record(report(at, {version("v1.1.0", process(), 4001)})));
  ASSERT_OK(recorder.record(report(5001, {})));
  ASSERT_OK(recorder.record(report(6000, {version("v1.2.0", leaking(10, 5900), 5001)})));
  ASSERT_OK(recorder.record(report(7000, {version("v1.3.0", leaking(10, 6900), 6001)})));
  const View view = this->view();
  const LifeCycle& leak = view.leaks.at(0);
  ASSERT_EQ(leak.versions.size(), 2);
  EXPECT_EQ(leak.versions[0].name(), "v1.2.0");
  EXPECT_EQ(leak.versions[1].name(), "v1.3.0");
  ASSERT_TRUE(leak.before);
  EXPECT_EQ(leak.before->name(), "v1.1.0");
  EXPECT_EQ(leak.before->watched, 901);
  EXPECT_EQ(leak.processes, 2);
  EXPECT_EQ(this->view(6001).leaks.size(), 1);
  auto database = open_file_to_read(path());
  EXPECT_EQ(read_view(*database, 777, 0).error().kind(), ErrorKind::not_found);
}

TEST_F(RecorderTest, TheFirstVersionWatchedHasNoneBefore) {
  Recorder recorder = this->recorder();
  ASSERT_OK(recorder.record(report(100, {leaking(10, 50)})));
  const View view = this->view();
  EXPECT_FALSE(view.leaks.at(0).before);
  EXPECT_EQ(view.leaks[0].versions.at(0).name(), "build b0b0");
}

TEST_F(RecorderTest, SamplesSitesThatHaveHadSeveralUntilTheEnd) {
  Recorder recorder = this->recorder();
  verdict::TargetReport target = process();
  const auto at = [&](Seconds after, std::uint64_t pool, std::uint64_t one) {
    target.sites = {sample::site("pool", pool), sample::site("one", one)};
    return report(after, {target});
  };
  ASSERT_OK(recorder.record(at(61, 8, 1)));
  ASSERT_OK(recorder.record(at(62, 80, 1)));  // in between
  ASSERT_OK(recorder.record(at(125, 1, 1)));
  ASSERT_OK(recorder.record(at(181, 0, 1)));
  std::vector<std::int64_t> found;
  ASSERT_OK(recorder.database().each(
      "SELECT start, total FROM sample JOIN site ON site.id = site WHERE key = 'pool' ORDER BY start", {},
      [&](const Row& row) {
        found.push_back(row.number(0) - begin_);
        found.push_back(row.number(1));
      }));
  EXPECT_EQ(found, (std::vector<std::int64_t>{60, 8, 120, 1, 180, 0}));
  EXPECT_EQ(recorder.database().number("SELECT count(*) FROM site").value_or(0), 1);
  EXPECT_EQ(recorder.samples(), 3);
}

TEST_F(RecorderTest, WhatCouldNotBeReadIsNotSampled) {
  Recorder recorder = this->recorder();
  verdict::TargetReport target = process();
  target.sites = {sample::site("pool", 8)};
  target.up = false;
  ASSERT_OK(recorder.record(report(100, {target})));
  EXPECT_EQ(recorder.samples(), 0) << "the count is old";
}

TEST_F(RecorderTest, SitesBeyondTheLimitAreCountedAndLeaksAreNot) {
  Recorder recorder = this->recorder();
  verdict::TargetReport target = leaking(2, 50);
  const verdict::SiteReport of_leak = target.sites[0];
  target.sites.clear();
  for (int i = 0; i < 210; ++i) target.sites.push_back(sample::site("site" + std::to_string(i), 1000));
  target.sites.push_back(of_leak);
  ASSERT_OK(recorder.record(report(100, {target})));
  ASSERT_OK(recorder.record(report(200, {target})));
  EXPECT_EQ(recorder.sites_left_out(), 10);
  EXPECT_EQ(recorder.samples(), 2 * 201);
}

TEST_F(RecorderTest, ProgramsThatFlashByLeaveNothing) {
  Recorder recorder = this->recorder();
  ASSERT_OK(recorder.record(report(10, {process()})));
  ASSERT_OK(recorder.record(report(20, {})));
  EXPECT_EQ(recorder.database().number("SELECT count(*) FROM run").value_or(-1), 0);
  ASSERT_OK(recorder.record(report(30, {leaking(5, 25)})));
  EXPECT_EQ(recorder.database().number("SELECT count(*) FROM run").value_or(-1), 1) << "unless they leak";
}

TEST_F(RecorderTest, ReplicasAreOneLeak) {
  Recorder recorder = this->recorder();
  ASSERT_OK(recorder.record(report(100, {leaking(10, 50, 1), leaking(30, 60, 2)})));
  View view = this->view();
  ASSERT_EQ(view.leaks.size(), 1);
  EXPECT_EQ(view.leaks[0].count, 40);
  EXPECT_EQ(view.leaks[0].first_seen, begin_ + 50);
  EXPECT_EQ(view.leaks[0].processes, 2);
  ASSERT_OK(recorder.record(report(200, {leaking(10, 50, 1)})));
  view = this->view();
  EXPECT_EQ(view.leaks[0].stage, LifeStage::leaking) << "in the other";
  EXPECT_EQ(view.leaks[0].count, 10);
  EXPECT_EQ(view.leaks[0].peak, 40);
}

TEST_F(RecorderTest, ASlowLeakBehindNightlyRestartsIsFound) {
  Recorder recorder = this->recorder("boot", std::chrono::minutes(10));
  constexpr Seconds kDay = 86'400;
  for (int day = 0; day < 5; ++day) {
    verdict::TargetReport target = process(day + 1, day * kDay);
    for (Seconds uptime = 700; uptime < kDay - 600; uptime += 1800) {
      target.sites = {sample::site("leaky", 10 + static_cast<std::uint64_t>(uptime) / 3600), sample::site("pool", 40),
                      sample::site("busy", 40 + static_cast<std::uint64_t>(uptime / 60 % 17))};
      ASSERT_OK(recorder.record(report(day * kDay + uptime, {target})));
    }
  }
  const View view = this->view();
  EXPECT_TRUE(view.leaks.empty());
  ASSERT_EQ(view.slow_leaks.size(), 1);
  EXPECT_EQ(view.slow_leaks[0].site_id, "leaky");
  EXPECT_EQ(view.slow_leaks[0].service, "shop");
  EXPECT_EQ(view.slow_leaks[0].trend.runs, 5);
  EXPECT_NEAR(view.slow_leaks[0].trend.per_hour, 1, 0.1);
  EXPECT_TRUE(view.slow_leaks[0].leaks.empty());
}

TEST_F(RecorderTest, CountsOverTimeAreThere) {
  Recorder recorder = this->recorder();
  for (Seconds at = 60; at < 3600; at += 60) {
    ASSERT_OK(recorder.record(report(at, {leaking(static_cast<std::uint64_t>(at), 1200)})));
  }
  const View view = this->view();
  const auto& counts = view.leaks.at(0).counts;
  ASSERT_GT(counts.size(), 40);
  EXPECT_LT(counts.front().at, begin_ + 1200) << "what was before, too";
  for (std::size_t i = 1; i < counts.size(); ++i) {
    EXPECT_GT(counts[i].at, counts[i - 1].at);
    EXPECT_GT(counts[i].mean, counts[i - 1].mean);
  }
}

}  // namespace
}  // namespace goleakd::history

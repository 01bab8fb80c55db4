// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "history/life.h"

namespace goleakd::history {
namespace {

using verdict::Stage;

TEST(Life, FollowsTheVerdicts) {
  EXPECT_EQ(next_stage(LifeStage::leaking, {.told = Stage::leaking, .lives = true}), LifeStage::leaking);
  EXPECT_EQ(next_stage(LifeStage::leaking, {.told = Stage::resolved, .lives = true}), LifeStage::resolved);
  EXPECT_EQ(next_stage(LifeStage::resolved, {.told = Stage::leaking, .lives = true}), LifeStage::leaking);
  EXPECT_EQ(next_stage(LifeStage::gone, {.told = Stage::leaking, .lives = true}), LifeStage::leaking);
}

TEST(Life, ANewDaemonsSuspicionIsNoNews) {
  EXPECT_EQ(next_stage(LifeStage::leaking, {.told = Stage::suspect, .lives = true}), LifeStage::leaking);
  EXPECT_EQ(next_stage(LifeStage::resolved, {.told = Stage::suspect, .lives = true}), LifeStage::resolved);
  EXPECT_EQ(next_stage(LifeStage::gone, {.told = Stage::suspect, .lives = true}), LifeStage::gone);
}

TEST(Life, EndsWithItsProcesses) {
  EXPECT_EQ(next_stage(LifeStage::leaking, {.lives = false}), LifeStage::gone);
  EXPECT_EQ(next_stage(LifeStage::resolved, {.lives = false}), LifeStage::resolved);
}

TEST(Life, WhatNoVerdictTellsTheCountDoes) {
  EXPECT_EQ(next_stage(LifeStage::leaking, {.lives = true, .peak = 100}), LifeStage::leaking) << "not looked at yet";
  EXPECT_EQ(next_stage(LifeStage::leaking, {.lives = true, .site_live = 50, .peak = 100}), LifeStage::leaking);
  EXPECT_EQ(next_stage(LifeStage::leaking, {.lives = true, .site_live = 49, .peak = 100}), LifeStage::resolved);
}

TEST(Life, WordsAreReadBack) {
  for (const LifeStage stage : {LifeStage::leaking, LifeStage::resolved, LifeStage::gone}) {
    EXPECT_EQ(life_stage(to_string(stage)), stage);
  }
  EXPECT_EQ(life_stage("suspect"), std::nullopt);
}

}  // namespace
}  // namespace goleakd::history

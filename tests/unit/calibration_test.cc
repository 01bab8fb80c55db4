// SPDX-License-Identifier: Apache-2.0
#include "probe/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "probe/own_code.h"
#include "probe/prober.h"

namespace goleakd::probe {
namespace {

// Kernel objects that this process keeps by a descriptor: links, perf events, programs, maps. None of them is pinned.
int kernel_objects() {
  int objects = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    if (std::filesystem::read_symlink(entry, error).string().starts_with("anon_inode:")) ++objects;
  }
  return objects;
}

constexpr std::uint8_t kPush = 0x55;  // push %rbp
constexpr std::uint8_t kRexW = 0x48;  // of sub $8,%rsp

std::uint8_t first_byte(const OwnFunction& function) {
  return *static_cast<const volatile std::uint8_t*>(function.site);
}

class Calibration : public ::testing::TestWithParam<Method> {
 protected:
  // Skips, with the reason, where this host or user has no such probes.
  void SetUp() override {
    if (const auto prober = Prober::make({.ring_bytes = 4096, .method = GetParam()}); !prober) {
      GTEST_SKIP() << prober.error().message();
    }
    objects_before_ = kernel_objects();
    cost_ = calibrate(GetParam());
    if (!cost_ && cost_.error().kind() == ErrorKind::permission) GTEST_SKIP() << cost_.error().message();
    ASSERT_TRUE(cost_) << cost_.error().message();
  }

  int objects_before_ = 0;
  Result<HitCost> cost_;
};

TEST_P(Calibration, MeasuresAllCosts) {
  EXPECT_TRUE(cost_->measured);
  for (const double ns : {cost_->emulated_counted_ns, cost_->emulated_recorded_ns, cost_->emulated_parked_ns,
                          cost_->stepped_counted_ns, cost_->stepped_recorded_ns}) {
    EXPECT_TRUE(std::isfinite(ns));
    EXPECT_GT(ns, 0);
  }
}

TEST_P(Calibration, LeavesNothingBehind) {
  EXPECT_EQ(kernel_objects(), objects_before_);
  EXPECT_EQ(first_byte(kEmulatedFunction), kPush);  // 0xcc while it is probed
  EXPECT_EQ(first_byte(kSteppedFunction), kRexW);
}

INSTANTIATE_TEST_SUITE_P(Methods, Calibration, ::testing::Values(Method::uprobe_multi, Method::perf_event),
                         [](const auto& method) { return std::string(to_string(method.param)); });

TEST(HitCost, IsAssumedOnTheDearSideWhereItCannotBeMeasured) {
  EXPECT_FALSE(kAssumedHitCost.measured);
  EXPECT_EQ(
      to_string(kAssumedHitCost),
      "0.60 us, 0.70 us with a record, 0.70 us for a park or a wake (13.0 us where the instruction is single-stepped)");
}

TEST(OwnCode, IsFoundInTheExecutable) {
  std::ifstream exe("/proc/self/exe", std::ios::binary);
  const auto byte_at = [&exe](const void* address) {
    exe.seekg(static_cast<std::streamoff>(own_file_offset(address).value()));
    return exe.get();
  };
  EXPECT_EQ(byte_at(kEmulatedFunction.site), kPush);
  EXPECT_EQ(byte_at(kSteppedFunction.site), kRexW);
  const int on_stack = 0;
  EXPECT_FALSE(own_file_offset(&on_stack));
}

}  // namespace
}  // namespace goleakd::probe

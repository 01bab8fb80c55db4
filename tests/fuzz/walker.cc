// SPDX-License-Identifier: Apache-2.0
// snapshot::Reader and read_runtime_counters over the memory of a process that lies: the input is what it shows at the
// places where the runtime keeps its tables. Between the reads it changes its mind.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "fuzz_file.h"
#include "go_program_fixture.h"
#include "snapshot/reader.h"
#include "snapshot/runtime_counters.h"

namespace {

using goleakd::ErrorKind;
using goleakd::Result;

// Two ranges: the program's data, and a heap of which pointers in the input may point anywhere. Each read of a byte
// past the input's end sees a byte of its beginning, moved on by one with each round.
class LyingMemory : public goleakd::snapshot::Memory {
 public:
  using Memory::read;
  static constexpr std::uint64_t kHeap = 0xc000000000;
  static constexpr std::uint64_t kHeapSize = 64U << 10U;

  explicit LyingMemory(goleakd::ByteSpan input) : input_(input) {}
  void change() { ++round_; }

  Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override {
    const auto within = [&](std::uint64_t start, std::uint64_t size) {
      return address >= start && address - start <= size && into.size() <= size - (address - start);
    };
    const bool data = within(GoProgramFixture::kData, 0x1000);
    if (!data && !within(kHeap, kHeapSize)) return goleakd::fail(ErrorKind::invalid, "not mapped");
    const std::uint64_t at = data ? address - GoProgramFixture::kAllgs : address - kHeap + 64;
    for (std::size_t i = 0; i < into.size(); ++i) {
      into[i] = input_.empty() ? 0 : input_[(at + i + (at + i >= input_.size() ? round_ : 0)) % input_.size()];
    }
    return {};
  }
  Result<void> read(std::span<goleakd::snapshot::ReadRequest> requests) const override {
    for (auto& request : requests) request.done = read(request.address, request.into).has_value();
    return {};
  }

 private:
  goleakd::ByteSpan input_;
  std::uint64_t round_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto process = [] {
    auto made = std::make_shared<goleakd::target::GoProcess>();
    made->pid = 1;
    made->exe = "fixture";
    const GoProgramFixture::Symbols symbols{{"runtime.allgs", GoProgramFixture::kAllgs},
                                            {"runtime.allp", GoProgramFixture::kAllgs + 24},
                                            {"runtime.sched", LyingMemory::kHeap + 0x2000}};
    made->binary = *goleakd::target::GoBinary::open(fuzz_file(GoProgramFixture::bytes("go1.27.4", symbols)), "fixture");
    return made;
  }();
  LyingMemory memory({data, size});
  goleakd::snapshot::Reader reader(process, memory);
  for (int round = 0; round < 2; ++round) {
    goleakd::snapshot::SnapshotOptions options;
    options.raw = round == 0;
    const auto snapshot = reader.take(options);
    if (snapshot) {
      for (std::size_t i = 0; i < snapshot->goroutines.size(); ++i) {
        const auto& goroutine = snapshot->goroutines[i];
        if (goroutine.stack >= snapshot->stacks.size() || goroutine.birth >= snapshot->births.size()) std::abort();
      }
    }
    static_cast<void>(goleakd::snapshot::read_runtime_counters(*process, memory));
    memory.change();
  }
  return 0;
}

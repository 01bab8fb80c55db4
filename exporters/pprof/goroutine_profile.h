// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/dump_sink.h"

namespace goleakd::pprof {

// Goroutines as a profile that `go tool pprof` opens (github.com/google/pprof, proto/profile.proto), made as the
// program's own /debug/pprof/goroutine is (src/runtime/pprof/proto.go): one sample of "goroutine/count" for each stack
// with labels, frames of the runtime included but for runtime.goexit, inlined calls as lines of one location.
// Addresses are link-time ones. A goroutine without a stack is a sample without locations: it is counted.
class GoroutineProfile final : public ledger::DumpSink {
 public:
  // `time_ns` is since the Unix epoch, 0 when not known.
  GoroutineProfile(const ledger::ProcessDump& process, std::int64_t time_ns, ledger::Output output);

  void goroutine(const ledger::GoroutineDump& g) override;
  // A profile is groups by stack already.
  void group(const ledger::GoroutineGroup& group, const ledger::GoroutineDump& example) override;
  // All bytes are written here.
  Result<void> end(std::uint64_t left_out) override;

 private:
  using LineKey = std::pair<std::uint64_t, int>;                       // function, line number
  using FunctionKey = std::pair<std::int64_t, std::int64_t>;           // name, file
  using LocationKey = std::pair<std::uint64_t, std::vector<LineKey>>;  // address, innermost line first
  struct Stack {
    std::vector<std::uint64_t> locations;                       // innermost first
    std::vector<std::pair<std::int64_t, std::int64_t>> labels;  // key, value
    auto operator<=>(const Stack&) const = default;
  };

  std::int64_t text(std::string_view text);  // its index in the profile's table
  std::uint64_t function(const ledger::TracebackFrame& frame);
  std::string encode() const;

  ledger::Output output_;
  std::int64_t time_ns_;
  // The first text of a profile is the empty one.
  std::map<std::string, std::int64_t, std::less<>> text_ids_{{"", 0}};
  std::vector<const std::string*> texts_{&text_ids_.begin()->first};  // keys of text_ids_, by id
  std::map<FunctionKey, std::uint64_t> functions_;
  std::map<LocationKey, std::uint64_t> locations_;
  std::map<Stack, std::int64_t> samples_;
  // Texts of the profile itself.
  std::int64_t goroutine_ = text("goroutine");
  std::int64_t count_ = text("count");
  std::int64_t exe_;
  std::int64_t build_id_;
};

}  // namespace goleakd::pprof

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "ledger/dump_sink.h"

namespace goleakd::text {

// Everything that is known of a goroutine, hidden frames and wait objects included (docs/json.md).
nlohmann::json goroutine_json(const ledger::GoroutineDump& g);

// One document; each goroutine or group is a line of its own in it.
class DumpJson final : public ledger::DumpSink {
 public:
  enum class Of { goroutines, groups };
  // `version` is goleakd's.
  DumpJson(const ledger::ProcessDump& process, const std::string& version, Of of, ledger::Output output);

  void goroutine(const ledger::GoroutineDump& g) override;
  void group(const ledger::GoroutineGroup& group, const ledger::GoroutineDump& example) override;
  Result<void> end(std::uint64_t left_out) override;

 private:
  void element(const nlohmann::json& element);

  ledger::Output output_;
  bool first_ = true;
};

}  // namespace goleakd::text

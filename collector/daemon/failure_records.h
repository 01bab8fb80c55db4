// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bpf/failure_wire.h"
#include "snapshot/constants.h"
#include "snapshot/panic_value.h"
#include "target/process.h"
#include "verdict/incident.h"

namespace goleakd::daemon {

// What the probes of panics and deaths have told of one process, in words: where it panics, and what it died of.
class FailureRecords {
 public:
  // Borrows `process`, which must be alive.
  explicit FailureRecords(const target::GoProcess& process);
  FailureRecords(const FailureRecords&) = delete;
  FailureRecords& operator=(const FailureRecords&) = delete;

  // Gives the incident when this is the end of the process: what it is, not whose (pid and the like). A process ends
  // once: what it says after that is nothing.
  std::optional<verdict::Incident> add(const goleakd_failure& record);

  const std::vector<verdict::PanicSite>& sites() const { return sites_; }
  std::uint64_t unattributed() const { return unattributed_; }

 private:
  void begin_panic(const goleakd_failure& record);
  void recover(const goleakd_failure& record);
  verdict::Incident panicked(const goleakd_failure& record);
  verdict::Incident gave_up(const goleakd_failure& record);
  void locate(verdict::Incident& incident, const goleakd_failure& record) const;
  // Of the innermost panic that the goroutine is in; nothing where that is not known.
  std::optional<std::size_t> current(std::uint64_t goid) const;

  const target::GoProcess& process_;
  snapshot::ConstantMemory constants_;
  snapshot::PanicValues values_;
  std::vector<verdict::PanicSite> sites_;
  // Indexes into sites_, by goroutine: of the panics that it is in, innermost last. What was given up stays there below
  // the next ones, which harms nobody: only the innermost one can end.
  std::map<std::uint64_t, std::vector<std::size_t>> under_way_;
  std::uint64_t unattributed_ = 0;
  bool ended_ = false;
};

}  // namespace goleakd::daemon

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "bpf/wire.h"

struct bpf_map;

namespace goleakd::probe {

// How many there are now. The tables have four rows for each, and some thousands and hundreds in any case.
struct ParkTablesFor {
  std::size_t goroutines = 0;
  std::size_t creation_sites = 0;
};

// A goroutine that is parked.
struct Parked {
  std::uint64_t goid = 0;
  Instant since;                 // when the probe was hit
  std::uint8_t wait_reason = 0;  // runtime.waitReason of that Go version
};

// What the goroutines of one `go` statement have done since the tables were made.
struct SiteParks {
  std::uint64_t gopc = 0;  // g.gopc: a run-time address; 0: no `go` statement has started them
  std::uint64_t parked = 0;
  std::uint64_t unparked = 0;
  std::uint64_t total_ns = 0;                                 // of the parks that have ended
  std::array<std::uint64_t, GOLEAKD_PARK_BUCKETS> by_log2{};  // of those, as goleakd_site_parks has it
};

// The tables of parks of one process (bpf/parks.bpf.h), in memory that the kernel writes and this reads.
class ParkTables {
 public:
  static Result<ParkTables> make(const ParkTablesFor& what);

  // Gives them to the probes of a slot, by the maps that hold the tables of all, and tells `target`, the slot's.
  Result<void> install(const bpf_map* parked_tables, const bpf_map* site_tables, std::uint32_t slot,
                       goleakd_target& target) const;
  // Takes them away.
  static void uninstall(const bpf_map* parked_tables, const bpf_map* site_tables, std::uint32_t slot);

  // Adds a table with four times as many rows; false when there are as many as there may be.
  Result<bool> grow(const bpf_map* parked_tables, std::uint32_t slot, goleakd_target& target);

  // Calls `each` for everyone who is parked, in no order. Those that change meanwhile may be missing; none is told that
  // was not so at some moment of the call.
  void each_parked(const std::function<void(const Parked&)>& each) const;
  // Each number is right at some moment of the call.
  std::vector<SiteParks> sites() const;

 private:
  // A map of rows, and its memory.
  struct Table {
    Table() = default;
    Table(Table&& other) noexcept;
    Table& operator=(Table&&) = delete;
    ~Table();
    UniqueFd fd;
    void* memory = nullptr;
    std::size_t bytes = 0;
    template <typename Row>
    std::span<const Row> rows() const {
      return {static_cast<const Row*>(memory), bytes / sizeof(Row)};
    }
  };
  static Result<Table> make_table(const char* name, std::size_t row_bytes, std::size_t rows);
  static Result<Table> make_goroutines(std::size_t rows);
  ParkTables(Table goroutines, Table sites, unsigned site_shift) : sites_(std::move(sites)), site_shift_(site_shift) {
    goroutines_.push_back(std::move(goroutines));
  }

  std::vector<Table> goroutines_;  // of goleakd_parked, each larger than the one before
  Table sites_;                    // of goleakd_site_parks
  unsigned site_shift_;
};

}  // namespace goleakd::probe

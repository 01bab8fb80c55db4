// SPDX-License-Identifier: Apache-2.0
#include "probe/park_tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <string>
#include <utility>

namespace goleakd::probe {
namespace {

// To a quarter full, one key of a thousand million finds no room; and there is time to add a table before it is more.
constexpr std::size_t kSpare = 4;
constexpr std::size_t kMinGoroutines = 16'384;           // 512 KiB
constexpr std::size_t kMinSites = 512;                   // 144 KiB for each row that a site has
constexpr std::size_t kMaxRows = std::size_t{1} << 22U;  // 128 MiB
// More CPUs share: then two of them seldom write the same row at the same time.
constexpr std::size_t kMaxRowsOfSite = 8;

// Of what the kernel may be writing.
template <typename Number>
Number read(const Number& number) {
  return __atomic_load_n(&number, __ATOMIC_ACQUIRE);
}

std::size_t size_for(std::size_t count, std::size_t least) {
  return std::clamp(std::bit_ceil(count * kSpare), least, kMaxRows);
}

bool put(const bpf_map* tables, std::uint32_t key, const UniqueFd& table) {
  const int fd = table.get();
  return bpf_map__update_elem(tables, &key, sizeof(key), &fd, sizeof(fd), BPF_ANY) == 0;
}

}  // namespace

ParkTables::Table::Table(Table&& other) noexcept
    : fd(std::move(other.fd)), memory(std::exchange(other.memory, nullptr)), bytes(std::exchange(other.bytes, 0)) {}

ParkTables::Table::~Table() {
  if (memory != nullptr) ::munmap(memory, bytes);
}

Result<ParkTables::Table> ParkTables::make_table(const char* name, std::size_t row_bytes, std::size_t rows) {
  LIBBPF_OPTS(bpf_map_create_opts, options);
  options.map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP;
  Table table;
  table.fd.reset(bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(std::uint32_t), static_cast<std::uint32_t>(row_bytes),
                                static_cast<std::uint32_t>(rows), &options));
  if (!table.fd) return fail(Error::from_errno(errno, "making a table of parks"));
  const std::size_t bytes = rows * row_bytes;
  void* const memory = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, table.fd.get(), 0);
  if (memory == MAP_FAILED) return fail(Error::from_errno(errno, "mapping a table of parks"));
  table.memory = memory;
  table.bytes = bytes;
  return table;
}

Result<ParkTables::Table> ParkTables::make_goroutines(std::size_t rows) {
  return make_table("goleakd_parked", sizeof(goleakd_parked), rows);
}

Result<ParkTables> ParkTables::make(const ParkTablesFor& what) {
  const auto cpus = static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1));
  const auto site_shift = static_cast<unsigned>(std::countr_zero(std::min(std::bit_ceil(cpus), kMaxRowsOfSite)));
  auto goroutines = make_goroutines(size_for(what.goroutines, kMinGoroutines));
  if (!goroutines) return fail(goroutines.error());
  auto sites =
      make_table("goleakd_sites", sizeof(goleakd_site_parks), size_for(what.creation_sites, kMinSites) << site_shift);
  if (!sites) return fail(sites.error());
  return ParkTables(std::move(*goroutines), std::move(*sites), site_shift);
}

Result<void> ParkTables::install(const bpf_map* parked_tables, const bpf_map* site_tables, std::uint32_t slot,
                                 goleakd_target& target) const {
  if (!put(parked_tables, slot * GOLEAKD_PARKED_TABLES, goroutines_[0].fd) || !put(site_tables, slot, sites_.fd))
    return fail(Error::from_errno(errno, "giving the probes their tables of parks"));
  target.parked_tables = 1;
  target.parked_shift = static_cast<goleakd_u8>(std::countr_zero(goroutines_[0].rows<goleakd_parked>().size()));
  target.site_mask = static_cast<goleakd_u32>((sites_.rows<goleakd_site_parks>().size() >> site_shift_) - 1);
  target.site_shift = site_shift_;
  return {};
}

void ParkTables::uninstall(const bpf_map* parked_tables, const bpf_map* site_tables, std::uint32_t slot) {
  const auto drop = [](const bpf_map* map, std::uint32_t key) { bpf_map__delete_elem(map, &key, sizeof(key), 0); };
  drop(site_tables, slot);
  for (std::uint32_t i = 0; i < GOLEAKD_PARKED_TABLES; ++i) drop(parked_tables, slot * GOLEAKD_PARKED_TABLES + i);
}

Result<bool> ParkTables::grow(const bpf_map* parked_tables, std::uint32_t slot, goleakd_target& target) {
  const std::size_t rows = goroutines_.back().rows<goleakd_parked>().size() << GOLEAKD_GROWTH_SHIFT;
  const auto number = static_cast<std::uint32_t>(goroutines_.size());
  if (rows > kMaxRows || number == GOLEAKD_PARKED_TABLES) return false;
  auto table = make_goroutines(rows);
  if (!table) return fail(table.error());
  if (!put(parked_tables, slot * GOLEAKD_PARKED_TABLES + number, table->fd))
    return fail(Error::from_errno(errno, "giving the probes a larger table of parks"));
  goroutines_.push_back(std::move(*table));
  __atomic_store_n(&target.claimed, 0, __ATOMIC_RELEASE);
  __atomic_store_n(&target.parked_tables, static_cast<goleakd_u8>(number + 1), __ATOMIC_RELEASE);
  return true;
}

void ParkTables::each_parked(const std::function<void(const Parked&)>& each) const {
  for (const Table& table : goroutines_) {
    for (const goleakd_parked& row : table.rows<goleakd_parked>()) {
      if (read(row.parked) == 0) continue;
      const std::uint64_t since = read(row.since_ns);
      const std::uint64_t goid = read(row.goid);
      const std::uint8_t reason = read(row.reason);
      if (goid == 0) continue;
      // The probes clear `parked` before they touch the rest.
      if (read(row.parked) == 0 || read(row.since_ns) != since || read(row.goid) != goid) continue;
      each({.goid = goid, .since = instant_from_ns(since), .wait_reason = reason});
    }
  }
}

std::vector<SiteParks> ParkTables::sites() const {
  std::vector<SiteParks> all;
  const auto rows = sites_.rows<goleakd_site_parks>();
  const std::size_t of_site = std::size_t{1} << site_shift_;
  for (std::size_t first = 0; first < rows.size(); first += of_site) {
    const std::uint64_t gopc = read(rows[first].gopc);
    if (gopc == 0) continue;
    SiteParks& site = all.emplace_back();
    site.gopc = gopc == GOLEAKD_NO_GOPC ? 0 : gopc;
    const auto of_this = rows.subspan(first, of_site);
    for (const goleakd_site_parks& row : of_this) {
      site.unparked += read(row.unparked);
      site.total_ns += read(row.total_ns);
      for (std::size_t i = 0; i < site.by_log2.size(); ++i) site.by_log2[i] += read(row.by_log2[i]);
    }
    // After all ends: a park of this moment must not have ended more often than it began.
    for (const goleakd_site_parks& row : of_this) site.parked += read(row.parked);
  }
  return all;
}

}  // namespace goleakd::probe

// SPDX-License-Identifier: Apache-2.0
#include "probe/prober.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ranges>
#include <span>
#include <utility>

#include "goroutine.skel.h"
#include "probe/bpf_load.h"
#include "probe/hit_counters.h"
#include "probe/return_addresses.h"

namespace goleakd::probe {
namespace {

Caught caught_of(const goleakd_caught& record) {
  const std::size_t frames = std::min<std::size_t>(record.frames, GOLEAKD_CAUGHT_FRAMES);
  return {.slot = record.slot,
          .kind = static_cast<goleakd_kind>(record.kind),
          .sends = record.sends != 0,
          .what = record.what,
          .wait_reason = record.reason,
          .at = instant_from_ns(record.time_ns),
          .stack = return_addresses(record.caller, std::span(record.pcs).first(frames))};
}

goleakd_wanted wanted_key(std::uint16_t slot, std::uint64_t what, std::uint8_t wait_reason) {
  goleakd_wanted key{};
  key.what = what;
  key.slot = slot;
  key.reason = wait_reason;
  return key;
}

goleakd_u16 offset_of(std::uint32_t field) { return target::present(field) ? static_cast<goleakd_u16>(field) : 0; }

}  // namespace

std::string libbpf_version() {
  std::string text = libbpf_version_string();  // "v1.4"
  return text.starts_with('v') ? text.substr(1) : text;
}

Attachment::~Attachment() {
  prober_.detacher_.take(std::move(links_), [&prober = prober_, slot = slot_, wanted = std::move(wanted_),
                                             parks = std::move(parks_), life_slot = life_slot_] {
    if (parks != nullptr) prober.give_back_parks(slot, life_slot);
    prober.give_back(slot, wanted);
  });
}

Result<bool> Attachment::grow_parks() {
  return parks_->grow(prober_.skeleton_->maps.parked_tables, slot_, prober_.targets_[slot_]);
}

Result<void> Attachment::want(const std::vector<Wanted>& wanted) {
  for (const Wanted& one : wanted) {
    if (wanted_.size() >= GOLEAKD_WANTED_BY_ONE) break;
    if (!wanted_.emplace(one.what, one.wait_reason).second) continue;
    const goleakd_wanted key = wanted_key(slot_, one.what, one.wait_reason);
    goleakd_left left{};
    std::ranges::fill(left.times, one.times);
    left.siblings_kind = one.siblings_kind;
    std::ranges::copy(one.siblings | std::views::take(GOLEAKD_SIBLINGS), left.siblings);
    if (bpf_map__update_elem(prober_.skeleton_->maps.wanted, &key, sizeof(key), &left, sizeof(left), BPF_ANY) != 0) {
      return fail(Error::from_errno(errno, "asking for who starts, wakes or touches"));
    }
  }
  return {};
}

goleakd_counters Attachment::counters() const {
  return read_counters<goleakd_counters>(prober_.skeleton_->maps.counters, slot_);
}

Result<std::unique_ptr<Prober>> Prober::make(const Options& options) {
  keep_libbpf_warnings();
  std::unique_ptr<Prober> prober(new Prober());
  if (options.method != Method::perf_event) {
    if (auto ok = prober->load(Method::uprobe_multi, options.ring_bytes); !ok) return fail(ok.error());
    if (uprobe_multi_works(prober->skeleton_->progs.life_multi)) return prober;
    if (options.method)
      return fail(ErrorKind::unsupported, "this kernel has no uprobe_multi links that filter by process");
    prober->unload();
  }
  if (auto ok = prober->load(Method::perf_event, options.ring_bytes); !ok) return fail(ok.error());
  return prober;
}

Result<void> Prober::load(Method method, std::uint32_t ring_bytes) {
  method_ = method;
  skeleton_ = goroutine_bpf::open();
  if (skeleton_ == nullptr) return fail(load_error(errno));
  if (skeleton_->rodata->goleakd_wire_version != GOLEAKD_WIRE_VERSION) {
    return fail(ErrorKind::invalid, "the BPF object speaks another version of bpf/wire.h than this program");
  }
  const auto& programs = skeleton_->progs;
  for (bpf_program* program : {programs.life_multi, programs.park_multi, programs.catch_multi, programs.touch_multi})
    bpf_program__set_autoload(program, method == Method::uprobe_multi);
  for (bpf_program* program : {programs.life_perf, programs.park_perf, programs.catch_perf, programs.touch_perf})
    bpf_program__set_autoload(program, method == Method::perf_event);
  bpf_map__set_max_entries(skeleton_->maps.events, ring_bytes);
  if (const int error = goroutine_bpf::load(skeleton_); error != 0) return fail(load_error(-error));
  void* const targets = ::mmap(nullptr, GOLEAKD_SLOTS * sizeof(goleakd_target), PROT_READ | PROT_WRITE, MAP_SHARED,
                               bpf_map__fd(skeleton_->maps.targets), 0);
  if (targets == MAP_FAILED) return fail(Error::from_errno(errno, "mapping what the probes are told"));
  targets_ = static_cast<goleakd_target*>(targets);
  const auto on_event = [](void* self, void* data, std::size_t size) {
    auto& prober = *static_cast<Prober*>(self);
    if (size >= sizeof(goleakd_event)) (*prober.each_)(*static_cast<const goleakd_event*>(data));
    // libbpf goes on for as long as events come. Everything that was there at the start has been handed over by now.
    return ++prober.drained_ < prober.ring_events_ ? 0 : -1;
  };
  ring_events_ = ring_bytes / sizeof(goleakd_event);
  ring_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.events), on_event, this, nullptr);
  if (ring_ == nullptr) return fail(Error::from_errno(errno, "mapping the event ring"));
  const auto on_caught = [](void* self, void* data, std::size_t size) {
    const auto& prober = *static_cast<const Prober*>(self);
    if (size >= sizeof(goleakd_caught)) (*prober.each_caught_)(caught_of(*static_cast<const goleakd_caught*>(data)));
    return 0;
  };
  caught_ring_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.caught), on_caught, this, nullptr);
  if (caught_ring_ == nullptr) return fail(Error::from_errno(errno, "mapping the ring of those caught"));
  return {};
}

void Prober::unload() {
  ring_buffer__free(ring_);
  ring_buffer__free(caught_ring_);
  ring_ = caught_ring_ = nullptr;
  if (targets_ != nullptr) ::munmap(targets_, GOLEAKD_SLOTS * sizeof(goleakd_target));
  targets_ = nullptr;
  goroutine_bpf::destroy(skeleton_);
  skeleton_ = nullptr;
}

Prober::~Prober() {
  detacher_.finish();
  unload();
}

int Prober::storm_fd() const { return ring_buffer__epoll_fd(ring_); }

void Prober::give_back(std::uint16_t slot, const WantedKeys& wanted) {
  for (const auto& [what, wait_reason] : wanted) {
    const goleakd_wanted key = wanted_key(slot, what, wait_reason);
    bpf_map__delete_elem(skeleton_->maps.wanted, &key, sizeof(key), 0);
  }
  slots_.give_back(slot);
}

// The parks of that slot, whose exits are probed at the other one. The kernel lets probes that still read the tables
// finish.
void Prober::give_back_parks(std::uint16_t slot, std::uint16_t life_slot) {
  goleakd_u16 own = slot;
  std::atomic_ref(targets_[life_slot].parks_slot).compare_exchange_strong(own, GOLEAKD_NO_SLOT);
  ParkTables::uninstall(skeleton_->maps.parked_tables, skeleton_->maps.site_tables, slot);
}

// A slot, and in it what the probes must know.
Result<std::unique_ptr<Attachment>> Prober::prepare(const target::GoProcess& process, const Plan& plan, Group group,
                                                    std::uint32_t window_hits) {
  if (!plan.has(group)) return fail(ErrorKind::unsupported, plan.why_not(group));
  const auto slot = slots_.take();
  if (!slot) {
    return fail(ErrorKind::unsupported,
                std::to_string(GOLEAKD_SLOTS) + " groups of probes are in place already; no more fit");
  }
  clear_counters<goleakd_counters>(skeleton_->maps.counters, *slot);
  const target::Layout& layout = process.binary->layout();
  goleakd_target& target = targets_[*slot];
  target = {};
  target.goid = offset_of(layout.g.goid);
  target.parent_goid = offset_of(layout.g.parent_goid);
  target.gopc = offset_of(layout.g.gopc);
  target.waitreason = offset_of(layout.g.waitreason);
  target.coroarg = offset_of(layout.g.coroarg);
  target.coroexit = offset_of(layout.g.coroexit);
  target.parks_slot = GOLEAKD_NO_SLOT;
  target.window_hits = window_hits;
  return std::unique_ptr<Attachment>(new Attachment(*this, *slot));
}

Result<std::unique_ptr<Attachment>> Prober::put_in(std::unique_ptr<Attachment> attachment,
                                                   const target::GoProcess& process, const Plan& plan, Group group) {
  std::vector<ProbePlace> places;
  for (const Probe& probe : plan.probes(group)) {
    places.push_back({.file_offset = probe.file_offset, .cookie = cookie_of(probe, attachment->slot())});
  }
  auto links = attach_program(program_of(group), method_, process.pid, process.binary->elf().own_path(), places);
  if (!links) return fail(links.error());
  attachment->links_ = std::move(*links);
  return attachment;
}

Result<std::unique_ptr<Attachment>> Prober::attach(const target::GoProcess& process, const Plan& plan, Group group,
                                                   std::uint32_t window_hits) {
  auto attachment = prepare(process, plan, group, window_hits);
  if (!attachment) return attachment;
  return put_in(std::move(*attachment), process, plan, group);
}

Result<std::unique_ptr<Attachment>> Prober::attach_parks(const target::GoProcess& process, const Plan& plan,
                                                         const Attachment& life, const ParkTablesFor& tables,
                                                         Duration long_park, std::uint32_t window_hits) {
  auto made = ParkTables::make(tables);
  if (!made) return fail(made.error());
  auto attachment = prepare(process, plan, Group::park_unpark, window_hits);
  if (!attachment) return attachment;
  Attachment& own = **attachment;
  own.parks_ = std::make_shared<ParkTables>(std::move(*made));
  own.life_slot_ = life.slot();
  const auto& maps = skeleton_->maps;
  goleakd_target& target = targets_[own.slot()];
  if (auto ok = own.parks_->install(maps.parked_tables, maps.site_tables, own.slot(), target); !ok)
    return fail(ok.error());
  target.long_park_ns = static_cast<goleakd_u64>(long_park.count());
  target.parks_slot = own.slot();
  // Exits first: none may be missed of a goroutine that is in the tables.
  std::atomic_ref(targets_[life.slot()].parks_slot).store(own.slot());
  return put_in(std::move(*attachment), process, plan, Group::park_unpark);
}

const bpf_program* Prober::program_of(Group group) const {
  const auto& programs = skeleton_->progs;
  const bool multi = method_ == Method::uprobe_multi;
  switch (group) {
    case Group::spawn_exit:
      return multi ? programs.life_multi : programs.life_perf;
    case Group::park_unpark:
      return multi ? programs.park_multi : programs.park_perf;
    case Group::spawners:
    case Group::wakers:
      return multi ? programs.catch_multi : programs.catch_perf;
    case Group::objects:
      return multi ? programs.touch_multi : programs.touch_perf;
    case Group::panics:
    case Group::deaths:
      break;  // FailureProber's
  }
  return nullptr;
}

Result<std::unique_ptr<Attachment>> Prober::attach_to_catch(const target::GoProcess& process, const Plan& plan,
                                                            Group group, const std::vector<Wanted>& wanted,
                                                            std::uint32_t window_hits) {
  auto attachment = attach(process, plan, group, window_hits);
  if (!attachment) return attachment;
  if (auto ok = (*attachment)->want(wanted); !ok) return fail(ok.error());
  return attachment;
}

void Prober::drain_caught(const std::function<void(const Caught&)>& each) {
  each_caught_ = &each;
  ring_buffer__consume(caught_ring_);
  each_caught_ = nullptr;
}

void Prober::drain(const std::function<void(const goleakd_event&)>& each) {
  each_ = &each;
  drained_ = 0;
  ring_buffer__consume(ring_);
  each_ = nullptr;
}

}  // namespace goleakd::probe

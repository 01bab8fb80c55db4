// SPDX-License-Identifier: Apache-2.0
#include "probe/failure_prober.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "failure.skel.h"
#include "probe/bpf_load.h"
#include "probe/hit_counters.h"

namespace goleakd::probe {
namespace {

// runtime._panic (src/runtime/runtime2.go) begins with argp, a word, until Go 1.26 had no more need of it.
goleakd_u16 panic_arg(const target::Layout& layout) { return layout.minor < 26 ? sizeof(std::uint64_t) : 0; }

}  // namespace

FailureProbes::~FailureProbes() {
  std::vector<Link> all;
  for (auto& [group, links] : links_) std::ranges::move(links, std::back_inserter(all));
  prober_.detacher_.take(std::move(all), [&slots = prober_.slots_, slot = slot_] { slots.give_back(slot); });
}

Result<void> FailureProbes::attach(const target::GoProcess& process, const Plan& plan, Group group,
                                   std::uint32_t window_hits) {
  if (!plan.has(group)) return fail(ErrorKind::unsupported, plan.why_not(group));
  std::vector<ProbePlace> places;
  for (const Probe& probe : plan.probes(group)) {
    places.push_back({.file_offset = probe.file_offset, .cookie = cookie_of(probe, slot_)});
  }
  // The limit is that of panics: to put in the deaths of a process leaves it as it is.
  if (group == Group::panics || links_.empty()) prober_.set_up(slot_, process.binary->layout(), window_hits);
  const auto& programs = prober_.skeleton_->progs;
  auto* program = prober_.method_ == Method::uprobe_multi ? programs.failure_multi : programs.failure_perf;
  auto links = attach_program(program, prober_.method_, process.pid, process.binary->elf().own_path(), places);
  if (!links) return fail(links.error());
  links_[group] = std::move(*links);
  return {};
}

void FailureProbes::detach(Group group) {
  const auto links = links_.extract(group);
  if (!links.empty()) prober_.detacher_.take(std::move(links.mapped()), [] {});
}

goleakd_failure_counters FailureProbes::counters() const {
  return read_counters<goleakd_failure_counters>(prober_.skeleton_->maps.failure_counters, slot_);
}

Result<std::unique_ptr<FailureProber>> FailureProber::make(Method method) {
  keep_libbpf_warnings();
  std::unique_ptr<FailureProber> prober(new FailureProber(method));
  if (auto ok = prober->load(); !ok) return fail(ok.error());
  return prober;
}

Result<void> FailureProber::load() {
  skeleton_ = failure_bpf::open();
  if (skeleton_ == nullptr) return fail(load_error(errno));
  if (skeleton_->rodata->goleakd_wire_version != GOLEAKD_WIRE_VERSION) {
    return fail(ErrorKind::invalid, "the BPF object speaks another version of bpf/wire.h than this program");
  }
  bpf_program__set_autoload(skeleton_->progs.failure_multi, method_ == Method::uprobe_multi);
  bpf_program__set_autoload(skeleton_->progs.failure_perf, method_ == Method::perf_event);
  if (const int error = failure_bpf::load(skeleton_); error != 0) return fail(load_error(-error));
  const auto on_record = [](void* self, void* data, std::size_t size) {
    auto& prober = *static_cast<FailureProber*>(self);
    goleakd_failure record{};
    if (size >= sizeof(record.head)) {
      std::memcpy(&record, data, std::min(size, sizeof(record)));
      (*prober.each_)(record);
    }
    // libbpf goes on for as long as records come. Everything that was there at the start has been handed over by now.
    const std::size_t fit = bpf_map__max_entries(prober.skeleton_->maps.failures) / sizeof(record.head);
    return ++prober.drained_ < fit ? 0 : -1;
  };
  ring_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.failures), on_record, this, nullptr);
  if (ring_ == nullptr) return fail(Error::from_errno(errno, "mapping the ring of panics and deaths"));
  storm_ring_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.storms), on_record, this, nullptr);
  if (storm_ring_ == nullptr) return fail(Error::from_errno(errno, "mapping the ring of storms"));
  return {};
}

FailureProber::~FailureProber() {
  detacher_.finish();
  ring_buffer__free(ring_);
  ring_buffer__free(storm_ring_);
  failure_bpf::destroy(skeleton_);
}

Result<std::unique_ptr<FailureProbes>> FailureProber::probes() {
  const auto slot = slots_.take();
  if (!slot) {
    return fail(ErrorKind::unsupported, std::to_string(GOLEAKD_SLOTS) + " processes are probed already; no more fit");
  }
  clear_counters<goleakd_failure_counters>(skeleton_->maps.failure_counters, *slot);
  return std::unique_ptr<FailureProbes>(new FailureProbes(*this, *slot));
}

void FailureProber::set_up(std::uint16_t slot, const target::Layout& layout, std::uint32_t window_hits) {
  goleakd_failure_target target{};
  target.goid = static_cast<goleakd_u16>(layout.g.goid);
  target.panic_arg = panic_arg(layout);
  target.window_hits = window_hits;
  const std::uint32_t key = slot;
  bpf_map__update_elem(skeleton_->maps.failure_targets, &key, sizeof(key), &target, sizeof(target), BPF_ANY);
}

int FailureProber::storm_fd() const { return ring_buffer__epoll_fd(storm_ring_); }

void FailureProber::drain(const std::function<void(const goleakd_failure&)>& each) {
  each_ = &each;
  drained_ = 0;
  ring_buffer__consume(storm_ring_);
  ring_buffer__consume(ring_);
  each_ = nullptr;
}

}  // namespace goleakd::probe

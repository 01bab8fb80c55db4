// SPDX-License-Identifier: Apache-2.0
#include "probe/prober.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>

#include "goroutine.skel.h"
#include "probe/bpf_load.h"

namespace goleakd::probe {
namespace {

// BPF_TRACE_UPROBE_MULTI of linux/bpf.h since Linux 6.6, which the kernel headers of Debian 12 do not have yet.
constexpr auto kUprobeMulti = static_cast<bpf_attach_type>(48);

// What the kernel says about a link on "/", with the pid -1: EINVAL where uprobe_multi filters by process (Linux 6.10,
// and stable kernels since), EBADF where it filters by thread and so would lose nearly all events of a Go program,
// something else where there is no uprobe_multi. libbpf's own probe (src/features.c) asks the same.
bool uprobe_multi_works(int program) {
  const unsigned long offset = 0;
  LIBBPF_OPTS(bpf_link_create_opts, options);
  options.uprobe_multi.path = "/";
  options.uprobe_multi.offsets = &offset;
  options.uprobe_multi.cnt = 1;
  UniqueFd link(bpf_link_create(program, -1, kUprobeMulti, &options));
  if (link || errno != EBADF) return false;
  options.uprobe_multi.pid = static_cast<__u32>(-1);
  link.reset(bpf_link_create(program, -1, kUprobeMulti, &options));
  return !link && errno == EINVAL;
}

Error attach_error(int number, const target::GoProcess& process, Method method) {
  const std::string where = "probing process " + std::to_string(process.pid);
  if ((number == EPERM || number == EACCES) && method == Method::perf_event) {
    return {ErrorKind::permission, where +
                                       ": this kernel gives uprobes only to CAP_SYS_ADMIN (it has no working "
                                       "uprobe_multi); see docs/operating.md"};
  }
  if (number == EPERM || number == EACCES) {
    return {ErrorKind::permission, where + ": needs CAP_PERFMON, and CAP_SYS_PTRACE for processes of other users"};
  }
  return Error::from_errno(number, where);
}

std::size_t possible_cpus() { return static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)); }

std::uint64_t cookie_of(const Probe& probe, const target::Layout& layout, std::uint16_t slot) {
  constexpr std::uint32_t kWord = 8;
  goleakd_cookie cookie{};
  cookie.point = static_cast<goleakd_u8>(probe.point);
  cookie.flags = probe.site.kind == SiteKind::stack_check ? GOLEAKD_FLAG_STACK_CHECK : 0;
  cookie.goid_word = static_cast<goleakd_u8>(layout.g.goid / kWord);
  cookie.parent_goid_word =
      static_cast<goleakd_u8>(target::present(layout.g.parent_goid) ? layout.g.parent_goid / 8 : 0);
  cookie.gopc_word = static_cast<goleakd_u8>(layout.g.gopc / kWord);
  cookie.slot = slot;
  return std::bit_cast<std::uint64_t>(cookie);
}

}  // namespace

std::string_view to_string(Method method) { return method == Method::uprobe_multi ? "uprobe_multi" : "perf_event"; }

std::string libbpf_version() {
  std::string text = libbpf_version_string();  // "v1.4"
  return text.starts_with('v') ? text.substr(1) : text;
}

Attachment::~Attachment() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
  prober_.slots_[slot_] = false;
}

goleakd_counters Attachment::counters() const {
  std::vector<goleakd_counters> per_cpu(possible_cpus());
  const std::uint32_t key = slot_;
  goleakd_counters sum{};
  if (bpf_map__lookup_elem(prober_.skeleton_->maps.counters, &key, sizeof(key), per_cpu.data(),
                           per_cpu.size() * sizeof(goleakd_counters), 0) != 0) {
    return sum;
  }
  for (const goleakd_counters& one : per_cpu) {
    for (std::size_t kind = 0; kind < GOLEAKD_KINDS; ++kind) sum.hits[kind] += one.hits[kind];
    sum.lost_ring += one.lost_ring;
    sum.lost_unreadable += one.lost_unreadable;
  }
  return sum;
}

Result<std::unique_ptr<Prober>> Prober::make(const Options& options) {
  keep_libbpf_warnings();
  std::unique_ptr<Prober> prober(new Prober());
  if (options.method != Method::perf_event) {
    if (auto ok = prober->load(Method::uprobe_multi, options.ring_bytes); !ok) return fail(ok.error());
    if (uprobe_multi_works(bpf_program__fd(prober->skeleton_->progs.goroutine_multi))) return prober;
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
  bpf_program__set_autoload(skeleton_->progs.goroutine_multi, method == Method::uprobe_multi);
  bpf_program__set_autoload(skeleton_->progs.goroutine_perf, method == Method::perf_event);
  bpf_map__set_max_entries(skeleton_->maps.events, ring_bytes);
  if (const int error = goroutine_bpf::load(skeleton_); error != 0) return fail(load_error(-error));
  const auto on_event = [](void* self, void* data, std::size_t size) {
    auto& prober = *static_cast<Prober*>(self);
    if (size >= sizeof(goleakd_event)) (*prober.each_)(*static_cast<const goleakd_event*>(data));
    // libbpf goes on for as long as events come. Everything that was there at the start has been handed over by now.
    return ++prober.drained_ < prober.ring_events_ ? 0 : -1;
  };
  ring_events_ = ring_bytes / sizeof(goleakd_event);
  ring_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.events), on_event, this, nullptr);
  if (ring_ == nullptr) return fail(Error::from_errno(errno, "mapping the event ring"));
  return {};
}

void Prober::unload() {
  ring_buffer__free(ring_);
  ring_ = nullptr;
  goroutine_bpf::destroy(skeleton_);
  skeleton_ = nullptr;
}

Prober::~Prober() { unload(); }

// Round robin, so that a slot is used again only long after the last event of its former target has left the ring.
std::optional<std::uint16_t> Prober::take_slot() {
  for (std::size_t tried = 0; tried < slots_.size(); ++tried) {
    const std::size_t slot = next_slot_;
    next_slot_ = (next_slot_ + 1) % slots_.size();
    if (slots_[slot]) continue;
    slots_[slot] = true;
    const std::vector<goleakd_counters> zero(possible_cpus());
    const auto key = static_cast<std::uint32_t>(slot);
    bpf_map__update_elem(skeleton_->maps.counters, &key, sizeof(key), zero.data(),
                         zero.size() * sizeof(goleakd_counters), BPF_ANY);
    return static_cast<std::uint16_t>(slot);
  }
  return std::nullopt;
}

Result<std::unique_ptr<Attachment>> Prober::attach(const target::GoProcess& process, const Plan& plan) {
  if (plan.probes.empty()) return fail(ErrorKind::unsupported, plan.spawn_exit_refused);
  const auto slot = take_slot();
  if (!slot) {
    return fail(ErrorKind::unsupported, std::to_string(GOLEAKD_SLOTS) + " processes are probed already; no more fit");
  }
  std::unique_ptr<Attachment> attachment(new Attachment(*this, *slot));
  const auto ok = method_ == Method::uprobe_multi ? attach_multi(*attachment, process, plan)
                                                  : attach_perf(*attachment, process, plan);
  if (!ok) return fail(ok.error());
  attachment->spawn_exit_ = plan.has_spawn_exit();
  attachment->park_unpark_ = plan.has_park_unpark();
  return attachment;
}

Result<void> Prober::attach_multi(Attachment& attachment, const target::GoProcess& process, const Plan& plan) {
  std::vector<unsigned long> offsets;
  std::vector<__u64> cookies;
  for (const Probe& probe : plan.probes) {
    offsets.push_back(probe.file_offset);
    cookies.push_back(cookie_of(probe, process.binary->layout(), attachment.slot()));
  }
  LIBBPF_OPTS(bpf_uprobe_multi_opts, options);
  options.offsets = offsets.data();
  options.cookies = cookies.data();
  options.cnt = offsets.size();
  const std::string path = process.binary->elf().own_path();
  bpf_link* link =
      bpf_program__attach_uprobe_multi(skeleton_->progs.goroutine_multi, process.pid, path.c_str(), nullptr, &options);
  if (link == nullptr) return fail(attach_error(errno, process, method_));
  attachment.links_.push_back(link);
  return {};
}

Result<void> Prober::attach_perf(Attachment& attachment, const target::GoProcess& process, const Plan& plan) {
  const std::string path = process.binary->elf().own_path();
  for (const Probe& probe : plan.probes) {
    LIBBPF_OPTS(bpf_uprobe_opts, options);
    options.bpf_cookie = cookie_of(probe, process.binary->layout(), attachment.slot());
    bpf_link* link = bpf_program__attach_uprobe_opts(skeleton_->progs.goroutine_perf, process.pid, path.c_str(),
                                                     probe.file_offset, &options);
    if (link == nullptr) return fail(attach_error(errno, process, method_));
    attachment.links_.push_back(link);
  }
  return {};
}

void Prober::drain(const std::function<void(const goleakd_event&)>& each) {
  each_ = &each;
  drained_ = 0;
  ring_buffer__consume(ring_);
  each_ = nullptr;
}

}  // namespace goleakd::probe

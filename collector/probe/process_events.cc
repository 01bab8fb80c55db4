// SPDX-License-Identifier: Apache-2.0
#include "probe/process_events.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "bpf/process_wire.h"
#include "probe/bpf_load.h"
#include "process.skel.h"

namespace goleakd::probe {
namespace {

// The inode of the pid namespace that /proc counts in, provided that it is this process's own.
Result<std::uint32_t> own_pid_namespace() {
  std::array<char, 16> self{};
  const ssize_t length = ::readlink("/proc/self", self.data(), self.size());
  if (length < 0) return fail(Error::from_errno(errno, "reading /proc/self"));
  if (std::string_view(self.data(), static_cast<std::size_t>(length)) != std::to_string(::getpid())) {
    return fail(ErrorKind::unsupported, "/proc shows another pid namespace than the one that goleakd runs in");
  }
  struct stat status {};
  if (::stat("/proc/self/ns/pid", &status) != 0) {
    return fail(Error::from_errno(errno, "looking at /proc/self/ns/pid"));
  }
  return static_cast<std::uint32_t>(status.st_ino);
}

// PROC_PID_INIT_INO of linux/proc_ns.h: the outermost pid namespace, in every kernel.
constexpr std::uint32_t kOutermostPids = 0xEFFFFFFC;

// By what the kernel tells whom it kills for want of memory.
enum class Victim : std::uint8_t { task, number };

// From its type information: the prototype of that tracepoint's functions, whose first parameter is their own.
Result<Victim> victim_form() {
  btf* kernel = btf__load_vmlinux_btf();
  if (kernel == nullptr) return fail(Error::from_errno(errno, "reading the kernel's type information"));
  const std::unique_ptr<btf, void (*)(btf*)> owner(kernel, btf__free);
  const auto type_of = [&](std::uint32_t id) { return btf__type_by_id(kernel, id); };
  const int id = btf__find_by_name_kind(kernel, "btf_trace_mark_victim", BTF_KIND_TYPEDEF);
  if (id < 0) return fail(ErrorKind::unsupported, "this kernel has no tracepoint mark_victim");
  const btf_type* pointer = type_of(type_of(static_cast<std::uint32_t>(id))->type);
  const btf_type* function = btf_is_ptr(pointer) ? type_of(pointer->type) : nullptr;
  if (function == nullptr || !btf_is_func_proto(function) || btf_vlen(function) < 2) {
    return fail(ErrorKind::unsupported, "this kernel's tracepoint mark_victim has a form that is not known");
  }
  return btf_is_ptr(type_of(btf_params(function)[1].type)) ? Victim::task : Victim::number;
}

ProcessEvent::Kind kind_of(goleakd_u32 kind) {
  if (kind == GOLEAKD_PROCESS_OUT_OF_MEMORY) return ProcessEvent::Kind::out_of_memory;
  return kind == GOLEAKD_PROCESS_EXEC ? ProcessEvent::Kind::executed : ProcessEvent::Kind::ended;
}

ProcessEvent from_wire(const goleakd_process_event& event) {
  static const auto kTicksPerSecond = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return {.kind = kind_of(event.kind),
          .pid = static_cast<int>(event.pid),
          .start_ticks = event.start_ns / (1'000'000'000U / kTicksPerSecond),  // fs/proc/array.c: nsec_to_clock_t
          .at = instant_from_ns(event.time_ns)};
}

}  // namespace

Result<std::unique_ptr<ProcessEvents>> ProcessEvents::make() {
  const auto pid_namespace = own_pid_namespace();
  if (!pid_namespace) return fail(pid_namespace.error());
  std::unique_ptr<ProcessEvents> events(new ProcessEvents());
  if (auto ok = events->load(*pid_namespace); !ok) return fail(ok.error());
  return events;
}

Result<void> ProcessEvents::load(std::uint32_t pid_namespace) {
  keep_libbpf_warnings();
  skeleton_ = process_bpf::open();
  if (skeleton_ == nullptr) return fail(load_error(errno));
  if (skeleton_->rodata->goleakd_wire_version != GOLEAKD_WIRE_VERSION) {
    return fail(ErrorKind::invalid, "the BPF object speaks another version of bpf/wire.h than this program");
  }
  skeleton_->rodata->goleakd_pid_namespace = pid_namespace;
  const auto victim = victim_form();
  if (!victim) {
    oom_kills_unavailable_ = victim.error().message();
  } else if (*victim == Victim::number && pid_namespace != kOutermostPids) {
    oom_kills_unavailable_ =
        "this kernel tells of them by numbers of the outermost pid namespace, and goleakd runs in another";
  }
  skeleton_->rodata->goleakd_victim_is_task = victim && *victim == Victim::task ? 1 : 0;
  bpf_program__set_autoattach(skeleton_->progs.out_of_memory, false);
  if (const int error = process_bpf::load(skeleton_); error != 0) return fail(load_error(-error));
  ring_events_ = bpf_map__max_entries(skeleton_->maps.process_events) / sizeof(goleakd_process_event);
  const auto on_event = [](void* self, void* data, std::size_t size) {
    auto& events = *static_cast<ProcessEvents*>(self);
    if (size >= sizeof(goleakd_process_event)) {
      (*events.each_)(from_wire(*static_cast<const goleakd_process_event*>(data)));
    }
    // libbpf goes on for as long as events come. Everything that was there at the start has been handed over by now.
    return ++events.drained_ < events.ring_events_ ? 0 : -1;
  };
  ring_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.process_events), on_event, this, nullptr);
  if (ring_ == nullptr) return fail(Error::from_errno(errno, "mapping the ring of process events"));
  if (const int error = process_bpf::attach(skeleton_); error != 0) return fail(load_error(-error));
  if (oom_kills_unavailable_.empty()) attach_to_oom_killer();
  return {};
}

// Without it the rest goes on.
void ProcessEvents::attach_to_oom_killer() {
  skeleton_->links.out_of_memory = bpf_program__attach(skeleton_->progs.out_of_memory);
  if (skeleton_->links.out_of_memory == nullptr) oom_kills_unavailable_ = load_error(errno).message();
}

ProcessEvents::~ProcessEvents() {
  ring_buffer__free(ring_);
  process_bpf::destroy(skeleton_);
}

void ProcessEvents::drain(const std::function<void(const ProcessEvent&)>& each) {
  each_ = &each;
  drained_ = 0;
  ring_buffer__consume(ring_);
  each_ = nullptr;
}

std::uint64_t ProcessEvents::lost() const {
  const volatile std::uint64_t* counter = &skeleton_->bss->goleakd_processes_lost;  // the kernel writes it
  return *counter;
}

}  // namespace goleakd::probe

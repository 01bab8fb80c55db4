// SPDX-License-Identifier: Apache-2.0
#include "probe/process_events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
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

ProcessEvent from_wire(const goleakd_process_event& event) {
  static const auto kTicksPerSecond = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return {.kind = event.kind == GOLEAKD_PROCESS_EXEC ? ProcessEvent::Kind::executed : ProcessEvent::Kind::ended,
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
  return {};
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

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/wait_objects.h"

#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "snapshot/notify_list.h"
#include "snapshot/page_cache.h"
#include "snapshot/read_each.h"
#include "snapshot/runtime_check.h"
#include "snapshot/semaphore_site.h"
#include "snapshot/semaphores.h"
#include "snapshot/sudog.h"
#include "snapshot/traceback.h"
#include "snapshot/type_names.h"

namespace goleakd::snapshot {
namespace {

// From then on g.waiting names semaphores and notifyLists too, for the runtime's own leak profile
// (src/runtime/sema.go).
constexpr int kWaitingNamesAllSince = 26;

// The reader of one snapshot. Each kind of object is read for all its goroutines at once.
class Objects {
 public:
  Objects(const target::GoProcess& process, const Memory& memory, const Snapshot& snapshot)
      : process_(process),
        layout_(process.binary->layout()),
        memory_(memory),
        snapshot_(snapshot),
        raw_(snapshot.raw),
        kinds_(raw_.size()) {
    found_.of.resize(raw_.size());
  }

  WaitObjects read() {
    find_kinds();
    read_channels();
    read_semaphores();
    read_conds();
    read_timers();
    read_descriptors();
    read_threads();
    const auto still = still_stopped(layout_, memory_, raw_);
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      if (!still[i]) found_.of[i] = {};
    }
    return std::move(found_);
  }

 private:
  struct Semaphore {
    std::size_t of;  // index of the goroutine
    std::uint64_t address;
    SemaphoreSite site;
  };

  void find_kinds() {
    const WaitKinds by_number = wait_kinds(layout_);
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      if (raw_[i].blocked()) kinds_[i] = by_number[raw_[i].wait_reason];
    }
  }

  template <typename Wanted>
  std::vector<std::size_t> indices(const Wanted& wanted) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      if (wanted(i)) found.push_back(i);
    }
    return found;
  }

  std::vector<std::size_t> of_kind(WaitKind kind) const {
    return indices([&](std::size_t i) { return kinds_[i] == kind; });
  }

  std::vector<Sought> sought(const std::vector<std::size_t>& goroutines) const {
    std::vector<Sought> all;
    all.reserve(goroutines.size());
    for (const std::size_t i : goroutines) all.push_back({&raw_[i], snapshot_.goroutines[i].stack});
    return all;
  }

  void read_channels() {
    auto waits = read_channel_waits(memory_, layout_, raw_, kinds_);
    TypeNames names(memory_, layout_, run_time(process_.binary->globals().firstmoduledata));
    for (ChannelState& state : waits.channels) {
      found_.channels.push_back({.state = state, .element = names.of(state.element_type)});
    }
    for (const ChannelUse& use : waits.uses) {
      const ChannelWait wait{.channel = use.channel, .side = use.side};
      WaitObject& object = found_.of[use.goroutine];
      if (kinds_[use.goroutine] != WaitKind::select) {
        object = wait;
      } else if (auto* select = std::get_if<SelectWait>(&object)) {
        select->cases.push_back(wait);
      } else {
        object = SelectWait{.cases = {wait}};
      }
    }
  }

  // Address of the semaphore (or, in sync.Cond.Wait, the notifyList) by index, 0 where it is not known.
  std::vector<std::uint64_t> named_by_waiting(const std::vector<bool>& wanted) const {
    std::vector<std::uint64_t> addresses(raw_.size());
    for (const WaitingSudog& waiting : read_waiting_sudogs(memory_, layout_.sudog, raw_, wanted)) {
      addresses[waiting.goroutine] = waiting.sudog.elem;
    }
    return addresses;
  }

  std::vector<std::uint64_t> semaphore_addresses(const std::vector<std::size_t>& waiting) const {
    if (layout_.minor >= kWaitingNamesAllSince) {
      std::vector<bool> wanted(raw_.size());
      for (const std::size_t i : waiting) wanted[i] = true;
      return named_by_waiting(wanted);
    }
    std::vector<std::uint64_t> addresses(raw_.size());
    const std::uint64_t semtable = run_time(process_.binary->globals().semtable);
    if (semtable == 0) return addresses;
    std::unordered_set<std::uint64_t> wanted;
    for (const std::size_t i : waiting) wanted.insert(raw_[i].address);
    // The trees turn while they are walked; who was missed stands still, and is found by another walk.
    bool missed = !waiting.empty();
    for (int walk = 0; walk < 2 && missed; ++walk) {
      missed = false;
      PageCache pages(memory_);
      const auto waiters = read_semaphore_waiters(memory_, pages, layout_, semtable, wanted);
      for (const std::size_t i : waiting) {
        if (const auto found = waiters.find(raw_[i].address); found != waiters.end()) addresses[i] = found->second;
        missed = missed || addresses[i] == 0;
      }
    }
    return addresses;
  }

  void read_semaphores() {
    const auto waiting = indices([&](std::size_t i) { return on_semaphore(kinds_[i]); });
    const auto addresses = semaphore_addresses(waiting);
    std::unordered_map<std::uint32_t, std::vector<std::string_view>> functions;  // of each stack
    std::array<std::vector<Semaphore>, static_cast<std::size_t>(WaitKind::semaphore) + 1> by_kind;
    for (const std::size_t i : waiting) {
      if (addresses[i] == 0) continue;
      const std::uint32_t stack = snapshot_.goroutines[i].stack;
      const auto [names, added] = functions.try_emplace(stack);
      if (added) {
        for (const LogicalFrame& frame : logical_frames(*process_.binary, snapshot_.stacks[stack]->frames)) {
          names->second.push_back(frame.source->function);
        }
      }
      const SemaphoreSite site = semaphore_site(names->second, kinds_[i]);
      by_kind[static_cast<std::size_t>(site.kind)].push_back({i, addresses[i], site});
    }
    const auto of = [&](WaitKind kind) { return std::span<const Semaphore>(by_kind[static_cast<std::size_t>(kind)]); };
    read_mutexes(of(WaitKind::mutex));
    read_rw_mutexes(of(WaitKind::rw_mutex_read));
    read_rw_mutexes(of(WaitKind::rw_mutex_write));
    read_wait_groups(of(WaitKind::wait_group));
    read_plain(of(WaitKind::semaphore));
  }

  // Calls visit(index of the goroutine, address, bytes) for the object that each semaphore is `offset` bytes inside of.
  template <typename Offset, typename Visit>
  void read_around(std::span<const Semaphore> semaphores, std::uint32_t size, const Offset& offset,
                   const Visit& visit) const {
    std::vector<std::uint64_t> addresses;
    for (const Semaphore& semaphore : semaphores) addresses.push_back(semaphore.address - offset(semaphore.site));
    read_each(memory_, addresses, size,
              [&](std::size_t i, ByteSpan bytes) { visit(semaphores[i].of, addresses[i], bytes); });
  }

  void read_mutexes(std::span<const Semaphore> semaphores) {
    const auto offset = [&](const SemaphoreSite&) { return layout_.mutex.sema; };
    read_around(semaphores, layout_.mutex.size, offset, [&](std::size_t i, std::uint64_t address, ByteSpan bytes) {
      if (const auto state = decode_mutex(bytes, layout_.mutex)) found_.of[i] = MutexWait{address, *state};
    });
  }

  void read_rw_mutexes(std::span<const Semaphore> semaphores) {
    const auto offset = [&](const SemaphoreSite& site) {
      if (site.behind_writer) return layout_.mutex.sema;  // RWMutex.w is its first field
      return site.kind == WaitKind::rw_mutex_read ? layout_.rw_mutex.reader_sem : layout_.rw_mutex.writer_sem;
    };
    const bool write = !semaphores.empty() && semaphores.front().site.kind == WaitKind::rw_mutex_write;
    read_around(semaphores, layout_.rw_mutex.size, offset, [&](std::size_t i, std::uint64_t address, ByteSpan bytes) {
      const auto state = decode_rw_mutex(bytes, layout_.rw_mutex, layout_.mutex);
      if (state) found_.of[i] = RwMutexWait{address, write, *state};
    });
  }

  void read_wait_groups(std::span<const Semaphore> semaphores) {
    const auto offset = [&](const SemaphoreSite&) { return layout_.wait_group.sema; };
    read_around(semaphores, layout_.wait_group.size, offset, [&](std::size_t i, std::uint64_t address, ByteSpan bytes) {
      if (const auto state = decode_wait_group(bytes, layout_.wait_group))
        found_.of[i] = WaitGroupWait{address, *state};
    });
  }

  void read_plain(std::span<const Semaphore> semaphores) {
    std::unordered_map<std::uint64_t, std::uint64_t> waiters;
    for (const Semaphore& semaphore : semaphores) ++waiters[semaphore.address];
    const auto offset = [](const SemaphoreSite&) { return 0U; };
    read_around(semaphores, sizeof(std::uint32_t), offset, [&](std::size_t i, std::uint64_t address, ByteSpan bytes) {
      found_.of[i] = SemaphoreWait{address, read_at<std::uint32_t>(bytes, 0).value_or(0), waiters[address]};
    });
  }

  void read_conds() {
    const auto waiting = of_kind(WaitKind::cond);
    std::vector<std::uint64_t> conds;
    if (layout_.minor >= kWaitingNamesAllSince) {
      std::vector<bool> wanted(raw_.size());
      for (const std::size_t i : waiting) wanted[i] = true;
      const auto lists = named_by_waiting(wanted);
      for (const std::size_t i : waiting) conds.push_back(lists[i] == 0 ? 0 : lists[i] - layout_.cond.notify);
    } else {
      conds = find_conds(memory_, layout_, sought(waiting));
    }
    read_each(memory_, conds, layout_.cond.notify + layout_.notify_list.size, [&](std::size_t i, ByteSpan bytes) {
      const auto waiters = decode_notify_list(slice(bytes, layout_.cond.notify), layout_.notify_list);
      if (waiters) found_.of[waiting[i]] = CondWait{conds[i], *waiters};
    });
  }

  void read_timers() {
    const auto waiting = of_kind(WaitKind::sleep);
    std::vector<std::uint64_t> timers;
    timers.reserve(waiting.size());
    for (const std::size_t i : waiting) timers.push_back(raw_[i].timer);
    read_each(memory_, timers, layout_.timer.size, [&](std::size_t i, ByteSpan bytes) {
      const auto when = read_at<std::uint64_t>(bytes, layout_.timer.when);
      if (when) found_.of[waiting[i]] = SleepWait{timers[i], instant_from_ns(*when) - snapshot_.begin};
    });
  }

  void read_descriptors() {
    const auto waiting = of_kind(WaitKind::io);
    const auto descriptors = find_poll_descriptors(memory_, layout_, sought(waiting));
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (descriptors[i].address != 0) found_.of[waiting[i]] = descriptors[i];
    }
  }

  void read_threads() {
    const auto calling = indices([&](std::size_t i) { return raw_[i].status == GStatus::syscall && raw_[i].m != 0; });
    std::vector<std::uint64_t> threads;
    threads.reserve(calling.size());
    for (const std::size_t i : calling) threads.push_back(raw_[i].m);
    read_each(memory_, threads, layout_.m.size, [&](std::size_t i, ByteSpan bytes) {
      const auto id = read_at<std::uint64_t>(bytes, layout_.m.procid);
      const bool same = read_at<std::uint64_t>(bytes, layout_.m.curg) == raw_[calling[i]].address;
      if (id && same) found_.of[calling[i]] = SyscallWait{*id};
    });
  }

  std::uint64_t run_time(std::uint64_t link_time) const {
    return link_time == 0 ? 0 : process_.runtime_address(link_time);
  }

  const target::GoProcess& process_;
  const target::Layout& layout_;
  const Memory& memory_;
  const Snapshot& snapshot_;
  std::span<const RawGoroutine> raw_;
  std::vector<WaitKind> kinds_;
  WaitObjects found_;
};

}  // namespace

std::vector<bool> still_stopped(const target::Layout& layout, const Memory& memory,
                                std::span<const RawGoroutine> goroutines) {
  std::vector<std::uint64_t> addresses;
  for (const RawGoroutine& g : goroutines) addresses.push_back(g.address);
  std::vector<bool> still(goroutines.size());
  read_each(memory, addresses, layout.g.size, [&](std::size_t i, ByteSpan bytes) {
    const RawGoroutine now = decode_g(bytes, addresses[i], layout.g);
    still[i] = now.same_stop(goroutines[i]) && now.m == goroutines[i].m;
  });
  return still;
}

WaitObjects read_wait_objects(const target::GoProcess& process, const Memory& memory, const Snapshot& snapshot) {
  const bool doubtful = process.binary->layout_origin() == target::LayoutOrigin::nearest;
  if (doubtful && broken_wait_objects(process, memory, snapshot.raw)) {
    WaitObjects none;
    none.of.resize(snapshot.goroutines.size());
    return none;
  }
  return Objects(process, memory, snapshot).read();
}

}  // namespace goleakd::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/wait_kind.h"

#include <array>
#include <utility>

namespace goleakd::snapshot {

WaitKind wait_kind(std::string_view reason) {
  constexpr std::array<std::pair<std::string_view, WaitKind>, 11> kKinds{{
      {"IO wait", WaitKind::io},
      {"chan receive", WaitKind::channel_receive},
      {"chan send", WaitKind::channel_send},
      {"select", WaitKind::select},
      {"semacquire", WaitKind::semaphore},
      {"sleep", WaitKind::sleep},
      {"sync.Cond.Wait", WaitKind::cond},
      {"sync.Mutex.Lock", WaitKind::mutex},
      {"sync.RWMutex.Lock", WaitKind::rw_mutex_write},
      {"sync.RWMutex.RLock", WaitKind::rw_mutex_read},
      {"sync.WaitGroup.Wait", WaitKind::wait_group},
  }};
  for (const std::string_view suffix : {" (durable)", " (synctest)"}) {
    if (reason.ends_with(suffix)) reason.remove_suffix(suffix.size());
  }
  for (const auto& [text, kind] : kKinds) {
    if (reason == text) return kind;
  }
  return WaitKind::none;
}

WaitKinds wait_kinds(const target::Layout& layout) {
  WaitKinds kinds{};
  for (std::size_t number = 0; number < kinds.size(); ++number) {
    kinds[number] = wait_kind(layout.wait_reason(static_cast<std::uint8_t>(number)));
  }
  return kinds;
}

}  // namespace goleakd::snapshot

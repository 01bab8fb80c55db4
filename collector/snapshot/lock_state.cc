// SPDX-License-Identifier: Apache-2.0
#include "snapshot/lock_state.h"

namespace goleakd::snapshot {

std::optional<MutexState> decode_mutex(ByteSpan bytes, const target::MutexLayout& layout) {
  const auto state = read_at<std::uint32_t>(bytes, layout.state);
  if (!state) return std::nullopt;
  return MutexState{.locked = (*state & 1U) != 0,
                    .woken = (*state & 2U) != 0,
                    .starving = (*state & 4U) != 0,
                    .waiters = *state >> 3U};
}

std::optional<RwMutexState> decode_rw_mutex(ByteSpan bytes, const target::RwMutexLayout& layout,
                                            const target::MutexLayout& mutex) {
  constexpr std::int32_t kMaxReaders = 1 << 30;  // a writer takes that many from the count: rwmutexMaxReaders
  const auto count = read_at<std::int32_t>(bytes, layout.reader_count);
  const auto left = read_at<std::int32_t>(bytes, layout.reader_wait);
  const auto writers = decode_mutex(bytes, mutex);  // RWMutex.w, its first field
  if (!count || !left || !writers || *count < -kMaxReaders || *left < 0) return std::nullopt;
  const bool writer = *count < 0;
  return RwMutexState{.writer = writer,
                      .readers = static_cast<std::uint32_t>(writer ? *count + kMaxReaders : *count),
                      .readers_left = static_cast<std::uint32_t>(*left),
                      .writers_behind = writers->waiters};
}

std::optional<WaitGroupState> decode_wait_group(ByteSpan bytes, const target::WaitGroupLayout& layout) {
  constexpr std::uint64_t kWaiters = 0x7fffffff;  // the bit above marks a synctest bubble since Go 1.25
  const auto state = read_at<std::uint64_t>(bytes, layout.state);
  if (!state) return std::nullopt;
  return WaitGroupState{.counter = static_cast<std::int32_t>(*state >> 32U),
                        .waiters = static_cast<std::uint32_t>(*state & kWaiters)};
}

}  // namespace goleakd::snapshot

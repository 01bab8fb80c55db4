// SPDX-License-Identifier: Apache-2.0
#include "snapshot/poll_descriptor.h"

#include <algorithm>

#include "snapshot/read_each.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kMaxDescriptor = 1ULL << 31U;

// No field beyond these has to be readable.
std::uint32_t bytes_needed(const target::PollDescLayout& layout) {
  constexpr std::uint32_t kWord = sizeof(std::uint64_t);
  return std::max({layout.fd, layout.rg, layout.wg}) + kWord;
}

PollDescriptor decode(ByteSpan bytes, std::uint64_t address, std::uint64_t g, const target::PollDescLayout& layout) {
  const std::uint64_t fd = read_at<std::uint64_t>(bytes, layout.fd).value_or(kMaxDescriptor);
  const bool read = read_at<std::uint64_t>(bytes, layout.rg) == g;
  const bool write = read_at<std::uint64_t>(bytes, layout.wg) == g;
  if (fd >= kMaxDescriptor || read == write) return {};
  return {.address = address, .fd = fd, .write = write};
}

}  // namespace

std::vector<PollDescriptor> find_poll_descriptors(const Memory& memory, const target::Layout& layout,
                                                  std::span<const Sought> waiting) {
  const std::uint32_t size = bytes_needed(layout.poll_desc);
  const IsTheObject is_it = [&](const RawGoroutine& g, std::uint64_t address, ByteSpan bytes) {
    return decode(bytes, address, g.address, layout.poll_desc).address != 0;
  };
  const auto addresses = find_frame_pointers(memory, waiting, size, is_it);
  std::vector<PollDescriptor> found(waiting.size());
  read_each(memory, addresses, size, [&](std::size_t i, ByteSpan bytes) {
    found[i] = decode(bytes, addresses[i], waiting[i].g->address, layout.poll_desc);
  });
  return found;
}

}  // namespace goleakd::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/channels.h"

#include <string_view>

#include "base/bytes.h"

namespace goleakd::snapshot {
namespace {

bool waits_on_one_channel(const RawGoroutine& g, const target::Layout& layout) {
  const std::string_view reason = layout.wait_reason(g.wait_reason);
  return g.blocked() && g.waiting != 0 && (reason == "chan send" || reason == "chan receive");
}

// Reads `size` bytes at each address that is not 0; an empty span where there is nothing.
class Structs {
 public:
  Structs(std::size_t count, std::size_t size) : bytes_(count * size), size_(size) { requests_.resize(count); }
  void want(std::size_t index, std::uint64_t address) {
    requests_[index] = {.address = address, .into = std::span(bytes_).subspan(index * size_, size_), .done = false};
  }
  Result<void> read(const Memory& memory) {
    std::vector<ReadRequest> wanted;
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (requests_[i].address == 0) continue;
      wanted.push_back(requests_[i]);
      at.push_back(i);
    }
    if (auto ok = memory.read(wanted); !ok) return ok;
    for (std::size_t i = 0; i < wanted.size(); ++i) requests_[at[i]].done = wanted[i].done;
    return {};
  }
  ByteSpan operator[](std::size_t index) const {
    return requests_[index].done ? ByteSpan(requests_[index].into) : ByteSpan();
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t size_;
  std::vector<ReadRequest> requests_;
};

}  // namespace

Result<std::vector<std::optional<Channel>>> read_channels(const Memory& memory, const target::Layout& layout,
                                                          const std::vector<RawGoroutine>& goroutines) {
  std::vector<std::optional<Channel>> channels(goroutines.size());
  Structs sudogs(goroutines.size(), layout.sudog.size);
  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    if (waits_on_one_channel(goroutines[i], layout)) sudogs.want(i, goroutines[i].waiting);
  }
  if (auto ok = sudogs.read(memory); !ok) return fail(ok.error());

  Structs hchans(goroutines.size(), layout.hchan.size);
  std::vector<std::uint64_t> addresses(goroutines.size());
  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    // The sudog says whose it is: one that has been freed and used again says another g.
    if (read_at<std::uint64_t>(sudogs[i], layout.sudog.g) != goroutines[i].address) continue;
    addresses[i] = read_at<std::uint64_t>(sudogs[i], layout.sudog.c).value_or(0);
    hchans.want(i, addresses[i]);
  }
  if (auto ok = hchans.read(memory); !ok) return fail(ok.error());

  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    const ByteSpan bytes = hchans[i];
    if (bytes.empty()) continue;
    channels[i] = Channel{.address = addresses[i],
                          .length = read_at<std::uint64_t>(bytes, layout.hchan.qcount).value_or(0),
                          .capacity = read_at<std::uint64_t>(bytes, layout.hchan.dataqsiz).value_or(0),
                          .closed = read_at<std::uint32_t>(bytes, layout.hchan.closed).value_or(0) != 0};
    if (channels[i]->length > channels[i]->capacity) channels[i].reset();
  }
  return channels;
}

}  // namespace goleakd::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "base/large_array.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace goleakd {
namespace {

constexpr std::size_t kHugePage = 2U << 20U;  // of x86-64, and of arm64 with pages of 4 KiB

std::size_t up_to(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

// The last huge page is a whole one, unless more than an eighth of the memory would be there for nothing: then it is
// small ones, which may be hundreds of faults.
std::size_t mapped_size(std::size_t bytes) {
  static const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t whole = up_to(bytes, kHugePage);
  return whole - bytes <= bytes / 8 ? whole : up_to(bytes, kPage);
}

}  // namespace

// A huge page must begin at a multiple of its size.
void* map_large(std::size_t bytes) {
  const std::size_t size = mapped_size(bytes);
  void* mapped =
      ::mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::uint8_t*>(mapped);
  const std::size_t before =
      up_to(reinterpret_cast<std::uintptr_t>(begin), kHugePage) - reinterpret_cast<std::uintptr_t>(begin);
  if (before > 0) ::munmap(begin, before);
  if (before < kHugePage) ::munmap(begin + before + size, kHugePage - before);
  ::madvise(begin + before, size, MADV_HUGEPAGE);  // a kernel without them refuses, which is no harm
  return begin + before;
}

void unmap_large(void* memory, std::size_t bytes) noexcept { ::munmap(memory, mapped_size(bytes)); }

}  // namespace goleakd

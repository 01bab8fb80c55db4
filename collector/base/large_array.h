// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <vector>

namespace goleakd {

// Memory of its own from the kernel, on huge pages where that grants them on request (transparent_hugepage: madvise or
// always): then filling 100 MB takes 50 page faults instead of 25,000, which on a virtual machine cost more than the
// filling. Zeroed. Throws std::bad_alloc.
void* map_large(std::size_t bytes);
// Gives it back to the kernel at once.
void unmap_large(void* memory, std::size_t bytes) noexcept;

// For vectors that may grow to many megabytes, and had better be reserved as large as they get.
template <typename T>
struct LargeArrayAllocator {
  using value_type = T;

  LargeArrayAllocator() = default;
  template <typename Other>
  LargeArrayAllocator(const LargeArrayAllocator<Other>& /*other*/) {}  // NOLINT(google-explicit-constructor): as std's

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    if (!large(count)) return std::allocator<T>().allocate(count);
    return static_cast<T*>(map_large(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if (!large(count)) return std::allocator<T>().deallocate(memory, count);
    unmap_large(memory, count * sizeof(T));
  }
  bool operator==(const LargeArrayAllocator&) const = default;

 private:
  static constexpr std::size_t kLarge = 1U << 20U;
  static bool large(std::size_t count) { return count * sizeof(T) >= kLarge; }
};

template <typename T>
using LargeArray = std::vector<T, LargeArrayAllocator<T>>;

}  // namespace goleakd

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace goleakd {

// Memory of its own from the kernel, on huge pages where that grants them on request (transparent_hugepage: madvise or
// always): then filling 100 MB takes 50 page faults instead of 25,000, which on a virtual machine cost more than the
// filling. Zeroed. Throws std::bad_alloc.
void* map_large(std::size_t bytes);
// Gives it back to the kernel at once.
void unmap_large(void* memory, std::size_t bytes) noexcept;

// For vectors that may grow to many megabytes, and had better be reserved as large as they get. Numbers that resize()
// adds are not written: they are 0 in a vector that has never been longer, and what stood there before in another.
template <typename T>
struct LargeArrayAllocator {
  using value_type = T;

  LargeArrayAllocator() = default;
  template <typename Other>
  LargeArrayAllocator(const LargeArrayAllocator<Other>& /*other*/) {}  // NOLINT(google-explicit-constructor): as std's

  T* allocate(std::size_t count) {
    static_assert(alignof(T) <= alignof(std::max_align_t));
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    if (large(count)) return static_cast<T*>(map_large(count * sizeof(T)));
    void* const memory = std::calloc(count, sizeof(T));  // NOLINT(cppcoreguidelines-no-malloc): new does not zero
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if (large(count)) return unmap_large(memory, count * sizeof(T));
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): of calloc
  }
  template <typename U, typename... Arguments>
  void construct(U* place, Arguments&&... arguments) {
    if constexpr (sizeof...(Arguments) > 0 || !std::is_arithmetic_v<U>) {
      ::new (static_cast<void*>(place)) U(std::forward<Arguments>(arguments)...);
    }
  }
  bool operator==(const LargeArrayAllocator&) const = default;

 private:
  static constexpr std::size_t kLarge = 1U << 20U;
  static bool large(std::size_t count) { return count * sizeof(T) >= kLarge; }
};

template <typename T>
using LargeArray = std::vector<T, LargeArrayAllocator<T>>;

}  // namespace goleakd

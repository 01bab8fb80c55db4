// SPDX-License-Identifier: Apache-2.0
#include "snapshot/semaphore_site.h"

#include <algorithm>

namespace goleakd::snapshot {
namespace {

// The runtime's own, and its functions that other packages see under their name (sync.runtime_SemacquireMutex).
bool is_runtime(std::string_view function) {
  return function.starts_with("runtime.") || function.find(".runtime_Semacquire") != std::string_view::npos;
}

// In package internal/sync since Go 1.24.
bool is_mutex(std::string_view function) {
  return function.starts_with("sync.(*Mutex).") || function.starts_with("internal/sync.(*Mutex).");
}

}  // namespace

SemaphoreSite semaphore_site(std::span<const std::string_view> functions, WaitKind reason) {
  const auto first = std::ranges::find_if_not(functions, is_runtime);
  const auto outer = std::find_if_not(first, functions.end(), is_mutex);
  const std::string_view function = outer == functions.end() ? std::string_view() : *outer;
  if (outer != first) {
    if (function == "sync.(*RWMutex).Lock") return {.kind = WaitKind::rw_mutex_write, .behind_writer = true};
    return {.kind = WaitKind::mutex};
  }
  if (function == "sync.(*RWMutex).RLock") return {.kind = WaitKind::rw_mutex_read};
  if (function == "sync.(*RWMutex).Lock") return {.kind = WaitKind::rw_mutex_write};
  if (function == "sync.(*WaitGroup).Wait") return {.kind = WaitKind::wait_group};
  return {.kind = reason};
}

}  // namespace goleakd::snapshot

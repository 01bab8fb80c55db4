// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <utility>

#include "snapshot/birth_table.h"
#include "snapshot/g_slots.h"
#include "snapshot/memory.h"
#include "snapshot/stack_table.h"
#include "target/process.h"

namespace goleakd::snapshot {

// What is known of one process's goroutines from one snapshot to the next. Several threads may work on it, each on
// slots of its own.
struct KnownGoroutines {
  // Borrows memory.
  KnownGoroutines(std::shared_ptr<const target::GoProcess> of, const Memory& from)
      : process(std::move(of)), memory(from), layout(process->binary->layout()), births(process) {}

  std::shared_ptr<const target::GoProcess> process;
  const Memory& memory;
  const target::Layout& layout;
  GSlots slots;

  std::shared_mutex mutex;  // of the tables
  StackTable stacks;
  BirthTable births;

  std::atomic<bool> checked = false;  // that the layout is this program's; set once, after channels_usable
  bool channels_usable = true;
};

}  // namespace goleakd::snapshot

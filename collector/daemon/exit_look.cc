// SPDX-License-Identifier: Apache-2.0
#include "daemon/exit_look.h"

#include <utility>
#include <vector>

#include "daemon/goroutine_dump.h"
#include "snapshot/go_words.h"
#include "snapshot/read_each.h"

namespace goleakd::daemon {

ExitLook::ExitLook(const target::Procfs& proc, target::GoProcess process, int thread, std::string package,
                   std::string tests_of)
    : proc_(proc),
      process_(std::make_shared<const target::GoProcess>(std::move(process))),
      memory_(process_->pid),
      reader_(process_, memory_),
      thread_(static_cast<std::uint64_t>(proc.own_pid(thread))),
      package_(std::move(package)),
      tests_of_(std::move(tests_of)) {}

// It has a thread, and the thread is that one. 0: a thread of C exits, or it stands on a stack of the runtime's own.
ledger::Goid ExitLook::exiting_goroutine(const snapshot::Snapshot& snapshot) const {
  std::vector<std::uint64_t> threads;
  std::vector<std::size_t> of;
  for (std::size_t i = 0; i < snapshot.raw.size(); ++i) {
    if (snapshot.raw[i].m == 0) continue;
    threads.push_back(snapshot.raw[i].m);
    of.push_back(i);
  }
  const target::MLayout& layout = process_->binary->layout().m;
  ledger::Goid exiting = 0;
  const auto read = snapshot::read_each(memory_, threads, layout.size, [&](std::size_t i, ByteSpan bytes) {
    const snapshot::RawGoroutine& g = snapshot.raw[of[i]];
    if (read_at<std::uint64_t>(bytes, layout.procid) == thread_ &&
        read_at<std::uint64_t>(bytes, layout.curg) == g.address) {
      exiting = g.goid;
    }
  });
  return read ? exiting : 0;
}

bool ExitLook::single_processor() const {
  const std::uint64_t allp = process_->binary->globals().allp;
  if (allp == 0) return false;
  const auto header = memory_.value<snapshot::SliceHeader>(process_->runtime_address(allp));
  return header && header->length == 1;
}

Result<verify::Left> ExitLook::take(const verify::IgnoreRules& rules, const verify::Baseline& baseline) {
  auto snapshot = reader_.take({.raw = true, .pick = {}, .running = {}, .progress = {}});
  if (!snapshot) return fail(snapshot.error());
  if (snapshot->implausible != 0) {
    return fail(ErrorKind::invalid,
                std::to_string(snapshot->implausible) + " goroutines changed each time that they were read");
  }
  if (snapshot->goroutines.count_of_program() <= 1) return verify::Left{};
  const verify::Ending ending{.program = package_,
                              .tests_of = tests_of_,
                              .exiting = exiting_goroutine(*snapshot),
                              .single_processor = single_processor()};
  verify::Judge judge(ending, rules, baseline);
  const Instant now = snapshot->begin;
  DumpSource source(*process_, memory_, &proc_, now, std::move(*snapshot));
  source.each(source.numbers(true), [&](std::size_t, const ledger::GoroutineDump& g) {
    judge.add(g);
    return true;
  });
  return std::move(judge).finish();
}

}  // namespace goleakd::daemon

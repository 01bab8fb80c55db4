// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/commands.h"
#include "daemon/goroutine_dump.h"
#include "daemon/output_file.h"
#include "daemon/progress.h"
#include "pprof/goroutine_profile.h"
#include "snapshot/core_file.h"
#include "snapshot/process_memory.h"
#include "snapshot/reader.h"
#include "target/process.h"
#include "text/dump_json.h"
#include "text/dump_text.h"

namespace goleakd::daemon {
namespace {

// What is dumped: a process that lives, or what a core file has kept of one.
struct Subject {
  std::shared_ptr<const target::GoProcess> process;
  std::unique_ptr<snapshot::Memory> memory;
  std::map<std::uint64_t, snapshot::UnwindStart> running;
  std::optional<Instant> died;
};

Result<Subject> open_subject(const DumpOptions& options, const target::Procfs& proc) {
  target::BinaryCache binaries;
  if (options.pid) {
    auto process = target::GoProcess::open(proc, binaries, *options.pid);
    if (!process) return fail(process.error());
    return Subject{.process = std::make_shared<const target::GoProcess>(std::move(*process)),
                   .memory = std::make_unique<snapshot::ProcessMemory>(*options.pid),
                   .running = {},
                   .died = {}};
  }
  auto core = snapshot::open_core(options.core, options.binary, binaries);
  if (!core) return fail(core.error());
  return Subject{.process = std::move(core->process),
                 .memory = std::move(core->memory),
                 .running = std::move(core->running),
                 .died = core->died};
}

Result<snapshot::Snapshot> take(const Subject& subject, const target::Procfs& proc) {
  // Since Go 1.21 tracebacks show both ends of a long stack, and so its end must be found; before, only these.
  const bool both_ends = subject.process->binary->build_info().version.minor >= 21;
  Progress progress("reading goroutines");
  snapshot::Reader reader(subject.process, *subject.memory);
  auto snapshot = reader.take({.max_frames = both_ends ? std::size_t{4096} : std::size_t{100},
                               .stacks = true,
                               .raw = true,
                               .pick = {},
                               .running = subject.running,
                               .progress = [&](std::size_t done, std::size_t all) {
                                 progress.show(done, all);
                                 return true;
                               }});
  if (!snapshot && !subject.died && !subject.process->alive(proc)) {
    return fail(ErrorKind::gone, "process " + std::to_string(subject.process->pid) + " has ended");
  }
  return snapshot;
}

std::unique_ptr<ledger::DumpSink> make_sink(const DumpOptions& options, const Subject& subject, std::uint64_t torn,
                                            OutputFile& out) {
  const target::GoBinary& binary = *subject.process->binary;
  const ledger::ProcessDump head{.pid = subject.process->pid,
                                 .exe = subject.process->exe,
                                 .build_id = binary.elf().build_id(),
                                 .go_version = binary.build_info().version.text,
                                 .torn = torn};
  const auto write = [&out](std::string_view bytes) { out.write(bytes); };
  switch (options.format) {
    case DumpFormat::json:
      return std::make_unique<text::DumpJson>(
          head, version(), options.group_by ? text::DumpJson::Of::groups : text::DumpJson::Of::goroutines, write);
    case DumpFormat::pprof: {
      const std::chrono::nanoseconds now = std::chrono::system_clock::now().time_since_epoch();
      return std::make_unique<pprof::GoroutineProfile>(head, subject.died ? 0 : now.count(), write);
    }
    case DumpFormat::text:
      break;
  }
  return std::make_unique<text::DumpText>(
      text::DumpTextOptions{.go_minor = binary.build_info().version.minor,
                            .details = options.details || options.group_by.has_value() || out.terminal(),
                            .color = out.color()},
      write);
}

// Both return how many were left out.

std::uint64_t write_goroutines(const DumpOptions& options, DumpSource& source, ledger::DumpSink& sink,
                               const OutputFile& out) {
  const std::vector<std::size_t> numbers = source.numbers(options.filter.system);
  Progress progress("writing goroutines");
  const bool quiet = out.terminal();  // where the goroutines themselves pass by
  std::size_t done = 0;
  std::uint64_t found = 0;
  std::uint64_t left_out = 0;
  source.each(numbers, [&](std::size_t, const ledger::GoroutineDump& g) {
    if (!quiet) progress.show(++done, numbers.size());
    if (!options.filter.shows(g)) return true;
    if (options.limit != 0 && found == options.limit) {
      ++left_out;
    } else {
      ++found;
      sink.goroutine(g);
    }
    return !out.failed();
  });
  return left_out;
}

std::uint64_t write_groups(const DumpOptions& options, DumpSource& source, ledger::DumpSink& sink,
                           const OutputFile& out) {
  ledger::GoroutineGroups found(*options.group_by);
  {
    const std::vector<std::size_t> numbers = source.numbers(options.filter.system);
    Progress progress("grouping goroutines");
    std::size_t done = 0;
    source.each(numbers, [&](std::size_t number, const ledger::GoroutineDump& g) {
      progress.show(++done, numbers.size());
      if (options.filter.shows(g)) found.add(g, number);
      return true;
    });
  }
  const std::vector<ledger::GoroutineGroup> groups = std::move(found).worst_first();
  const std::size_t shown = options.limit == 0 ? groups.size() : std::min(groups.size(), options.limit);
  std::vector<std::size_t> examples;
  for (std::size_t i = 0; i < shown; ++i) examples.push_back(groups[i].first);
  std::size_t next = 0;
  source.each(examples, [&](std::size_t, const ledger::GoroutineDump& g) {
    sink.group(groups[next++], g);
    return !out.failed();
  });
  return groups.size() - shown;
}

}  // namespace

Result<void> dump(const DumpOptions& options) {
  if (options.format == DumpFormat::pprof && options.group_by) {
    return fail(ErrorKind::invalid, "--group-by: a pprof profile is grouped by stack, pprof itself groups it further");
  }
  const target::Procfs proc;
  const auto subject = open_subject(options, proc);
  if (!subject) return fail(subject.error());
  auto snapshot = take(*subject, proc);
  if (!snapshot) return fail(snapshot.error());
  auto out = OutputFile::open(options.output);
  if (!out) return fail(out.error());
  if (options.format == DumpFormat::pprof && out->terminal()) {
    return fail(ErrorKind::invalid, "a pprof profile is no text for a terminal: give --output FILE");
  }
  const std::uint64_t torn = snapshot->implausible;
  const std::unique_ptr<ledger::DumpSink> sink = make_sink(options, *subject, torn, *out);
  const Instant now = subject->died.value_or(snapshot->begin);
  DumpSource source(*subject->process, *subject->memory, subject->died ? nullptr : &proc, now, std::move(*snapshot));
  const std::uint64_t left_out =
      options.group_by ? write_groups(options, source, *sink, *out) : write_goroutines(options, source, *sink, *out);
  if (auto ok = sink->end(left_out); !ok) return ok;
  if (auto ok = out->finish(); !ok) return ok;
  if (left_out != 0) {
    std::fprintf(stderr, "goleakd: %llu more %s left out (--limit)\n", static_cast<unsigned long long>(left_out),
                 options.group_by ? "groups" : "goroutines");
  }
  if (torn != 0) {
    std::fprintf(stderr, "goleakd: %llu goroutines changed while they were read and are left out\n",
                 static_cast<unsigned long long>(torn));
  }
  return {};
}

}  // namespace goleakd::daemon

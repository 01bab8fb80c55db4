// SPDX-License-Identifier: Apache-2.0
#include "text/history_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/duration.h"
#include "text/blocks.h"
#include "text/layout.h"
#include "verdict/leak.h"

namespace goleakd::text {
namespace {

using history::Change;
using history::LifeCycle;
using history::LifeStage;
using history::Seconds;
using history::SlowLeak;
using history::Version;
using history::View;

std::string ago(Seconds now, Seconds then) {
  return format_duration(std::chrono::seconds(std::max<Seconds>(now - then, 0))) + " ago";
}

// In the reader's time zone.
std::string clock(Seconds at) {
  const std::time_t time = at;
  std::tm fields{};
  std::array<char, 32> text{};
  if (::localtime_r(&time, &fields) == nullptr) return "?";
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &fields);
  return {text.data(), size};
}

std::string title(const LifeCycle& leak, bool color) {
  std::string word;
  std::string state = leak.severity;
  switch (leak.stage) {
    case LifeStage::leaking:
      word = colored("LEAK", "1;31", color);
      state += ", still there";
      break;
    case LifeStage::resolved:
      word = colored("RESOLVED", "32", color);
      state += ", its goroutines have ended";
      break;
    case LifeStage::gone:
      word = colored("GONE", "33", color);
      state += ", its processes have ended or are not watched any more";
      break;
  }
  return word + "  " + leak.id + "  [" + printable(state) + "]  " + printable(leak.service) + "\n";
}

std::string extent(const LifeCycle& leak) {
  std::string line = "  ";
  if (leak.stage == LifeStage::leaking) {
    line += counted(leak.count, "goroutine") + ", " + format_bytes(leak.bytes) + " of stacks; ";
  }
  return line + "at worst " + counted(leak.peak, "goroutine") + "\n";
}

std::string named(const Version& version) {
  return printable(version.name()) + " (" + printable(version.go_version) + ")";
}

// What a version without the leak is worth depends on how long it was watched.
std::string since(const LifeCycle& leak) {
  if (leak.versions.empty()) return {};
  std::string text = "version " + named(leak.versions.front());
  if (leak.before) {
    text += "; not seen in " + named(*leak.before) + ", which was watched for " +
            format_duration(std::chrono::seconds(leak.before->watched));
  } else {
    text += " at least, the first that was watched";
  }
  const auto later = leak.versions.size() - 1;
  if (later > 0) text += "; also in " + counted(later, "later version") + ", the newest " + named(leak.versions.back());
  return paragraph("since",
                   text + "; in " + std::to_string(leak.processes) + (leak.processes == 1 ? " process" : " processes"));
}

std::string changes(const LifeCycle& leak) {
  constexpr std::size_t kShown = 8;
  std::vector<std::vector<std::string>> table;
  const std::size_t hidden = leak.changes.size() - std::min(leak.changes.size(), kShown);
  for (std::size_t i = hidden; i < leak.changes.size(); ++i) {
    const Change& change = leak.changes[i];
    const bool there = change.stage == LifeStage::leaking;
    table.push_back({clock(change.at), std::string(history::to_string(change.stage)),
                     there ? counted(change.count, "goroutine") : "",
                     there ? printable(change.evidence + ", " + change.cause + ", " + change.severity) : ""});
  }
  std::vector<std::string> rows = align(table);
  if (hidden > 0) rows.push_back("and " + std::to_string(hidden) + " before that");
  return listing("changes", rows);
}

std::string counts(const LifeCycle& leak) {
  if (leak.counts.empty()) return {};
  double most = 0;
  for (const history::Count& count : leak.counts) most = std::max(most, count.mean);
  std::array<char, 48> largest{};
  std::snprintf(largest.data(), largest.size(), most < 10 ? "%.1f" : "%.0f", most);
  const Seconds first = leak.counts.front().at;
  const Seconds last = leak.counts.back().at + leak.counts.back().seconds;
  return listing("count", {plot(leak.counts), "all goroutines started there: up to " + std::string(largest.data()) +
                                                  ", from " + clock(first) + " on, over " +
                                                  format_duration(std::chrono::seconds(last - first))});
}

std::string started(const ledger::CreationSite& site) {
  return listing("started", align({{printable(site.function), location(site.file, site.line)}}));
}

std::string block(const LifeCycle& leak, Seconds now, bool color) {
  const verdict::Cause cause = verdict::cause_of(leak.cause);
  const std::string seen = clock(leak.first_seen) + ", " + ago(now, leak.first_seen) + "; last " +
                           clock(leak.last_seen) + ", " + ago(now, leak.last_seen);
  std::string text =
      title(leak, color) + extent(leak) + listing("first seen", {seen}) + since(leak) + started(leak.creation) +
      listing("stuck in",
              align({{printable(leak.function), location(leak.file, leak.line), "[" + printable(leak.reason) + "]"}})) +
      paragraph("cause", verdict::explain(cause)) +
      paragraph("evidence", printable(leak.evidence) + ": " + printable(leak.reasoning));
  if (!leak.ignored.empty()) text += paragraph("ignored", printable(leak.ignored));
  return text + paragraph("fix", verdict::advise(cause)) + counts(leak) + changes(leak);
}

std::string block(const SlowLeak& leak, bool color) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(),
                "in %zu of the last %zu processes it rises with uptime, %+.2g/h, each time from about %.0f, by %.0f "
                "until the end",
                leak.trend.rising, leak.trend.runs, leak.trend.per_hour, leak.trend.start, leak.trend.rise);
  std::string known;
  for (const std::string& id : leak.leaks) known += (known.empty() ? "" : ", ") + id;
  return colored("SLOW LEAK", "1;33", color) + "  [info, restarts hide it]  " + printable(leak.service) + "\n" +
         started(leak.creation) + paragraph("evidence", text.data()) +
         (known.empty() ? "" : listing("known as", {known}));
}

std::string end(const View& view, Seconds now) {
  if (!view.written) return view.path + ": no process was watched for long enough yet\n";
  std::string text = view.path + ": last written " + ago(now, *view.written);
  for (const auto& [what, number] : view.lost) {
    text += "; " + std::to_string(number) + " " + printable(what) + " deleted to keep its size";
  }
  return text + "\n";
}

}  // namespace

std::string plot(const std::vector<history::Count>& counts) {
  static constexpr std::array kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double most = 0;
  for (const history::Count& count : counts) most = std::max(most, count.mean);
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i > 0 && counts[i].seconds > 0) {
      const Seconds gap = (counts[i].at - counts[i - 1].at) / counts[i].seconds;
      text.append(static_cast<std::size_t>(std::max<Seconds>(gap - 1, 0)), ' ');
    }
    const double part = most == 0 ? 0 : counts[i].mean / most;
    text += kBlocks.at(static_cast<std::size_t>(std::lround(part * static_cast<double>(kBlocks.size() - 1))));
  }
  return text;
}

std::string history_text(const View& view, Seconds now, bool color) {
  std::string text;
  for (const LifeCycle& leak : view.leaks) text += block(leak, now, color) + "\n";
  for (const SlowLeak& leak : view.slow_leaks) text += block(leak, color) + "\n";
  if (text.empty()) text = "no leaks in history\n";
  return text + end(view, now);
}

}  // namespace goleakd::text

// SPDX-License-Identifier: Apache-2.0
#include "text/dump_text.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "base/hex.h"
#include "text/layout.h"
#include "text/object.h"

namespace goleakd::text {
namespace {

using ledger::GoroutineDump;
using ledger::ObjectDump;
using ledger::TracebackFrame;

std::string place(const TracebackFrame& frame) {
  std::string line = "\t" + location(frame.frame.file, frame.frame.line);
  if (!frame.inlined && frame.pc_offset != 0) line += " +" + hex(frame.pc_offset);
  return line + "\n";
}

// runtime.tracebackStringNeedsQuoting and printquoted, Go 1.27. Bytes of longer characters are left as they are.
std::string label_text(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '/' ||
           c == '_';
  };
  if (std::ranges::all_of(text, plain)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return printable(quoted) + "\"";
}

std::string labels(const GoroutineDump& g) {
  std::string text;
  for (const auto& [key, value] : g.labels) {
    text += (text.empty() ? "" : ", ") + label_text(key) + ": " + label_text(value);
  }
  return text;
}

std::string header(const GoroutineDump& g, const DumpTextOptions& options) {
  std::string line = "goroutine " + std::to_string(g.goid) + " [" + printable(g.state);
  if (g.waiting_minutes != 0) line += ", " + std::to_string(g.waiting_minutes) + " minutes";
  if (g.locked_to_thread) line += ", locked to thread";
  line += "]";
  if (options.go_minor >= 27 && !g.labels.empty()) line += " {" + labels(g) + "}";
  return emphasis(line, Emphasis::heading, options.color) + ":\n";
}

std::string frames_text(std::span<const TracebackFrame* const> frames) {
  std::string lines;
  for (const TracebackFrame* frame : frames) {
    const std::string& name = frame->frame.function;  // renamed by runtime.printFuncName
    lines += (name == "runtime.gopanic" ? "panic" : printable(name)) + "(...)\n" + place(*frame);
  }
  return lines;
}

std::string stack(const GoroutineDump& g, const DumpTextOptions& options) {
  if (g.frames.empty()) {
    // The runtime has words only for a goroutine that runs.
    return g.state == "running" ? "\tgoroutine running on other thread; stack unavailable\n"
                                : "\tstack unavailable: " + printable(g.stack_missing) + "\n";
  }
  std::vector<const TracebackFrame*> shown;
  for (const TracebackFrame& frame : g.frames) {
    if (!frame.hidden) shown.push_back(&frame);
  }
  if (shown.empty()) {  // then the runtime shows them after all
    for (const TracebackFrame& frame : g.frames) shown.push_back(&frame);
  }
  // runtime.traceback1 since Go 1.21: tracebackInnerFrames and tracebackOuterFrames.
  constexpr std::size_t kInner = 50;
  constexpr std::size_t kOuter = 50;
  std::string lines;
  const std::span<const TracebackFrame* const> all(shown);
  if (options.go_minor >= 21 && all.size() > kInner + kOuter) {
    lines = frames_text(all.first(kInner)) + "..." + std::to_string(all.size() - kInner - kOuter) +
            " frames elided...\n" + frames_text(all.last(kOuter));
  } else {
    lines = frames_text(all);
  }
  // Before, the runtime cuts a stack off after 100 frames and seldom says so.
  if (!g.stack_missing.empty()) lines += "..." + printable(g.stack_missing) + "...\n";
  return lines;
}

std::string created_by(const GoroutineDump& g) {
  if (!g.created_by) return {};
  std::string line = "created by " + printable(g.created_by->frame.function);
  if (g.parent != 0) line += " in goroutine " + std::to_string(g.parent);
  return line + "\n" + place(*g.created_by);
}

std::string details(const GoroutineDump& g, const DumpTextOptions& options) {
  std::vector<std::string> lines;
  if (g.object) {
    lines.push_back("# waits on " + object_text(*g.object));
    for (const ObjectDump& c : g.object->cases) lines.push_back("#   case " + object_text(c));
  }
  if (options.go_minor < 27 && !g.labels.empty()) lines.push_back("# labels {" + labels(g) + "}");
  std::string text;
  for (const std::string& line : lines) text += emphasis(line, Emphasis::aside, options.color) + "\n";
  return text;
}

}  // namespace

std::string goroutine_text(const GoroutineDump& g, const DumpTextOptions& options) {
  std::string text = header(g, options) + stack(g, options) + created_by(g);
  if (options.details) text += details(g, options);
  return text;
}

void DumpText::write(std::string text) {
  if (!first_) text.insert(0, "\n");
  first_ = false;
  output_(text);
}

void DumpText::goroutine(const GoroutineDump& g) { write(goroutine_text(g, options_)); }

void DumpText::group(const ledger::GoroutineGroup& group, const GoroutineDump& example) {
  constexpr std::size_t kShown = 10;
  const std::size_t count = group.goids.size();
  std::string ids;
  for (std::size_t i = 0; i < std::min(count, kShown); ++i) {
    ids += (i == 0 ? "" : ", ") + std::to_string(group.goids[i]);
  }
  const std::string title =
      std::to_string(count) + (count == 1 ? " goroutine: " : " goroutines: ") + printable(group.title);
  write(emphasis("# " + title, Emphasis::heading, options_.color) + "\n# ids: " + ids + (count > kShown ? ", …" : "") +
        "\n" + goroutine_text(example, options_));
}

Result<void> DumpText::end(std::uint64_t /*left_out*/) { return {}; }

}  // namespace goleakd::text

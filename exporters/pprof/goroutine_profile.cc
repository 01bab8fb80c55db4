// SPDX-License-Identifier: Apache-2.0
#include "pprof/goroutine_profile.h"

#include <algorithm>
#include <array>
#include <protozero/pbf_writer.hpp>

#include "pprof/gzip.h"

namespace goleakd::pprof {
namespace {

using protozero::pbf_tag_type;
using protozero::pbf_writer;

// Field numbers of proto/profile.proto.
struct Profile {
  static constexpr pbf_tag_type kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kFunction = 5,
                                kStringTable = 6, kTimeNanos = 9, kPeriodType = 11, kPeriod = 12;
};
struct ValueType {
  static constexpr pbf_tag_type kType = 1, kUnit = 2;
};
struct Sample {
  static constexpr pbf_tag_type kLocationId = 1, kValue = 2, kLabel = 3;
};
struct Label {
  static constexpr pbf_tag_type kKey = 1, kStr = 2;
};
struct Mapping {
  static constexpr pbf_tag_type kId = 1, kFilename = 5, kBuildId = 6, kHasFunctions = 7, kHasFilenames = 8,
                                kHasLineNumbers = 9, kHasInlineFrames = 10;
};
struct Location {
  static constexpr pbf_tag_type kId = 1, kMappingId = 2, kAddress = 3, kLine = 4;
};
struct Line {
  static constexpr pbf_tag_type kFunctionId = 1, kLine = 2;
};
struct Function {
  static constexpr pbf_tag_type kId = 1, kName = 2, kSystemName = 3, kFilename = 4;
};

// What the runtime leaves out when it takes a profile: wrappers (runtime.tracebackPCs: of methods, of `go` statements,
// and the functions that cmd/internal/objabi counts among them) and goexit (runtime/pprof's allFrames).
bool left_out(const ledger::TracebackFrame& frame) {
  constexpr std::array<std::string_view, 4> kOfTheRuntime{"runtime.deferreturn", "runtime.runOpenDeferFrame",
                                                          "runtime.deferCallSave", "runtime.goexit"};
  const std::string_view name = frame.frame.function;
  if (name.starts_with("runtime.")) return std::ranges::find(kOfTheRuntime, name) != kOfTheRuntime.end();
  // Beside those of the runtime, only wrappers and what is not Go is hidden.
  return frame.hidden && name.find('.') != std::string_view::npos;
}

constexpr std::uint64_t kExecutable = 1;  // the executable: there is no other

}  // namespace

GoroutineProfile::GoroutineProfile(const ledger::ProcessDump& process, std::int64_t time_ns, ledger::Output output)
    : output_(std::move(output)), time_ns_(time_ns), exe_(text(process.exe)), build_id_(text(process.build_id)) {}

std::int64_t GoroutineProfile::text(std::string_view text) {
  const auto known = text_ids_.find(text);
  if (known != text_ids_.end()) return known->second;
  const auto added = text_ids_.emplace(text, static_cast<std::int64_t>(texts_.size())).first;
  texts_.push_back(&added->first);
  return added->second;
}

std::uint64_t GoroutineProfile::function(const ledger::TracebackFrame& frame) {
  const std::string& name = frame.generic.empty() ? frame.frame.function : frame.generic;
  return functions_.try_emplace({text(name), text(frame.frame.file)}, functions_.size() + 1).first->second;
}

void GoroutineProfile::goroutine(const ledger::GoroutineDump& g) {
  Stack stack;
  LocationKey location;
  const auto finish_location = [&] {
    if (location.second.empty()) return;
    stack.locations.push_back(locations_.try_emplace(std::move(location), locations_.size() + 1).first->second);
    location = {};
  };
  // Inlined calls come before the function that has them, all with its pc. Where that one is left out, the next frame's
  // pc tells.
  for (const ledger::TracebackFrame& frame : g.frames) {
    if (left_out(frame)) continue;
    if (frame.pc != location.first) finish_location();
    location.first = frame.pc;
    location.second.emplace_back(function(frame), frame.frame.line);
    if (!frame.inlined) finish_location();
  }
  finish_location();
  for (const auto& [key, value] : g.labels) stack.labels.emplace_back(text(key), text(value));
  ++samples_[std::move(stack)];
}

void GoroutineProfile::group(const ledger::GoroutineGroup& /*group*/, const ledger::GoroutineDump& example) {
  goroutine(example);
}

std::string GoroutineProfile::encode() const {
  std::string bytes;
  pbf_writer profile(bytes);
  const auto value_type = [&](pbf_tag_type tag) {
    pbf_writer type(profile, tag);
    type.add_int64(ValueType::kType, goroutine_);
    type.add_int64(ValueType::kUnit, count_);
  };
  value_type(Profile::kSampleType);

  std::vector<std::pair<const Stack*, std::int64_t>> samples;
  samples.reserve(samples_.size());
  for (const auto& [stack, count] : samples_) samples.emplace_back(&stack, count);
  std::ranges::stable_sort(samples, std::greater(), &std::pair<const Stack*, std::int64_t>::second);
  for (const auto& [stack, count] : samples) {
    pbf_writer sample(profile, Profile::kSample);
    sample.add_packed_uint64(Sample::kLocationId, stack->locations.begin(), stack->locations.end());
    sample.add_packed_int64(Sample::kValue, &count, &count + 1);
    for (const auto& [key, value] : stack->labels) {
      pbf_writer label(sample, Sample::kLabel);
      label.add_int64(Label::kKey, key);
      label.add_int64(Label::kStr, value);
    }
  }
  {
    // From 0 to 0: pprof takes that for addresses that need no moving (internal/elfexec, GetBase).
    pbf_writer mapping(profile, Profile::kMapping);
    mapping.add_uint64(Mapping::kId, kExecutable);
    mapping.add_int64(Mapping::kFilename, exe_);
    mapping.add_int64(Mapping::kBuildId, build_id_);
    for (const pbf_tag_type known :
         {Mapping::kHasFunctions, Mapping::kHasFilenames, Mapping::kHasLineNumbers, Mapping::kHasInlineFrames}) {
      mapping.add_bool(known, true);
    }
  }
  for (const auto& [key, id] : locations_) {
    pbf_writer location(profile, Profile::kLocation);
    location.add_uint64(Location::kId, id);
    location.add_uint64(Location::kMappingId, kExecutable);
    location.add_uint64(Location::kAddress, key.first);
    for (const auto& [function, number] : key.second) {
      pbf_writer line(location, Location::kLine);
      line.add_uint64(Line::kFunctionId, function);
      line.add_int64(Line::kLine, number);
    }
  }
  for (const auto& [key, id] : functions_) {
    pbf_writer function(profile, Profile::kFunction);
    function.add_uint64(Function::kId, id);
    function.add_int64(Function::kName, key.first);
    function.add_int64(Function::kSystemName, key.first);
    function.add_int64(Function::kFilename, key.second);
  }
  for (const std::string* text : texts_) profile.add_string(Profile::kStringTable, *text);
  if (time_ns_ != 0) profile.add_int64(Profile::kTimeNanos, time_ns_);
  value_type(Profile::kPeriodType);
  profile.add_int64(Profile::kPeriod, 1);
  return bytes;
}

Result<void> GoroutineProfile::end(std::uint64_t /*left_out*/) {
  const auto packed = gzip(encode());
  if (!packed) return fail(packed.error());
  output_(*packed);
  return {};
}

}  // namespace goleakd::pprof

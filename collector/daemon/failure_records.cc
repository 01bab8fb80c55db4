// SPDX-License-Identifier: Apache-2.0
#include "daemon/failure_records.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "daemon/user_stack.h"
#include "probe/return_addresses.h"
#include "text/layout.h"

namespace goleakd::daemon {
namespace {

// What is counted is the target's: it may be made up.
constexpr std::size_t kMaxSites = 200;
constexpr std::size_t kMaxGoroutines = 10'000;
constexpr std::size_t kMaxNested = 16;
constexpr std::size_t kNoSite = ~std::size_t{0};  // there are too many already

std::vector<snapshot::LogicalFrame> frames_of(const target::GoProcess& process, const goleakd_failure& record) {
  const std::size_t frames = std::min<std::size_t>(record.frames, GOLEAKD_FAILURE_FRAMES);
  return frames_at(process, probe::return_addresses(record.caller, std::span(record.pcs).first(frames)));
}

snapshot::CopiedText text_of(const goleakd_failure& record) {
  const std::size_t size = std::min<std::size_t>(record.text_size, GOLEAKD_FAILURE_TEXT);
  return {.address = record.text_address,
          .length = record.text_length,
          .bytes = {reinterpret_cast<const char*>(record.text), size}};
}

snapshot::PanicValue value_of(const goleakd_failure& record) {
  const std::size_t size = std::min<std::size_t>(record.value_size, GOLEAKD_FAILURE_VALUE);
  return {.type = record.type, .bytes = std::span(record.value).first(size), .text = text_of(record)};
}

std::uint64_t module_data(const target::GoProcess& process) {
  const std::uint64_t address = process.binary->globals().firstmoduledata;
  return address == 0 ? 0 : process.runtime_address(address);
}

}  // namespace

FailureRecords::FailureRecords(const target::GoProcess& process)
    : process_(process),
      constants_(process),
      values_(constants_, process.binary->layout(), module_data(process), [&process](std::uint64_t address) {
        const target::ElfFile& elf = process.binary->elf();
        return elf.file_offset(process.link_address(address)) && !elf.is_writable(process.link_address(address));
      }) {}

std::optional<std::size_t> FailureRecords::current(std::uint64_t goid) const {
  const auto found = under_way_.find(goid);
  if (found == under_way_.end() || found->second.back() == kNoSite) return std::nullopt;
  return found->second.back();
}

std::optional<verdict::Incident> FailureRecords::add(const goleakd_failure& record) {
  std::optional<verdict::Incident> incident;
  switch (record.head.kind) {
    case GOLEAKD_PANIC:
      begin_panic(record);
      break;
    case GOLEAKD_RECOVER:
      recover(record);
      break;
    case GOLEAKD_FATALPANIC:
      incident = panicked(record);
      break;
    default:
      incident = gave_up(record);
  }
  if (!incident || std::exchange(ended_, true)) return std::nullopt;
  incident->at = instant_from_ns(record.head.time_ns);
  incident->goid = record.head.goid;
  incident->cut = record.text_length > GOLEAKD_FAILURE_TEXT;
  return incident;
}

void FailureRecords::begin_panic(const goleakd_failure& record) {
  const snapshot::PanicValue value = value_of(record);
  const auto frames = frames_of(process_, record);
  const ledger::Frame where = innermost_of_program(frames);
  verdict::PanicSite seen;
  seen.kind = values_.kind(value);
  seen.function = where.function;
  seen.file = where.file;
  seen.line = where.line;
  const auto same = [&](const verdict::PanicSite& site) {
    return site.line == seen.line && site.function == seen.function && site.kind == seen.kind && site.file == seen.file;
  };
  auto site = std::ranges::find_if(sites_, same);
  const bool is_new = site == sites_.end();
  if (is_new && sites_.size() < kMaxSites) {
    seen.first_at = instant_from_ns(record.head.time_ns);
    site = sites_.insert(sites_.end(), std::move(seen));
  }
  auto& nested = under_way_[record.head.goid];
  if (nested.size() == kMaxNested) nested.erase(nested.begin());
  nested.push_back(site == sites_.end() ? kNoSite : static_cast<std::size_t>(site - sites_.begin()));
  // Ids are not used again: the lowest is the one that has most likely ended.
  if (under_way_.size() > kMaxGoroutines) under_way_.erase(under_way_.begin());
  if (site == sites_.end()) {
    ++unattributed_;
    return;
  }
  ++site->panics;
  site->last_at = instant_from_ns(record.head.time_ns);
  site->text = values_.text(value).value_or("");
  site->stack = shown_stack(process_, frames);
  if (is_new) {
    spdlog::info("{} (pid {}): a panic with a {} in {}{}{}", process_.service, process_.pid,
                 text::printable(site->kind), text::printable(site->function), site->text.empty() ? "" : ": ",
                 text::printable(site->text));
  }
}

void FailureRecords::recover(const goleakd_failure& record) {
  const auto site = current(record.head.goid);
  if (site) {
    ++sites_[*site].recovered;
  } else {
    ++unattributed_;
  }
  const auto nested = under_way_.find(record.head.goid);
  if (nested == under_way_.end()) return;
  nested->second.pop_back();
  if (nested->second.empty()) under_way_.erase(nested);
}

// By now the runtime has replaced an error by what it says: whatever its type, that is a string.
verdict::Incident FailureRecords::panicked(const goleakd_failure& record) {
  const snapshot::PanicValue value = value_of(record);
  verdict::Incident incident;
  incident.death = verdict::Death::panic;
  incident.text = values_.text(value).value_or("");
  if (const auto site = current(record.head.goid)) {
    incident.kind = sites_[*site].kind;
  } else if (std::string kind = values_.kind(value); kind != "string") {
    incident.kind = std::move(kind);
  }
  locate(incident, record);
  return incident;
}

verdict::Incident FailureRecords::gave_up(const goleakd_failure& record) {
  verdict::Incident incident;
  incident.death = verdict::Death::fatal;
  incident.text = values_.text(text_of(record)).value_or("");
  locate(incident, record);
  return incident;
}

void FailureRecords::locate(verdict::Incident& incident, const goleakd_failure& record) const {
  const auto frames = frames_of(process_, record);
  incident.where = innermost_of_program(frames);
  incident.stack = shown_stack(process_, frames);
}

}  // namespace goleakd::daemon

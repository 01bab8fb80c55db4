// SPDX-License-Identifier: Apache-2.0
#include "target/stack_maps.h"

#include <algorithm>

namespace goleakd::target {
namespace {

// internal/abi: PCDATA_StackMapIndex, FUNCDATA_ArgsPointerMaps, FUNCDATA_LocalsPointerMaps.
constexpr std::uint32_t kIndexTable = 1;
constexpr std::uint32_t kArguments = 0;
constexpr std::uint32_t kLocals = 1;

constexpr std::int64_t kWord = 8;
constexpr std::int32_t kMaxMaps = 1 << 16;
constexpr std::int32_t kMaxWords = 1 << 17;  // of one frame: 1 MiB

}  // namespace

// runtime.stackmap: {n, nbit i32; bytedata}, n maps of nbit bits each, in whole bytes.
std::vector<bool> StackMaps::bits(const Pclntab::Function& function, std::uint32_t table, std::int32_t index) const {
  constexpr std::uint64_t kHeader = 8;
  constexpr std::uint64_t kBits = 8;
  const auto offset = functions_.funcdata(function, table);
  const auto header = offset ? elf_.read(gofunc_ + *offset, kHeader) : fail(ErrorKind::not_found, "no stack map");
  if (!header) return {};
  const std::int32_t maps = read_at<std::int32_t>(*header, 0).value_or(0);
  const std::int32_t words = read_at<std::int32_t>(*header, 4).value_or(0);
  if (index < 0 || index >= maps || maps > kMaxMaps || words <= 0 || words > kMaxWords) return {};
  const std::uint64_t bytes = (static_cast<std::uint64_t>(words) + kBits - 1) / kBits;
  const auto data = elf_.read(gofunc_ + *offset + kHeader + static_cast<std::uint64_t>(index) * bytes, bytes);
  if (!data) return {};
  std::vector<bool> live(static_cast<std::size_t>(words));
  for (std::size_t i = 0; i < live.size(); ++i) live[i] = ((*data)[i / kBits] >> (i % kBits) & 1U) != 0;
  return live;
}

std::vector<std::int64_t> StackMaps::live_words(const Pclntab::Function& function, std::uint64_t pc) const {
  // Without a value it is the code before the first one, for which the first map holds.
  const std::int32_t index = std::max(functions_.pcdata(function, kIndexTable, pc), 0);
  std::vector<std::int64_t> words;
  const auto add = [&](const std::vector<bool>& live, std::int64_t begin) {
    for (std::size_t i = 0; i < live.size(); ++i) {
      if (live[i]) words.push_back(begin + static_cast<std::int64_t>(i) * kWord);
    }
  };
  const std::vector<bool> locals = bits(function, kLocals, index);
  // They end where the caller's frame pointer is kept, right below the return address.
  add(locals, -kWord - static_cast<std::int64_t>(locals.size()) * kWord);
  add(bits(function, kArguments, index), kWord);
  return words;
}

}  // namespace goleakd::target

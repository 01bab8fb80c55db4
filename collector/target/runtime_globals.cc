// SPDX-License-Identifier: Apache-2.0
#include "target/runtime_globals.h"

#include <optional>
#include <set>
#include <string>

#include "target/code.h"
#include "target/wait_reasons.h"

namespace goleakd::target {
namespace {

using Addresses = std::set<std::uint64_t>;

constexpr std::uint64_t kWord = 8;

std::optional<std::uint64_t> only(const Addresses& found) {
  if (found.size() != 1) return std::nullopt;
  return *found.begin();
}

// Finds variables by the code that uses them: each anchor below held in every build of Go 1.19 and 1.21–1.27, plain,
// PIE and cgo (tests/integration/globals_test.py). Where the code says two things, the answer is none.
class Decoder {
 public:
  Decoder(const ElfFile& elf, const Pclntab& functions, const Layout& layout)
      : elf_(elf), functions_(functions), layout_(layout) {}

  // runtime.allgadd appends to it, and to no other slice: it names the three words of the slice header in a row.
  std::optional<std::uint64_t> allgs() const { return only(slices_in("runtime.allgadd")); }

  // runtime.procresize resizes it along with other slices; runtime.retake only goes through it.
  std::optional<std::uint64_t> allp() const {
    const Addresses used = named("runtime.retake");
    Addresses found;
    for (const std::uint64_t slice : slices_in("runtime.procresize")) {
      if (used.contains(slice) && used.contains(slice + kWord)) found.insert(slice);
    }
    return only(found);
  }

  // schedinit: sched.maxmcount = 10000; newproc1, which may have been inlined into newproc.func1, takes goroutine ids
  // from sched.goidgen.
  std::optional<std::uint64_t> sched() const {
    constexpr std::uint64_t kMaxThreads = 10000;
    Addresses found;
    each("runtime.schedinit", [&](const Instruction& instruction) {
      const auto address = instruction.rip_relative();
      if (address && instruction.is(ZYDIS_MNEMONIC_MOV) && instruction.immediate() == kMaxThreads) {
        found.insert(*address - layout_.sched.maxmcount);
      }
    });
    const auto address = only(found);
    if (!address) return std::nullopt;
    const std::uint64_t goidgen = *address + layout_.sched.goidgen;
    const bool takes_ids =
        named("runtime.newproc1").contains(goidgen) || named("runtime.newproc.func1").contains(goidgen);
    return takes_ids ? address : std::nullopt;
  }

  // mallocinit: mheap_.init(), the receiver in the first register.
  std::optional<std::uint64_t> mheap() const {
    const auto init = functions_.runtime_function("runtime.(*mheap).init");
    if (!init) return std::nullopt;
    Addresses found;
    std::optional<std::uint64_t> receiver;
    each("runtime.mallocinit", [&](const Instruction& instruction) {
      if (instruction.is_call() && instruction.branch_target() == init->entry && receiver) found.insert(*receiver);
      if (instruction.is(ZYDIS_MNEMONIC_LEA) && instruction.operands[0].reg.value == ZYDIS_REGISTER_RAX) {
        receiver = instruction.rip_relative();
      } else if (instruction.is_call()) {
        receiver.reset();
      }
    });
    return only(found);
  }

  // The one variable whose address both ends of a semaphore take: &semtable[…].root.
  std::optional<std::uint64_t> semtable() const {
    const Addresses released = variables_in("runtime.semrelease1");
    Addresses found;
    for (const std::uint64_t address : variables_in("runtime.semacquire1")) {
      if (released.contains(address)) found.insert(address);
    }
    return only(found);
  }

 private:
  template <typename Visit>
  void each(const char* function, const Visit& visit) const {
    const auto code = code_of_runtime(elf_, functions_, function);
    if (!code) return;
    for_each_instruction(code->bytes, code->address, [&](const Instruction& instruction) {
      visit(instruction);
      return true;
    });
  }

  Addresses named(const char* function) const {
    Addresses found;
    each(function, [&](const Instruction& instruction) {
      if (const auto address = instruction.rip_relative()) found.insert(*address);
    });
    return found;
  }

  // Where the first three words of something are named, and the one before is not: what handling a slice looks like.
  Addresses slices_in(const char* function) const {
    const Addresses words = named(function);
    Addresses found;
    for (const std::uint64_t address : words) {
      if (words.contains(address + kWord) && words.contains(address + 2 * kWord) && !words.contains(address - kWord)) {
        found.insert(address);
      }
    }
    return found;
  }

  Addresses variables_in(const char* function) const {
    Addresses found;
    each(function, [&](const Instruction& instruction) {
      const auto address = instruction.rip_relative();
      if (address && instruction.is(ZYDIS_MNEMONIC_LEA) && elf_.is_writable(*address)) found.insert(*address);
    });
    return found;
  }

  const ElfFile& elf_;
  const Pclntab& functions_;
  const Layout& layout_;
};

}  // namespace

Result<RuntimeGlobals> RuntimeGlobals::find(const ElfFile& elf, const Pclntab& functions, const Layout& layout,
                                            std::uint64_t firstmoduledata) {
  const Decoder decoder(elf, functions, layout);
  const auto address = [&](const char* symbol, auto decode) -> std::uint64_t {
    if (const auto known = elf.symbol(symbol)) return *known;
    return decode().value_or(0);
  };
  RuntimeGlobals globals;
  globals.allgs = address("runtime.allgs", [&] { return decoder.allgs(); });
  if (globals.allgs == 0) {
    return fail(ErrorKind::not_found, "runtime.allgs: no symbol, and runtime.allgadd does not name it as it should");
  }
  globals.allp = address("runtime.allp", [&] { return decoder.allp(); });
  globals.sched = address("runtime.sched", [&] { return decoder.sched(); });
  globals.mheap = address("runtime.mheap_", [&] { return decoder.mheap(); });
  globals.semtable = address("runtime.semtable", [&] { return decoder.semtable(); });
  globals.firstmoduledata = firstmoduledata;
  globals.wait_reason_strings = address("runtime.waitReasonStrings", [&]() -> std::optional<std::uint64_t> {
    const auto array = WaitReasonArray::find(elf, functions);
    return array ? std::optional(array->address) : std::nullopt;
  });
  return globals;
}

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#include "target/go_binary.h"

#include <algorithm>
#include <array>

#include "target/build_version.h"
#include "target/dwarf_layout.h"
#include "target/function_table.h"
#include "target/module_data.h"
#include "target/wait_reasons.h"

namespace goleakd::target {
namespace {

// Go's own prologues: `cmp 0x10(%r14),%rsp`, or the same with %r12 computed first for large frames. A text start that
// is off by anything shows another byte here.
bool begins_like_go(ByteSpan code) {
  constexpr std::array<std::uint8_t, 4> kSmallFrame{0x49, 0x3b, 0x66, 0x10};
  constexpr std::array<std::uint8_t, 3> kLargeFrame{0x4c, 0x8d, 0x64};
  const auto starts = [&](const auto& bytes) {
    return code.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), code.begin());
  };
  return starts(kSmallFrame) || starts(kLargeFrame);
}

// Where the code of the first function begins. The header says it up to Go 1.25; since then only the moduledata does,
// whose first fields have stood still from Go 1.16 to 1.27, so that any layout finds it.
Result<std::uint64_t> text_start(const ElfFile& elf, const ElfFile::Section& section, ByteSpan table) {
  const auto header = Pclntab::header(table);
  if (!header) return 0;               // Pclntab::parse says what is wrong with it
  if (header->text_at == 0) return 0;  // not needed
  const auto in_header = elf.read_pointer(section.address + header->text_at);
  if (in_header && *in_header != 0) return *in_header;
  const auto newest = layout_for(GoVersion{.minor = 27, .text = "go1.27"}, false);
  if (!newest) return fail(newest.error());
  const auto module_data = ModuleData::find(elf, *newest->layout, section.address, table);
  if (!module_data) return fail(module_data.error());
  return module_data->text;
}

}  // namespace

// What is read of one file, step by step: each needs what the ones before it have found.
class GoBinary::Loader {
 public:
  explicit Loader(Contents& contents) : contents_(contents), elf_(*contents.elf) {}

  Result<void> load() {
    const auto section = find_function_table(elf_);
    if (!section) return fail(ErrorKind::not_found, "not a Go program: there is no Go function table (.gopclntab)");
    elf_.load_link_tables();
    auto ok = load_functions(*section);
    if (ok) ok = load_version();
    if (ok) ok = load_layout();
    if (ok) ok = load_addresses(*section);
    elf_.drop_link_tables();
    return ok;
  }

 private:
  Result<void> load_functions(const ElfFile::Section& section) {
    auto table = elf_.read_section(section, kMaxFunctionTable);
    if (!table) return fail(table.error());
    const auto text = text_start(elf_, section, *table);
    if (!text) return fail(text.error());
    auto functions = Pclntab::parse(std::move(*table), *text);
    if (!functions) return fail(functions.error());
    contents_.functions.emplace(std::move(*functions));
    return {};
  }

  Result<void> load_version() {
    const auto* section = elf_.section(".go.buildinfo");
    if (section == nullptr) {
      auto version = version_from_code(elf_, functions());
      if (!version) return fail(version.error());
      contents_.build_info.version = std::move(*version);
      return {};
    }
    const auto bytes = elf_.read_section(*section, 16U << 20U);
    if (!bytes) return fail(bytes.error());
    auto info = BuildInfo::parse(*bytes);
    if (!info) return fail(info.error());
    contents_.build_info = std::move(*info);
    return {};
  }

  // The program's own word comes first: debug information of what types it was built with, then the table.
  Result<void> load_layout() {
    // Assembly that is only linked into programs with the race detector (src/runtime/race_amd64.s).
    const bool race = functions().runtime_function("runtime.racefuncenter").has_value();
    auto choice = layout_for(contents_.build_info.version, race);
    if (!choice) return fail(choice.error());
    contents_.layout = std::move(*choice);
    if (elf_.section(".debug_info") != nullptr || elf_.section(".zdebug_info") != nullptr) {
      auto own = layout_from_dwarf(elf_.fd(), "debug information", contents_.build_info.version);
      if (own) {
        contents_.layout = {.layout = std::make_shared<const Layout>(*own), .origin = LayoutOrigin::dwarf};
      }
    }
    load_wait_reasons();
    return {};
  }

  // They are numbered anew with nearly every version. The binary's own list is used where nothing vouches for the
  // table's, and where both agree on the length.
  void load_wait_reasons() {
    const auto array = WaitReasonArray::find(elf_, functions());
    auto texts = array ? array->read(elf_) : std::nullopt;
    if (!texts) return;
    const Layout& layout = *contents_.layout.layout;
    if (contents_.layout.origin == LayoutOrigin::table && texts->size() != layout.wait_reasons.size()) return;
    contents_.wait_reasons = std::move(*texts);
    contents_.wait_reason_texts.assign(contents_.wait_reasons.begin(), contents_.wait_reasons.end());
    auto own = std::make_shared<Layout>(layout);
    own->wait_reasons = contents_.wait_reason_texts;
    contents_.layout.layout = std::move(own);
  }

  Result<void> load_addresses(const ElfFile::Section& section) {
    const auto module_data = ModuleData::find(elf_, *contents_.layout.layout, section.address, functions().bytes());
    if (!module_data) return fail(misfit(module_data.error()));
    // Called through mcall, so that it stands where gopark, which calls it, may have been inlined wherever it is
    // called.
    const auto park = functions().runtime_function("runtime.park_m");
    if (!park) return fail(ErrorKind::unsupported, "no function runtime.park_m: not a Go runtime that goleakd knows");
    const auto code = elf_.read(park->entry, 16);
    if (module_data->text != functions().text() || !code || !begins_like_go(*code)) {
      return fail(
          misfit(Error(ErrorKind::invalid, "the function table does not match the code (text start " +
                                               std::to_string(functions().text()) + "): refusing to guess addresses")));
    }
    contents_.symbolizer.emplace(elf_, functions(), module_data->gofunc);
    contents_.stack_maps.emplace(elf_, functions(), module_data->gofunc);
    const auto globals = RuntimeGlobals::find(elf_, functions(), *contents_.layout.layout, module_data->address);
    if (!globals) return fail(misfit(globals.error()));
    contents_.globals = *globals;
    return {};
  }

  // What is wrong with a layout that was only the nearest is no fault of the file.
  Error misfit(const Error& error) const {
    if (contents_.layout.origin != LayoutOrigin::nearest) return error;
    return {ErrorKind::unsupported, contents_.build_info.version.text + " is not among the Go versions that this " +
                                        "goleakd knows (" + supported_versions() +
                                        "), and is unlike the nearest: " + error.message()};
  }

  const Pclntab& functions() const { return *contents_.functions; }

  Contents& contents_;
  ElfFile& elf_;
};

Result<std::shared_ptr<const GoBinary>> GoBinary::open(UniqueFd fd, const std::string& path) {
  auto elf = ElfFile::open(std::move(fd), path);
  if (!elf) return fail(elf.error());
  const auto contents = std::make_shared<Contents>();
  contents->elf.emplace(std::move(*elf));
  if (auto ok = Loader(*contents).load(); !ok) return fail(ok.error());
  return std::shared_ptr<const GoBinary>(new GoBinary(contents));
}

Result<std::shared_ptr<const GoBinary>> GoBinary::in_other_file(UniqueFd fd, const std::string& path) const {
  auto elf = ElfFile::open(std::move(fd), path);
  if (!elf) return fail(elf.error());
  std::shared_ptr<GoBinary> binary(new GoBinary(contents_));
  binary->other_file_.emplace(std::move(*elf));
  return binary;
}

std::size_t GoBinary::memory() const {
  constexpr std::size_t kRest = 64U << 10U;  // headers, build information, layout: about that much in all of them
  return functions().memory() + symbolizer().memory() + kRest;
}

Result<std::vector<std::uint8_t>> GoBinary::code_of(const Pclntab::Function& function) const {
  constexpr std::uint64_t kMaxFunction = 16U << 20U;
  return elf().read(function.entry, std::min(function.end - function.entry, kMaxFunction));
}

std::uint32_t GoBinary::go_statement_ordinal(std::uint64_t gopc) const {
  const auto function = functions().function_at(gopc - 1);
  const auto newproc = functions().runtime_function("runtime.newproc");
  if (!function || !newproc) return 0;
  const auto code = code_of(*function);
  if (!code) return 0;
  const auto calls = calls_to(*code, function->entry, newproc->entry);
  const auto at = std::ranges::lower_bound(calls, gopc) - calls.begin();
  return at > 0 ? static_cast<std::uint32_t>(at - 1) : 0;
}

bool GoBinary::is_range_receive(std::uint64_t return_pc) const {
  const auto function = functions().function_at(return_pc - 1);
  const auto receive = functions().runtime_function("runtime.chanrecv2");
  if (!function || !receive) return false;
  const auto code = code_of(*function);
  if (!code) return false;
  bool receives = false;
  std::uint64_t call = 0;
  bool repeated = false;
  for_each_instruction(*code, function->entry, [&](const Instruction& instruction) {
    if (instruction.end() == return_pc) {
      receives = instruction.is_call() && instruction.branch_target() == receive->entry;
      call = instruction.address;
    }
    if (instruction.address >= return_pc && instruction.is_jump()) {
      const auto target = instruction.branch_target();
      // The jump back to the entry itself is the prologue asking again after it grew the stack.
      repeated = repeated || (target && *target > function->entry && *target <= call);
    }
    return true;
  });
  return receives && repeated;
}

}  // namespace goleakd::target

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core_fixture.h"
#include "go_program_fixture.h"
#include "snapshot/core_file.h"
#include "snapshot/core_image.h"
#include "snapshot/core_memory.h"
#include "snapshot/core_program.h"
#include "snapshot/goroutine_table.h"

namespace goleakd::snapshot {
namespace {

class CoreFile : public ::testing::Test {
 protected:
  CoreFile() {
    std::string name = ::testing::TempDir() + "goleakd-core.XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~CoreFile() override { std::filesystem::remove_all(folder_); }

  std::string write(const Bytes& bytes, const std::string& name = "core") const {
    std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  Result<CoreImage> open(const CoreFixture& core) const { return CoreImage::open(write(core.bytes())); }
  Error refusal(const CoreFixture& core) const {
    auto image = open(core);
    return image ? Error(ErrorKind::system, "not refused") : image.error();
  }

  std::string folder_;
};

FileRanges nothing() { return *FileRanges::make(UniqueFd(), "nothing", {}); }

// --- Whole files -----------------------------------------------------------------------------------------------------

TEST_F(CoreFile, HoldsMemoryByAddress) {
  auto image = open({});
  ASSERT_TRUE(image) << image.error().message();
  const CoreMemory memory(std::move(image->memory), nothing());
  EXPECT_EQ(*memory.value<std::uint8_t>(kData), 'd');
  EXPECT_EQ(*memory.value<std::uint8_t>(kStack + 2 * kPage - 1), 's');
  Bytes across(2);  // two segments, one address space
  ASSERT_TRUE(memory.read(kStack + 2 * kPage - 1, across));
  EXPECT_EQ(across, (Bytes{'s', 't'}));
}

TEST_F(CoreFile, SaysWhatItHasNotKept) {
  auto image = open({});
  ASSERT_TRUE(image);
  const CoreMemory memory(std::move(image->memory), nothing());
  for (const std::uint64_t address : {std::uint64_t{0}, kCode, kData + kPage, kStack - 1, ~std::uint64_t{0}}) {
    const auto read = memory.value<std::uint8_t>(address);
    ASSERT_FALSE(read) << address;
    EXPECT_NE(read.error().message().find("has not kept the memory at 0x"), std::string::npos);
  }
  Bytes half(16);
  EXPECT_FALSE(memory.read(kData + kPage - 8, half));
  Bytes first(4);
  Bytes second(4);
  std::vector<ReadRequest> requests{{kCode, first, false}, {kData, second, false}};
  ASSERT_TRUE(memory.read(requests));
  EXPECT_FALSE(requests[0].done);
  EXPECT_TRUE(requests[1].done);
  EXPECT_EQ(second, Bytes(4, 'd'));
}

TEST_F(CoreFile, TakesFromTheExecutableWhatTheCoreLacks) {
  auto image = open({});
  ASSERT_TRUE(image);
  UniqueFd fd(::open(write(Bytes(3 * kPage, 'x'), "program").c_str(), O_RDONLY | O_CLOEXEC));
  auto program = FileRanges::make(
      std::move(fd), "program",
      {{.address = kCode, .size = 2 * kPage, .offset = kPage}, {.address = kData, .size = kPage, .offset = 0}});
  ASSERT_TRUE(program);
  const CoreMemory memory(std::move(image->memory), std::move(*program));
  EXPECT_EQ(*memory.value<std::uint8_t>(kCode + 2 * kPage - 1), 'x');
  EXPECT_FALSE(memory.value<std::uint8_t>(kCode + 2 * kPage));
  EXPECT_EQ(*memory.value<std::uint8_t>(kData), 'd');  // what both have, the core has seen last
}

TEST_F(CoreFile, TellsOfItsProcess) {
  CoreFixture core;
  core.add_thread(4712, 0x402000, kStack + 0x200);
  elf_prpsinfo info{};
  info.pr_pid = 4700;
  Bytes content;
  append(content, info);
  append_note(core.notes, "CORE", NT_PRPSINFO, content);
  append_note(core.notes, "LINUX", NT_PRSTATUS, Bytes(sizeof(elf_prstatus), 1));  // another's number
  core.add_files(2, {"/opt/first", "/opt/second (deleted)"});
  core.add_auxiliary_vector(0x401234, kCode + 17 * kPage, 7);
  const auto image = open(core);
  ASSERT_TRUE(image);
  const CoreNotes& notes = image->notes;
  EXPECT_EQ(notes.pid, 4700);
  ASSERT_EQ(notes.threads.size(), 2U);
  EXPECT_EQ(notes.threads[1].pc, 0x402000U);
  EXPECT_EQ(notes.threads[1].sp, kStack + 0x200);
  EXPECT_EQ(notes.entry, 0x401234U);
  EXPECT_EQ(notes.header_count, 7U);
  EXPECT_EQ(notes.executable(), "/opt/second");
}

TEST_F(CoreFile, MayHaveMoreSegmentsThanItsHeaderCanCount) {
  CoreFixture core;
  core.extended = true;
  for (std::uint64_t i = 0; i < 70'000; ++i) core.add_load(0x7f0000000000 + i * kPage, 0, 0);
  core.add_load(0x10000, 1, 'l');
  auto image = open(core);
  ASSERT_TRUE(image) << image.error().message();
  EXPECT_EQ(*CoreMemory(std::move(image->memory), nothing()).value<std::uint8_t>(0x10000), 'l');
}

// --- Files that are cut short ----------------------------------------------------------------------------------------

TEST_F(CoreFile, CutInItsMemoryIsGoodUpToThere) {
  const CoreFixture core;
  Bytes bytes = core.bytes();
  const std::size_t length = core.memory_at() + kPage + 100;  // 100 bytes into the lower stack
  bytes.resize(length);
  auto image = CoreImage::open(write(bytes));
  ASSERT_TRUE(image) << image.error().message();
  const CoreMemory memory(std::move(image->memory), nothing());
  EXPECT_EQ(*memory.value<std::uint8_t>(kData + kPage - 1), 'd');
  EXPECT_EQ(*memory.value<std::uint8_t>(kStack + 99), 's');
  for (const std::uint64_t address : {kStack + 100, kStack + kPage, kStack + 2 * kPage}) {
    const auto read = memory.value<std::uint8_t>(address);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind(), ErrorKind::invalid);
    EXPECT_NE(read.error().message().find("is cut short at "), std::string::npos) << read.error().message();
  }
  EXPECT_NE(memory.value<std::uint8_t>(kStack + 100).error().message().find(std::to_string(length)), std::string::npos);
}

TEST_F(CoreFile, CutBeforeItsMemoryIsRefusedWhereverThatIs) {
  const CoreFixture core;
  const Bytes bytes = core.bytes();
  for (std::size_t length = 0; length < core.notes_at() + core.notes.size(); length += 7) {
    const auto image =
        CoreImage::open(write(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length))));
    ASSERT_FALSE(image) << length;
    EXPECT_EQ(image.error().kind(), ErrorKind::invalid) << length << ": " << image.error().message();
  }
}

TEST_F(CoreFile, ShrinksWhileItIsRead) {
  auto image = open({});
  ASSERT_TRUE(image);
  ASSERT_EQ(::truncate((folder_ + "/core").c_str(), 64), 0);
  const auto read = CoreMemory(std::move(image->memory), nothing()).value<std::uint8_t>(kData);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message().find("cut short"), std::string::npos);
}

// --- Files that lie --------------------------------------------------------------------------------------------------

TEST_F(CoreFile, OfAnotherKindIsRefused) {
  const auto refused = [&](auto change) {
    CoreFixture core;
    change(core.header);
    return refusal(core);
  };
  for (const Error& error :
       {refused([](Elf64_Ehdr& h) { h.e_machine = EM_AARCH64; }),
        refused([](Elf64_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }),
        refused([](Elf64_Ehdr& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; }),
        refused([](Elf64_Ehdr& h) { h.e_type = ET_EXEC; }), refused([](Elf64_Ehdr& h) { h.e_ident[0] = 'x'; })}) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.message();
  }
  EXPECT_NE(refused([](Elf64_Ehdr& h) { h.e_machine = EM_AARCH64; }).message().find("another architecture"),
            std::string::npos);
  EXPECT_NE(refused([](Elf64_Ehdr& h) { h.e_type = ET_DYN; }).message().find("is not a core file"), std::string::npos);
}

TEST_F(CoreFile, ThatIsNoFileIsNamed) {
  EXPECT_EQ(CoreImage::open(folder_ + "/none").error().kind(), ErrorKind::not_found);
  EXPECT_FALSE(CoreImage::open(folder_));
  EXPECT_EQ(CoreImage::open(write({})).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(CoreImage::open(write(Bytes(5000, 0xff))).error().kind(), ErrorKind::invalid);
}

TEST_F(CoreFile, WithImpossibleSegmentsIsRefused) {
  struct Lie {
    const char* what;
    std::uint64_t address, size, offset;
  };
  for (const Lie& lie :
       {Lie{"offset beyond what a file has", 0x1000, kPage, 1ULL << 63U},
        Lie{"offset and size together", 0x1000, 1ULL << 62U, 1ULL << 62U}, Lie{"size", 0x1000, ~std::uint64_t{0}, 0},
        Lie{"end of the address space", ~std::uint64_t{0} - 100, kPage, 0}, Lie{"same memory again", kData, kPage, 0},
        Lie{"overlap", kData - 1, 2, 0}, Lie{"around another", kStack - kPage, 16 * kPage, 0}}) {
    CoreFixture core;
    core.segments.push_back(segment(PT_LOAD, lie.offset, lie.address, lie.size));
    EXPECT_EQ(refusal(core).kind(), ErrorKind::invalid) << lie.what;
  }
}

TEST_F(CoreFile, ThatPromisesMoreThanItHasCostsNoMemory) {
  CoreFixture core;
  core.add_load(0x100000000, 0, 0);
  core.segments.back().p_filesz = 1ULL << 38U;
  auto image = open(core);
  ASSERT_TRUE(image);
  const CoreMemory memory(std::move(image->memory), nothing());
  EXPECT_NE(memory.value<std::uint8_t>(0x100000000).error().message().find("cut short"), std::string::npos);
}

TEST_F(CoreFile, WithImpossibleNotesIsRefused) {
  for (const std::uint64_t size : {std::uint64_t{1} << 60U, std::uint64_t{257} << 20U}) {
    CoreFixture core;
    core.segments[0].p_filesz = size;
    EXPECT_EQ(refusal(core).kind(), ErrorKind::invalid) << size;
  }
  CoreFixture elsewhere;
  elsewhere.segments[0].p_filesz = 100;
  elsewhere.segments[0].p_offset = ~std::uint64_t{0} - 50;
  EXPECT_EQ(refusal(elsewhere).kind(), ErrorKind::invalid);
  CoreFixture none;
  none.notes.clear();
  EXPECT_EQ(refusal(none).kind(), ErrorKind::invalid);
}

TEST_F(CoreFile, WithTooManySegmentsIsRefused) {
  CoreFixture core;
  core.extended = true;
  Bytes bytes = core.bytes();
  const Elf64_Shdr section = segment_count(0xffffffff);
  std::memcpy(&bytes[sizeof(Elf64_Ehdr) + core.segments.size() * sizeof(Elf64_Phdr)], &section, sizeof(section));
  const std::string path = write(bytes);
  ASSERT_EQ(::truncate(path.c_str(), 1LL << 38U), 0);  // a hole: so that the table would be in the file
  const auto image = CoreImage::open(path);
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().message().find("impossible number of segments"), std::string::npos);
}

TEST(CoreNotes, ThatLieAboutTheirLengthEndTheList) {
  for (const Elf64_Nhdr lie : {Elf64_Nhdr{0xffffffff, 4, NT_PRSTATUS}, Elf64_Nhdr{5, 0xffffffff, NT_PRSTATUS},
                               Elf64_Nhdr{0xfffffffd, 0xfffffffd, NT_AUXV}}) {
    CoreFixture core;
    append(core.notes, lie);
    append_text(core.notes, "CORE");
    core.notes.resize(core.notes.size() + 64);
    EXPECT_EQ(CoreNotes::parse(core.notes).threads.size(), 1U);
  }
}

TEST(CoreNotes, ThatAreTooSmallAreLeftOut) {
  CoreFixture core;
  append_note(core.notes, "CORE", NT_PRSTATUS, Bytes(sizeof(elf_prstatus) - 1));
  append_note(core.notes, "CORE", NT_PRPSINFO, Bytes(3));
  append_note(core.notes, "CORE", NT_AUXV, Bytes(15, 9));
  append_note(core.notes, "CORE", NT_FILE, Bytes(7));
  append_note(core.notes, "", NT_FILE, {});
  const CoreNotes notes = CoreNotes::parse(core.notes);
  EXPECT_EQ(notes.threads.size(), 1U);
  EXPECT_EQ(notes.pid, 4711);
  EXPECT_FALSE(notes.entry);
  EXPECT_TRUE(notes.files.empty());
  EXPECT_EQ(notes.executable(), "");
}

TEST(CoreNotes, ThatCountMoreFilesThanTheyNameStopThere) {
  for (const std::uint64_t count : {std::uint64_t{1} << 60U, ~std::uint64_t{0}, std::uint64_t{3}}) {
    CoreFixture core;
    core.add_files(count, {"/opt/only"});
    EXPECT_LE(CoreNotes::parse(core.notes).files.size(), 1U) << count;
  }
}

TEST(CoreNotes, OfRandomBytesAreHarmless) {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    CoreFixture core;
    core.add_files(1, {"/opt/only"});
    core.add_auxiliary_vector(1, kCode, 3);
    for (int change = 0; change < 8; ++change) {
      state = state * 1664525U + 1013904223U;
      core.notes[(state >> 8U) % core.notes.size()] = static_cast<std::uint8_t>(state >> 3U);
    }
    EXPECT_LE(CoreNotes::parse(core.notes).threads.size(), 1U);
  }
}

// --- Build ids -------------------------------------------------------------------------------------------------------

class CoreBuildId : public CoreFile {
 protected:
  static constexpr std::uint64_t kBias = 0x7000;

  // The first page of a program: headers, notes.
  FileRanges page(const Bytes& notes, std::uint64_t note_size) const {
    Bytes bytes(sizeof(Elf64_Ehdr));
    append(bytes, segment(PT_NOTE, 0x200, kCode + 0x200, note_size));
    append(bytes, segment(PT_LOAD, 0, kCode, kPage));
    bytes.resize(0x200);
    append(bytes, notes);
    bytes.resize(kPage);
    UniqueFd fd(::open(write(bytes, "page").c_str(), O_RDONLY | O_CLOEXEC));
    return *FileRanges::make(std::move(fd), "page", {{.address = kCode + kBias, .size = kPage, .offset = 0}});
  }
  static std::string id_in(const FileRanges& memory, std::uint64_t count = 2) {
    return build_id_in(memory, kCode + kBias + sizeof(Elf64_Ehdr), count);
  }
};

TEST_F(CoreBuildId, IsThatOfGnuElseThatOfGo) {
  Bytes notes;
  const std::string go = "abc/def";
  append_note(notes, "Go", 4, Bytes(go.begin(), go.end()));
  EXPECT_EQ(id_in(page(notes, notes.size())), go);
  append_note(notes, "GNU", NT_GNU_BUILD_ID, {0x12, 0xab, 0x00});
  EXPECT_EQ(id_in(page(notes, notes.size())), "12ab00");
  EXPECT_EQ(id_in(page(notes, 20)), "");  // cut
  EXPECT_EQ(id_in(page({}, 0)), "");
}

TEST_F(CoreBuildId, IsEmptyWhereHeadersLie) {
  Bytes notes;
  append_note(notes, "GNU", NT_GNU_BUILD_ID, {1});
  const FileRanges memory = page(notes, ~std::uint64_t{0});
  EXPECT_EQ(id_in(memory), "");
  EXPECT_EQ(id_in(memory, 0), "");
  EXPECT_EQ(id_in(memory, ~std::uint64_t{0}), "");
  EXPECT_EQ(build_id_in(memory, 0, 2), "");
  EXPECT_EQ(build_id_in(memory, ~std::uint64_t{0}, 2), "");
}

// --- Opening ---------------------------------------------------------------------------------------------------------

TEST_F(CoreFile, WithoutItsProgramAsksForIt) {
  CoreFixture core;
  const std::string path = write(core.bytes());
  target::BinaryCache binaries;
  const auto unnamed = open_core(path, "", binaries);
  ASSERT_FALSE(unnamed);
  EXPECT_NE(unnamed.error().message().find("--binary"), std::string::npos);

  core.add_files(1, {folder_ + "/moved"});
  core.add_auxiliary_vector(0x401000, kCode + 64, 4);
  write(core.bytes());
  const auto moved = open_core(path, "", binaries);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().kind(), ErrorKind::not_found);
  EXPECT_NE(moved.error().message().find(folder_ + "/moved"), std::string::npos);
  EXPECT_NE(moved.error().message().find("--binary"), std::string::npos);

  const auto no_go = open_core(path, "/proc/self/exe", binaries);
  ASSERT_FALSE(no_go);
  EXPECT_EQ(no_go.error().kind(), ErrorKind::not_found);
  EXPECT_NE(no_go.error().message().find("is not a Go program"), std::string::npos);
}

TEST_F(CoreFile, IsOpenedWithAProgramThatFitsIt) {
  write(GoProgramFixture::bytes(), "program");
  CoreFixture core;
  core.add_files(1, {folder_ + "/program"});
  core.add_auxiliary_vector(0, kCode + 64, 4);  // the fixture's entry is 0
  target::BinaryCache binaries;
  const std::string path = write(core.bytes());
  const auto refused = open_core(path, "", binaries);
  ASSERT_FALSE(refused);  // the core lacks runtime.allgs
  EXPECT_NE(refused.error().message().find("has not kept the memory"), std::string::npos) << refused.error().message();

  core.add_load(GoProgramFixture::kData, 1, 0);
  core.add_load(0x700000, 1, 0);
  const auto program = *binaries.open(folder_ + "/program");
  const target::GLayout layout = program->layout().g;
  const Bytes data = *program->elf().read(GoProgramFixture::kData, kPage);
  std::memcpy(&core.memory[core.segments[core.segments.size() - 2].p_offset], data.data(), data.size());
  const auto put = [&](std::uint64_t page, std::uint64_t at, std::uint64_t value) {
    std::memcpy(&core.memory[core.segments[core.segments.size() - page].p_offset + at], &value, sizeof(value));
  };
  put(2, 0x800, 0x700000);  // runtime.allgs
  put(2, 0x808, 1);
  put(2, 0x810, 1);
  put(1, 0, 0x700100);
  put(1, 0x100 + layout.atomicstatus, static_cast<std::uint64_t>(GStatus::waiting));
  put(1, 0x100 + layout.goid, 1);
  put(1, 0x100 + layout.stack_lo, kStack);
  put(1, 0x100 + layout.stack_hi, kStack + kPage);
  put(1, 0x100 + layout.sched_sp, kStack + 8);
  put(1, 0x100 + layout.waitsince, 42);
  write(core.bytes());
  auto process = open_core(path, "", binaries);
  ASSERT_TRUE(process) << process.error().message();
  EXPECT_EQ(process->process->pid, 4711);
  EXPECT_EQ(process->process->exe, folder_ + "/program");
  EXPECT_EQ(process->process->service, "program");
  EXPECT_EQ(process->process->load_bias, 0U);
  EXPECT_EQ(process->died, instant_from_ns(42));
  EXPECT_TRUE(process->memory->value<std::uint64_t>(PclntabFixture::kText));  // from the program

  // Neither has a build id: the core of another program, loaded where this one can't be, or with other addresses
  // inside.
  const auto refused_as_another = [&](const CoreFixture& other) {
    write(other.bytes());
    const auto result = open_core(path, "", binaries);
    return !result && result.error().message().find("is not the build that the core is of") != std::string::npos;
  };
  CoreFixture elsewhere = core;
  elsewhere.add_auxiliary_vector(kPage, kCode + 64, 4);
  EXPECT_TRUE(refused_as_another(elsewhere));
  put(2, program->layout().moduledata.text, PclntabFixture::kText + 16);
  EXPECT_TRUE(refused_as_another(core));
}

}  // namespace
}  // namespace goleakd::snapshot

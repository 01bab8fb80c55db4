// SPDX-License-Identifier: Apache-2.0
// A core file of somebody's making, beside an executable that is right.
#include "snapshot/core_file.h"

#include <string>

#include "fuzz_file.h"
#include "go_program_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const goleakd::UniqueFd program = fuzz_file(GoProgramFixture::bytes());
  static goleakd::target::BinaryCache binaries;
  const goleakd::UniqueFd core = fuzz_file({data, size});
  const auto path = [](const goleakd::UniqueFd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); };
  const auto process = goleakd::snapshot::open_core(path(core), path(program), binaries);
  if (process) (void)process->memory->value<std::uint64_t>(GoProgramFixture::kAllgs);
  return 0;
}

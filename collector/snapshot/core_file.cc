// SPDX-License-Identifier: Apache-2.0
#include "snapshot/core_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "snapshot/core_image.h"
#include "snapshot/core_memory.h"
#include "snapshot/core_program.h"
#include "snapshot/core_runtime.h"

namespace goleakd::snapshot {
namespace {

constexpr const char* kHint = ": name the program of the core with --binary";

Result<std::shared_ptr<const target::GoBinary>> open_program(const std::string& path, target::BinaryCache& binaries) {
  if (::access(path.c_str(), R_OK) != 0) return fail(Error::from_errno(errno, "opening " + path));
  auto program = binaries.open(path);
  if (!program && program.error().kind() == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, path + " is not a Go program");
  }
  return program;
}

}  // namespace

Result<CoreProcess> open_core(const std::string& core, const std::string& binary, target::BinaryCache& binaries) {
  auto image = CoreImage::open(core);
  if (!image) return fail(image.error());
  const std::string was = image->notes.executable();
  const std::string& path = binary.empty() ? was : binary;
  if (path.empty()) return fail(ErrorKind::invalid, core + " does not tell which program it is of" + kHint);
  const auto hinted = [&](const Error& error) {
    return fail(error.kind(), core + ": " + error.message() + (binary.empty() ? kHint : ""));
  };

  auto program = open_program(path, binaries);
  if (!program) return hinted(program.error());
  auto process = std::make_shared<target::GoProcess>();
  process->pid = image->notes.pid;
  process->exe = was.empty() ? binary : was;
  process->service = std::filesystem::path(process->exe).filename();
  process->binary = std::move(*program);
  auto loaded = LoadedProgram::match(*process->binary, path, image->notes, image->memory);
  if (!loaded) return hinted(loaded.error());
  process->load_bias = loaded->load_bias;
  auto memory = std::make_unique<CoreMemory>(std::move(image->memory), std::move(loaded->contents));
  auto runtime = read_core_runtime(*process, *memory, image->notes.threads);
  if (!runtime) return fail(runtime.error().within(core));
  return CoreProcess{.process = std::move(process),
                     .memory = std::move(memory),
                     .running = std::move(runtime->running),
                     .died = runtime->died};
}

}  // namespace goleakd::snapshot

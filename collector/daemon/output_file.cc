// SPDX-License-Identifier: Apache-2.0
#include "daemon/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace goleakd::daemon {

Result<OutputFile> OutputFile::open(const std::string& path) {
  if (path.empty()) return OutputFile(stdout, "standard output");
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return fail(Error::from_errno(errno, "opening " + path));
  return OutputFile(file, path);
}

void OutputFile::write(std::string_view bytes) {
  if (failed_ != 0) return;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) failed_ = errno;
}

Result<void> OutputFile::finish() {
  if (failed_ == 0 && std::fflush(file_.get()) != 0) failed_ = errno;
  if (file_.get() != stdout) {
    std::FILE* file = file_.release();
    if (std::fclose(file) != 0 && failed_ == 0) failed_ = errno;  // some file systems tell only now
  }
  if (failed_ != 0) return fail(Error::from_errno(failed_, "writing to " + name_));
  return {};
}

bool OutputFile::terminal() const { return ::isatty(::fileno(file_.get())) != 0; }

bool OutputFile::color() const { return wants_color(::fileno(file_.get())); }

bool wants_color(int fd) { return !dumb(fd) && std::getenv("NO_COLOR") == nullptr; }

bool dumb(int fd) {
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 0 || term == nullptr || std::string_view(term) == "dumb";
}

}  // namespace goleakd::daemon

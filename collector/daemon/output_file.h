// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace goleakd::daemon {

// Where a command's result goes: standard output, or a file. A reader that has gone away ends the program silently, by
// SIGPIPE; every other failure to write is told by finish().
class OutputFile {
 public:
  // Empty: standard output. An existing file is replaced.
  static Result<OutputFile> open(const std::string& path);

  void write(std::string_view bytes);
  bool failed() const { return failed_ != 0; }
  Result<void> finish();
  bool terminal() const;
  bool color() const;  // as wants_color()

 private:
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdout) std::fclose(file);
    }
  };
  OutputFile(std::FILE* file, std::string name) : file_(file), name_(std::move(name)) {}

  std::unique_ptr<std::FILE, Close> file_;
  std::string name_;
  int failed_ = 0;  // errno of the first write that failed
};

// Not a terminal, or one that does not know how to go back on a line.
bool dumb(int fd);
// A terminal on which colours are wanted and understood (NO_COLOR, no-color.org; TERM).
bool wants_color(int fd);

}  // namespace goleakd::daemon

// SPDX-License-Identifier: Apache-2.0
#include "base/read_file.h"

#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

namespace goleakd {

Result<std::string> read_file(const std::string& path, const std::string& attempted) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Error::from_errno(errno != 0 ? errno : EIO, attempted + " " + path));
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

}  // namespace goleakd

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/unique_fd.h"

// A file without a name that holds `bytes`.
inline goleakd::UniqueFd fuzz_file(goleakd::ByteSpan bytes) {
  goleakd::UniqueFd fd(::memfd_create("fuzz", MFD_CLOEXEC));
  if (::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  return fd;
}

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/process_memory.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "target/access.h"
#include "target/procfs.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kBatch = 512;  // UIO_MAXIOV is 1024

void* as_address(std::uint64_t address) {
  return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr): an address in the other process
}

}  // namespace

Result<void> ProcessMemory::read(std::uint64_t address, std::span<std::uint8_t> into) const {
  std::array<ReadRequest, 1> request{{{.address = address, .into = into, .done = false}}};
  if (auto ok = read(request); !ok) return ok;
  if (!request[0].done) {
    return fail(ErrorKind::invalid,
                "process " + std::to_string(pid_) + " has no readable memory at " + std::to_string(address));
  }
  return {};
}

Result<void> ProcessMemory::read(std::span<ReadRequest> requests) const {
  std::array<iovec, kBatch> local{};
  std::array<iovec, kBatch> remote{};
  for (std::size_t next = 0; next < requests.size();) {
    const std::size_t count = std::min(kBatch, requests.size() - next);
    for (std::size_t i = 0; i < count; ++i) {
      const ReadRequest& request = requests[next + i];
      local[i] = {request.into.data(), request.into.size()};
      remote[i] = {as_address(request.address), request.into.size()};
    }
    const ssize_t got = ::process_vm_readv(pid_, local.data(), count, remote.data(), count, 0);
    if (got < 0 && errno == EPERM) return fail(target::access_denied(target::Procfs{}, pid_));
    if (got < 0 && errno != EFAULT) {
      return fail(Error::from_errno(errno, "reading memory of process " + std::to_string(pid_)));
    }
    // The kernel stops at the first range that it cannot read: what lies before it is whole, that one is given up, and
    // the rest is tried again.
    auto left = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    std::size_t done = 0;
    while (done < count && left >= requests[next + done].into.size()) {
      left -= requests[next + done].into.size();
      requests[next + done].done = true;
      ++done;
    }
    next += done < count ? done + 1 : count;
  }
  return {};
}

}  // namespace goleakd::snapshot

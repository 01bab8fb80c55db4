// SPDX-License-Identifier: Apache-2.0
#include "probe/bpf_load.h"

#include <bpf/libbpf.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <utility>

namespace goleakd::probe {
namespace {

std::string& last_warning() {
  static std::string text;
  return text;
}

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  std::array<char, 512> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  last_warning() = line.data();
  while (last_warning().ends_with('\n')) last_warning().pop_back();
  return length;
}

}  // namespace

void keep_libbpf_warnings() {
  last_warning().clear();
  libbpf_set_print(keep_warning);
}

Error load_error(int number) {
  const std::string warning = std::exchange(last_warning(), {});
  if (number == EPERM) {  // EACCES is the verifier's
    return {ErrorKind::permission,
            "the kernel does not let this process load BPF programs: run goleakd as root, or give it CAP_BPF and "
            "CAP_PERFMON"};
  }
  if (number == ENOSYS) return {ErrorKind::unsupported, "this kernel has no BPF"};
  Error error = Error::from_errno(number, "loading the BPF programs");
  return warning.empty() ? error : error.within(warning);
}

}  // namespace goleakd::probe

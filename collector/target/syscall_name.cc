// SPDX-License-Identifier: Apache-2.0
#include "target/syscall_name.h"

#include <seccomp.h>

#include <cstdlib>
#include <memory>

namespace goleakd::target {

std::string syscall_name(int number) {
  const std::unique_ptr<char, decltype(&std::free)> name(seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number),
                                                         &std::free);
  return name ? name.get() : "";
}

}  // namespace goleakd::target

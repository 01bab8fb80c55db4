// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace goleakd::target {

// "read" for 0 on x86-64; empty for a number that libseccomp does not know.
std::string syscall_name(int number);

}  // namespace goleakd::target

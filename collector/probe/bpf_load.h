// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

namespace goleakd::probe {

// libbpf explains failures only in its log, which would go to standard error: from now on its last warning is kept
// instead, for load_error. One thread uses libbpf.
void keep_libbpf_warnings();

// Why BPF programs could not be loaded, from a positive errno and what libbpf has said since the last call.
Error load_error(int number);

}  // namespace goleakd::probe

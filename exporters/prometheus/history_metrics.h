// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "prometheus/families.h"
#include "verdict/report.h"

namespace goleakd::prometheus {

// How history is kept: only that it is not, where none is to be.
void add_history(const verdict::Report& report, Families& families);

}  // namespace goleakd::prometheus

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "verify/report.h"

namespace goleakd::junit {

// What CI shows of `goleakd verify`: a test suite for each program, in it a failed case for each leak, named after the
// test that it is of; accepted ones are skipped. A program without leaks has one case that passed, one that could not
// be read one in error, one that failed by itself one that was skipped.
std::string verify_junit(const verify::Report& report);

}  // namespace goleakd::junit

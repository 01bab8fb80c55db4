// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "verify/report.h"

namespace goleakd::text {

// What a leak is, in one line: "2 goroutines of TestFetch, started by a.fetch, stuck in a.fetch.func1 [chan send]".
std::string verify_summary(const verify::Leak& leak);
// Where, how and in whose test, as the report has it below each leak's title; for JUnit too.
std::string verify_details(const verify::Leak& leak, int stack_frames = 12);

// For people: each leak, then a line for every program that could not be judged, then what was judged. Never empty.
std::string verify_text(const verify::Report& report, bool color);

// Something in it is worth a reader's time, although nothing leaks: a program that was not judged, or not quite.
bool verify_remarks(const verify::Report& report);

}  // namespace goleakd::text

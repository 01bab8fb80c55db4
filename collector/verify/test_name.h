// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace goleakd::verify {

// The test of package `package` (its import path, or the last elements of it) whose code a function is: "TestFetch" for
// "example.com/a.TestFetch", for its closures, and for those that were inlined into it, in the package's external tests
// too; "(*Suite).TestFetch" for methods. Benchmarks, fuzz tests, examples and TestMain likewise. Empty when it is none,
// or of another package.
std::string test_of(std::string_view function, std::string_view package);

}  // namespace goleakd::verify

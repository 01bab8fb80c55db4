// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "ledger/goroutine_dump.h"
#include "verify/baseline.h"
#include "verify/ignore.h"
#include "verify/leak.h"

namespace goleakd::verify {

// Whose end is judged.
struct Ending {
  std::string program;       // import path of the main package; of a test binary "example.com/a.test"
  std::string tests_of;      // import path of the package under test; empty when it is no test binary
  ledger::Goid exiting = 0;  // the goroutine that has called for the exit
  // GOMAXPROCS is 1, and the exiting goroutine keeps it: nobody else can go on, however long one waits.
  bool single_processor = false;
};

// Who is left when a program ends.
struct Left {
  std::uint64_t ignored = 0;        // by rules of the user
  std::uint64_t could_not_run = 0;  // ready to go on or asleep, and no processor to wake up on (single_processor)
  std::vector<Leak> leaks;          // accepted ones too; most goroutines first

  bool clean() const;            // but for accepted ones
  std::uint64_t leaked() const;  // goroutines, without accepted ones
};

// Every goroutine but main, the one that exits, and those that Go itself keeps, is a leak: blocked or not. There may be
// a million: of each place one is kept whole, of the others who started them.
class Judge {
 public:
  // Borrows all three.
  Judge(const Ending& ending, const IgnoreRules& rules, const Baseline& baseline)
      : ending_(ending), rules_(rules), baseline_(baseline) {}

  // Every goroutine, main and the runtime's own too: they may have started others.
  void add(const ledger::GoroutineDump& g);
  Left finish() &&;

 private:
  using TestIndex = std::uint32_t;  // into tests_; 0: none
  struct Goroutine {
    ledger::Goid goid = 0;
    ledger::Goid parent = 0;
    std::uint32_t place = 0;  // index into places_
    TestIndex test = 0;
    KnownBy known_by = KnownBy::nothing;
    bool leaked = false;
  };

  TestIndex test_index(const std::string& test);
  void find_own_test(const ledger::GoroutineDump& g, Goroutine& record);
  std::uint32_t place_of(const ledger::GoroutineDump& g);
  void ask_relatives();

  const Ending& ending_;
  const IgnoreRules& rules_;
  const Baseline& baseline_;
  Left left_;
  std::vector<Goroutine> goroutines_;
  std::vector<std::string> tests_{""};
  std::map<std::string, TestIndex> test_indices_;
  std::vector<Leak> places_;  // without their tests and counts
  std::map<std::tuple<std::string, std::string, std::string>, std::uint32_t> place_indices_;
};

}  // namespace goleakd::verify

// SPDX-License-Identifier: Apache-2.0
// Which test a goroutine is of.
#include <gtest/gtest.h>

#include "verify/selection.h"
#include "verify/test_name.h"
#include "verify_fixture.h"

namespace goleakd::verify {
namespace {

using ledger::GoroutineDump;

TEST(TestName, IsTheFunctionOfTheTestedPackage) {
  const auto test = [](std::string_view function) { return test_of(function, "example.com/a"); };
  EXPECT_EQ(test("example.com/a.TestFetch"), "TestFetch");
  EXPECT_EQ(test("example.com/a_test.TestFetch"), "TestFetch");
  EXPECT_EQ(test("example.com/a.TestFetch.func1"), "TestFetch");
  EXPECT_EQ(test("example.com/a.TestFetch.func1.2.gowrap1"), "TestFetch");
  EXPECT_EQ(test("example.com/a.TestFetch.start.func1"), "TestFetch");  // a closure of start, inlined
  EXPECT_EQ(test("example.com/a.(*Suite).TestFetch.func2"), "(*Suite).TestFetch");
  EXPECT_EQ(test("example.com/a.(*Suite[...]).TestFetch"), "(*Suite[...]).TestFetch");
  EXPECT_EQ(test("example.com/a.BenchmarkFetch.func1"), "BenchmarkFetch");
  EXPECT_EQ(test("example.com/a.FuzzFetch.func1"), "FuzzFetch");
  EXPECT_EQ(test("example.com/a.ExampleFetch"), "ExampleFetch");
  EXPECT_EQ(test("example.com/a.TestMain"), "TestMain");
  EXPECT_EQ(test("example.com/a.Test_fetch"), "Test_fetch");
  EXPECT_EQ(test("example.com/a.Test"), "Test");

  EXPECT_EQ(test("example.com/a.Testament"), "");
  EXPECT_EQ(test("example.com/a.start.func1"), "");
  EXPECT_EQ(test("example.com/a.start"), "");
  EXPECT_EQ(test("example.com/ab.TestFetch"), "");
  EXPECT_EQ(test("example.com/a/b.TestFetch"), "");
  EXPECT_EQ(test("testing.tRunner"), "");
  EXPECT_EQ(test(""), "");
}

TEST(TestName, TheLastElementsOfThePathWillDo) {
  EXPECT_EQ(test_of("example.com/a.TestFetch.func1", "a"), "TestFetch");
  EXPECT_EQ(test_of("example.com/a_test.TestFetch.func1", "a"), "TestFetch");
  EXPECT_EQ(test_of("example.com/ba.TestFetch.func1", "a"), "");
  EXPECT_EQ(package_by_file("/tmp/go-build1/b001/a.test"), "a.test");
}

TEST(TestName, KnowsDotsInImportPaths) {
  EXPECT_EQ(test_of("gopkg.in/yaml%2ev3.TestParse.func1", "gopkg.in/yaml.v3"), "TestParse");
  EXPECT_EQ(test_of("gopkg.in/yaml%2ev3_test.TestParse", "gopkg.in/yaml.v3"), "TestParse");
}

struct Known {
  std::string test;
  KnownBy by;
};

Known known_of(const std::vector<GoroutineDump>& goroutines, ledger::Goid goid) {
  for (const Leak& leak : judged(test_binary(), goroutines).leaks) {
    for (const ledger::Goid one : leak.goids) {
      if (one == goid) return {leak.test, leak.known_by};
    }
  }
  return {"no leak", KnownBy::nothing};
}

TEST(Attribution, ByTheGoStatementAndByItsOwnStack) {
  const std::vector<GoroutineDump> goroutines{
      waiting(7, 6, "example.com/a.TestOne.func1", "example.com/a.work"),
      waiting(8, 9, "golang.org/x/sync/errgroup.(*Group).Go", "example.com/a.TestTwo.func1"),
      waiting(10, 11, "example.com/a.start", "example.com/a.work")};
  EXPECT_EQ(known_of(goroutines, 7).test, "TestOne");
  EXPECT_EQ(known_of(goroutines, 7).by, KnownBy::creation);
  EXPECT_EQ(known_of(goroutines, 8).test, "TestTwo");
  EXPECT_EQ(known_of(goroutines, 8).by, KnownBy::stack);
  EXPECT_EQ(known_of(goroutines, 10).test, "");
  EXPECT_EQ(known_of(goroutines, 10).by, KnownBy::nothing);
}

TEST(Attribution, ByTheParentWhileItLivesWhateverTheirIds) {
  const std::vector<GoroutineDump> goroutines{waiting(7, 8, "example.com/a.start", "example.com/a.leaf"),
                                              waiting(8, 40, "example.com/a.start", "example.com/a.work"),
                                              waiting(40, 6, "example.com/a.TestOne", "example.com/a.serve")};
  EXPECT_EQ(known_of(goroutines, 7).test, "TestOne");
  EXPECT_EQ(known_of(goroutines, 7).by, KnownBy::parent);
  EXPECT_EQ(known_of(goroutines, 8).test, "TestOne");
}

TEST(Attribution, AParentThatIsNoLeakTellsToo) {
  GoroutineDump runner = waiting(6, 1, "testing.(*T).Run", "testing.(*T).Parallel");
  runner.frames.push_back(frame("example.com/a.TestSlow"));
  EXPECT_EQ(known_of({runner, waiting(7, 6, "example.com/a.start", "example.com/a.work")}, 7).test, "TestSlow");
}

TEST(Attribution, BySiblingsOfADeadParent) {
  const std::vector<GoroutineDump> goroutines{waiting(7, 6, "example.com/a.start", "example.com/a.work"),
                                              waiting(8, 6, "example.com/a.TestOne", "example.com/a.rest"),
                                              waiting(9, 5, "example.com/a.start", "example.com/a.work")};
  EXPECT_EQ(known_of(goroutines, 7).test, "TestOne");
  EXPECT_EQ(known_of(goroutines, 7).by, KnownBy::sibling);
  EXPECT_EQ(known_of(goroutines, 9).test, "");
}

TEST(Attribution, TwoTestsAtOnePlaceAreTwoLeaks) {
  const std::vector<GoroutineDump> goroutines{waiting(7, 6, "example.com/a.start", "example.com/a.work"),
                                              waiting(8, 6, "example.com/a.TestOne", "example.com/a.rest"),
                                              waiting(9, 5, "example.com/a.start", "example.com/a.work"),
                                              waiting(10, 5, "example.com/a.TestTwo", "example.com/a.rest")};
  EXPECT_EQ(judged(test_binary(), goroutines).leaks.size(), 4);
  EXPECT_EQ(known_of(goroutines, 9).test, "TestTwo");
}

TEST(Attribution, CyclesOfParentsEnd) {  // made up: what a program shows is its own business
  EXPECT_EQ(known_of({waiting(7, 8, "a.b", "a.c"), waiting(8, 7, "a.b", "a.c")}, 7).test, "");
}

TEST(Selection, OfTestBinariesAndGosOwnCommands) {
  EXPECT_EQ(tested_package("example.com/a.test"), "example.com/a");
  EXPECT_EQ(tested_package("example.com/a"), "");
  EXPECT_EQ(tested_package(".test"), "");
  EXPECT_TRUE(is_go_command("cmd/compile"));
  EXPECT_FALSE(is_go_command("cmd/go.test"));
  EXPECT_FALSE(is_go_command("example.com/cmd/server"));
}

TEST(Selection, GlobsOverPathFileAndPackage) {
  const ProgramName shop{.exe = "/srv/bin/shop", .command = "shop", .package = "example.com/shop"};
  EXPECT_TRUE(is_selected(shop, {"x", "/srv/*"}));
  EXPECT_TRUE(is_selected(shop, {"shop"}));
  EXPECT_TRUE(is_selected(shop, {"example.com/*"}));
  EXPECT_FALSE(is_selected(shop, {"srv", "example.com", "hop"}));
  EXPECT_FALSE(is_selected(shop, {}));
  EXPECT_TRUE(is_selected({.exe = "", .command = "secret", .package = ""}, {"secret"}));
}

}  // namespace
}  // namespace goleakd::verify

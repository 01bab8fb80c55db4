// SPDX-License-Identifier: Apache-2.0
// What `goleakd verify` writes: JUnit XML, and the same as text and JSON.
#include <gtest/gtest.h>

#include "junit/verify_junit.h"
#include "junit/xml.h"
#include "text/json.h"
#include "text/verify_json.h"
#include "text/verify_text.h"
#include "verify_fixture.h"

namespace goleakd::junit {
namespace {

using verify::Program;
using verify::Report;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Program test_program(const std::vector<ledger::GoroutineDump>& goroutines) {
  Program program;
  program.pid = 42;
  program.exe = "/tmp/a.test";
  program.package = "example.com/a.test";
  program.tests_of = "example.com/a";
  program.go_version = "go1.27";
  program.waited = std::chrono::milliseconds(1500);
  program.left = verify::judged(verify::test_binary(), goroutines);
  return program;
}

Report sample() {
  Report report;
  report.version = "0.1.0";
  report.command = {"go", "test"};
  report.programs = {test_program({verify::waiting(7, 6, "example.com/a.TestOne.func1", "example.com/a.work"),
                                   verify::waiting(8, 6, "example.com/a.TestOne.func1", "example.com/a.work"),
                                   verify::waiting(9, 5, "example.com/a.start", "example.com/a.rest")}),
                     test_program({})};
  return report;
}

TEST(Xml, EscapesWhatHasAMeaningAndReplacesWhatCannotBeSaid) {
  EXPECT_EQ(xml_escaped("a<b>&\"c\"'"), "a&lt;b&gt;&amp;&quot;c&quot;'");
  EXPECT_EQ(xml_escaped("one\ttwo\nthree\r"), "one&#9;two&#10;three&#13;");
  EXPECT_EQ(xml_escaped(std::string_view("a\0b\x1b[1m\x7f", 8)),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd[1m\x7f");
  EXPECT_EQ(xml_escaped("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb9"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb9");
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(xml_escaped("\xff"), bad);
  EXPECT_EQ(xml_escaped("\xc3"), bad);                      // cut off
  EXPECT_EQ(xml_escaped("\xc0\xaf"), bad + bad);            // overlong
  EXPECT_EQ(xml_escaped("\xed\xa0\x80"), bad + bad + bad);  // a surrogate
  EXPECT_EQ(xml_escaped("\xef\xbf\xbe"), bad);              // U+FFFE
  EXPECT_EQ(xml_escaped("\xf4\x90\x80\x80"), bad + bad + bad + bad);
}

TEST(Junit, ASuiteForEachProgramACaseForEachLeak) {
  const std::string xml = verify_junit(sample());
  EXPECT_TRUE(
      xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"goleakd verify\" tests=\"3\" "
                      "failures=\"2\" errors=\"0\" skipped=\"0\">\n"))
      << xml;
  EXPECT_TRUE(has(xml,
                  "<testcase classname=\"example.com/a\" name=\"TestOne: go statement in "
                  "example.com/a.TestOne.func1, line 20\" time=\"0.000\">"))
      << xml;
  EXPECT_TRUE(has(xml, "name=\"unknown test: go statement in example.com/a.start, line 20\"")) << xml;
  EXPECT_TRUE(has(xml,
                  "message=\"2 goroutines, started by example.com/a.TestOne.func1, in example.com/a.work "
                  "[chan receive]\""))
      << xml;
  EXPECT_TRUE(has(xml, "name=\"no goroutines left\" time=\"1.500\"/>")) << xml;
}

TEST(Junit, WhatWasNotJudgedShows) {
  Report report;
  report.programs = {test_program({}), test_program({})};
  report.programs[0].outcome = Program::Outcome::unreadable;
  report.programs[0].reason = "process 42 is \"protected\"";
  report.programs[1].outcome = Program::Outcome::failed;
  report.programs[1].status = 2;
  const std::string xml = verify_junit(report);
  EXPECT_TRUE(has(xml, "tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"1\"")) << xml;
  EXPECT_TRUE(has(xml, "<error type=\"not judged\" message=\"process 42 is &quot;protected&quot;\"/>")) << xml;
  EXPECT_TRUE(has(xml, "<skipped message=\"it exited with status 2\"/>")) << xml;
}

TEST(VerifyText, SaysWhereAndInWhoseTest) {
  const std::string text = text::verify_text(sample(), false);
  EXPECT_TRUE(has(text,
                  "LEAK  example.com/a.test (pid 42): 2 goroutines\n"
                  "  test        TestOne: the go statement is in it\n"
                  "  started     example.com/a.TestOne.func1  /srv/a/a.go:20  (go example.com/a.work)\n"))
      << text;
  EXPECT_TRUE(has(text, "  goroutines  7, 8\n")) << text;
  EXPECT_TRUE(has(text, "  test        not known")) << text;
  EXPECT_TRUE(text.ends_with("3 goroutines left in 2 Go programs\n")) << text;
  EXPECT_FALSE(has(text, "runtime.gopark")) << text;
}

TEST(VerifyText, NothingFoundIsToldApartFromNothingLookedAt) {
  Report report;
  EXPECT_TRUE(text::verify_remarks(report));
  EXPECT_TRUE(has(text::verify_text(report, false), "no Go program was judged"));
  EXPECT_TRUE(has(text::verify_text(report, false), "-count=1"));
  report.programs = {test_program({})};
  EXPECT_FALSE(text::verify_remarks(report));
  EXPECT_EQ(text::verify_text(report, false), "no goroutines left in 1 Go program\n");
  report.programs[0].left.could_not_run = 1;
  EXPECT_TRUE(text::verify_remarks(report));
}

TEST(VerifyText, NamesCannotSteerATerminal) {
  Report report;
  report.programs = {test_program({verify::waiting(7, 6, "a.\x1b[31mb", "a.c\nd")})};
  const std::string text = text::verify_text(report, false) + verify_junit(report);
  EXPECT_FALSE(has(text, "\x1b"));
  EXPECT_FALSE(has(text, "a.c\nd"));
}

TEST(VerifyJson, HasWhatTheTextHas) {
  Report report = sample();
  report.end.status = 3;
  const nlohmann::json document = text::verify_json(report, 1);
  EXPECT_EQ(document["exit_code"], 1);
  EXPECT_EQ(document["status"], 3);
  EXPECT_TRUE(document["signal"].is_null());
  EXPECT_EQ(document["leaked"], 3);
  const auto& leak = document["programs"][0]["leaks"][0];
  EXPECT_EQ(leak["test"], "TestOne");
  EXPECT_EQ(leak["test_known_by"], "creation");
  EXPECT_EQ(leak["count"], 2);
  EXPECT_EQ(leak["created"]["line"], 20);
  EXPECT_EQ(leak["blocked"]["function"], "example.com/a.work");
  EXPECT_EQ(leak["goroutines"], nlohmann::json::parse("[7, 8]"));
  EXPECT_TRUE(document["programs"][0]["leaks"][1]["test"].is_null());
  EXPECT_EQ(document["programs"][1]["outcome"], "judged");
}

}  // namespace
}  // namespace goleakd::junit

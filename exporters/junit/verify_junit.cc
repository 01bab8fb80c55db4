// SPDX-License-Identifier: Apache-2.0
#include "junit/verify_junit.h"

#include <array>
#include <cstdio>
#include <vector>

#include "junit/xml.h"
#include "text/verify_text.h"

namespace goleakd::junit {
namespace {

using verify::Leak;
using verify::Program;

struct Counts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;

  Counts& operator+=(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    return *this;
  }
};

std::string attribute(const char* name, std::string_view value) {
  return std::string(" ") + name + "=\"" + xml_escaped(value) + "\"";
}

std::string counts_attributes(const Counts& counts) {
  return attribute("tests", std::to_string(counts.tests)) + attribute("failures", std::to_string(counts.failures)) +
         attribute("errors", std::to_string(counts.errors)) + attribute("skipped", std::to_string(counts.skipped));
}

std::string seconds(Duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", std::chrono::duration<double>(duration).count());
  return text.data();
}

// `body`: what is inside of the case; empty when it passed.
std::string test_case(const Program& program, const std::string& name, Duration time, const std::string& body) {
  const std::string& group = program.tests_of.empty() ? program.name() : program.tests_of;
  const std::string head =
      "    <testcase" + attribute("classname", group) + attribute("name", name) + attribute("time", seconds(time));
  return body.empty() ? head + "/>\n" : head + ">\n" + body + "    </testcase>\n";
}

std::string leak_case(const Program& program, const Leak& leak) {
  const std::string test = leak.test.empty() ? "unknown test" : leak.test;
  std::string name = program.tests_of.empty() ? "goroutine leak" : test;
  if (leak.created) {
    name += ": go statement in " + leak.created->function + ", line " + std::to_string(leak.created->line);
  }
  const std::string summary = text::verify_summary(leak);
  const std::string body =
      leak.accepted ? "      <skipped" + attribute("message", "in the baseline: " + summary) + "/>\n"
                    : "      <failure" + attribute("type", "goroutine leak") + attribute("message", summary) + ">" +
                          xml_escaped(text::verify_details(leak)) + "</failure>\n";
  return test_case(program, name, Duration::zero(), body);
}

std::string suite(const Program& program, Counts& counts) {
  std::string cases;
  const auto one = [&](const std::string& body) {
    cases += test_case(program, "no goroutines left", program.waited, body);
    ++counts.tests;
  };
  switch (program.outcome) {
    case Program::Outcome::unreadable:
      one("      <error" + attribute("type", "not judged") + attribute("message", program.reason) + "/>\n");
      ++counts.errors;
      break;
    case Program::Outcome::failed:
      one("      <skipped" + attribute("message", "it exited with status " + std::to_string(program.status)) + "/>\n");
      ++counts.skipped;
      break;
    case Program::Outcome::killed:
      one("      <skipped" + attribute("message", "a signal killed it") + "/>\n");
      ++counts.skipped;
      break;
    case Program::Outcome::judged:
      for (const Leak& leak : program.left.leaks) {
        cases += leak_case(program, leak);
        ++counts.tests;
        ++(leak.accepted ? counts.skipped : counts.failures);
      }
      if (program.left.leaks.empty()) one("");
      break;
  }
  return "  <testsuite" + attribute("name", program.name()) + counts_attributes(counts) +
         attribute("time", seconds(program.waited)) + ">\n" + cases + "  </testsuite>\n";
}

}  // namespace

std::string verify_junit(const verify::Report& report) {
  Counts all;
  std::string suites;
  for (const Program& program : report.programs) {
    Counts counts;
    suites += suite(program, counts);
    all += counts;
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + attribute("name", "goleakd verify") +
         counts_attributes(all) + ">\n" + suites + "</testsuites>\n";
}

}  // namespace goleakd::junit

// SPDX-License-Identifier: Apache-2.0
#include "text/incidents.h"

#include <gtest/gtest.h>

#include <string>

#include "sample_report.h"
#include "text/json.h"

namespace goleakd::text {
namespace {

using sample::kNow;
using sample::seconds;

verdict::Incident panic() {
  verdict::Incident incident;
  incident.number = 1;
  incident.death = verdict::Death::panic;
  incident.at = kNow - seconds(5);
  incident.pid = 4711;
  incident.app = "shop";
  incident.goid = 18;
  incident.kind = "main.bug";
  incident.text = "cart is \x1b[31mnil\n";
  incident.where = {"main.serve", "/srv/shop/main.go", 8};
  incident.stack = {incident.where};
  return incident;
}

TEST(IncidentLine, SaysOfWhatWhereAndWithWhatWords) {
  EXPECT_EQ(incident_line(panic()),
            "shop (pid 4711): died of a panic with a main.bug in main.serve (/srv/shop/main.go:8): cart is ?[31mnil?");
  verdict::Incident fatal = panic();
  fatal.death = verdict::Death::fatal;
  fatal.where = {};
  fatal.text = "all goroutines are asleep - deadlock!";
  fatal.last_look = verdict::LastLook{.at = kNow - seconds(9), .goroutines = 17, .sites = {}};
  EXPECT_EQ(
      incident_line(fatal),
      "shop (pid 4711): died of a fatal error: all goroutines are asleep - deadlock!; it had 17 goroutines when last "
      "seen");
  fatal.cut = true;
  EXPECT_NE(incident_line(fatal).find("deadlock!...;"), std::string::npos);
  fatal.death = verdict::Death::out_of_memory;
  fatal.text.clear();
  fatal.last_look.reset();
  EXPECT_EQ(incident_line(fatal), "shop (pid 4711): killed by the kernel: out of memory");
}

TEST(IncidentsJson, HasWhatIsKnownAndNullForTheRest) {
  verdict::Report report = sample::report({sample::target()});
  verdict::Incident unknown;
  unknown.death = verdict::Death::out_of_memory;
  report.incidents = {panic(), unknown};
  report.incident_totals = {{"shop", {{verdict::Death::panic, 3}, {verdict::Death::fatal, 0}}}};
  const auto json = incidents_json(report);
  EXPECT_EQ(json["incidents"][0]["death"], "panic");
  EXPECT_EQ(json["incidents"][0]["goroutine"], 18);
  EXPECT_EQ(json["incidents"][0]["text"], "cart is \x1b[31mnil\n");
  EXPECT_EQ(json["incidents"][0]["stack"][0]["line"], 8);
  EXPECT_TRUE(json["incidents"][0]["last_look"].is_null());
  EXPECT_TRUE(json["incidents"][1]["goroutine"].is_null());
  EXPECT_EQ(json["totals"]["shop"]["panic"], 3);
  EXPECT_EQ(json["totals"]["shop"]["fatal"], 0);
  report.incidents[0].text = "\xff";
  EXPECT_NE(to_text(incidents_json(report)).find("\xef\xbf\xbd"), std::string::npos);
}

TEST(PanicsJson, TellsOfEachSite) {
  verdict::TargetReport target = sample::target();
  target.panics.attached = true;
  target.panics.panics = 5;
  target.panics.recovered = 4;
  verdict::PanicSite site;
  site.kind = "string";
  site.function = "main.serve";
  site.panics = 5;
  site.recovered = 4;
  target.panics.sites = {site};
  const auto json = panics_json(sample::report({target}));
  EXPECT_EQ(json["targets"][0]["panics"], 5);
  EXPECT_EQ(json["targets"][0]["sites"][0]["kind"], "string");
  EXPECT_EQ(json["targets"][0]["sites"][0]["recovered"], 4);
}

}  // namespace
}  // namespace goleakd::text

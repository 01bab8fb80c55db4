// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/metric_type.h>

namespace goleakd::prometheus {

struct Metric {
  const char* name;
  ::prometheus::MetricType type;
  const char* help;
};

// Every metric that is made from a Report. docs and alert rules use these names: they do not change once released.
namespace metric {

inline constexpr auto kGauge = ::prometheus::MetricType::Gauge;
inline constexpr auto kCounter = ::prometheus::MetricType::Counter;

inline constexpr Metric kBuildInfo{"goleakd_build_info", kGauge, "Always 1; the version of goleakd."};
inline constexpr Metric kConfigReloadSuccessful{
    "goleakd_config_last_reload_successful", kGauge,
    "0 while the configuration in force is an older one than the files hold, because those were refused."};
inline constexpr Metric kConfigReloadSuccess{"goleakd_config_last_reload_success_timestamp_seconds", kGauge,
                                             "When the configuration in force was read."};
inline constexpr Metric kEventsAvailable{
    "goleakd_events_available", kGauge,
    "1 when processes of this host can be watched by events, 0 when only by snapshots; the log says why."};
inline constexpr Metric kTargetsUnsupported{"goleakd_targets_unsupported", kGauge,
                                            "Go processes that cannot be watched, by the kind of reason."};
inline constexpr Metric kCheckLastRun{
    "goleakd_check_last_run_timestamp_seconds", kGauge,
    "When the check last ran, on the process that has waited longest among those that can be read."};
inline constexpr Metric kSnapshotDuration{"goleakd_snapshot_duration_seconds", ::prometheus::MetricType::Histogram,
                                          "Time taken to read all goroutines of one process."};
inline constexpr Metric kSnapshotTorn{"goleakd_snapshot_torn_total", kCounter,
                                      "Goroutines left out of a snapshot because they changed while they were read."};
inline constexpr Metric kEventsLost{"goleakd_events_lost_total", kCounter,
                                    "Probe hits that were not recorded, by reason."};
inline constexpr Metric kLedgerCorrections{
    "goleakd_ledger_corrections_total", kCounter,
    "Differences between events and snapshots that a snapshot set right, by reason; seeded ones were expected."};

inline constexpr Metric kTargetInfo{"goleakd_target_info", kGauge, "Always 1; a watched process."};
inline constexpr Metric kTargetUp{"goleakd_target_up", kGauge, "1 when the last snapshot of the process succeeded."};
inline constexpr Metric kProbeAttached{"goleakd_probe_attached", kGauge,
                                       "Processes of the app in which the probe is attached."};
inline constexpr Metric kProbeHits{"goleakd_probe_hits_total", kCounter, "Hits of the probe."};
inline constexpr Metric kProbeBudgetTrips{"goleakd_probe_budget_trips_total", kCounter,
                                          "Times that probes were detached because they broke the overhead budget."};
inline constexpr Metric kOverheadPredicted{
    "goleakd_overhead_predicted_ratio", kGauge,
    "What all probes would cost, by the program's own counters, over the CPU time that it uses."};
inline constexpr Metric kOverheadMeasured{"goleakd_overhead_measured_ratio", kGauge,
                                          "What the attached probes cost, over the CPU time that the program uses."};
inline constexpr Metric kProbeHitCost{"goleakd_probe_hit_cost_seconds", kGauge,
                                      "What one hit of a probe costs the program, as measured when goleakd started."};

inline constexpr Metric kGoroutines{"goleakd_goroutines", kGauge,
                                    "Goroutines without those of the runtime, by their state in the last snapshot."};
inline constexpr Metric kSystemGoroutines{"goleakd_system_goroutines", kGauge, "Goroutines of the Go runtime itself."};
inline constexpr Metric kBlockedGoroutines{
    "goleakd_blocked_goroutines", kGauge,
    "Blocked goroutines by what they wait for and for how long at least, each in one age class."};

inline constexpr Metric kSiteInfo{"goleakd_site_info", kGauge, "Always 1; the go statement behind a site_id."};
inline constexpr Metric kSiteGoroutines{"goleakd_site_goroutines", kGauge, "Live goroutines started at the site."};
inline constexpr Metric kSiteBytes{"goleakd_site_bytes", kGauge, "Stack memory that goroutines of the site hold."};
inline constexpr Metric kSiteOldest{
    "goleakd_site_oldest_blocked_timestamp_seconds", kGauge,
    "Since when, at least, the longest blocked goroutine of the site has been in its present wait."};
inline constexpr Metric kSiteSpawned{"goleakd_site_spawned_total", kCounter,
                                     "Goroutines started at the site; only while events are exact."};
inline constexpr Metric kSiteExited{"goleakd_site_exited_total", kCounter,
                                    "Goroutines of the site that ended; only while events are exact."};
inline constexpr Metric kSiteBlocked{
    "goleakd_site_blocked_seconds", ::prometheus::MetricType::Histogram,
    "How long the parks of the site's goroutines lasted that have ended; only while park and unpark are exact."};
inline constexpr Metric kSitesNotShown{"goleakd_sites_not_shown", kGauge,
                                       "Sites with live goroutines that have no series of their own."};

inline constexpr Metric kLeaksDetected{"goleakd_leaks_detected_total", kCounter, "Leaks found."};
inline constexpr Metric kLeakInfo{"goleakd_leak_info", kGauge, "Always 1; what is known of a leak."};
inline constexpr Metric kLeakGoroutines{"goleakd_leak_goroutines", kGauge,
                                        "Leaked goroutines; 0 for a while after the leak has ended."};
inline constexpr Metric kLeakBytes{"goleakd_leak_bytes", kGauge, "Stack memory that leaked goroutines hold."};
inline constexpr Metric kLeakFirstSeen{"goleakd_leak_first_seen_timestamp_seconds", kGauge,
                                       "When the leak was first seen, as far back as history goes."};

inline constexpr Metric kRecoveredPanics{
    "goleakd_recovered_panics_total", kCounter,
    "Panics that a goroutine has recovered from and gone on, by the type of the value and the function that panicked."};
inline constexpr Metric kPanicSitesNotShown{"goleakd_panic_sites_not_shown", kGauge,
                                            "Kinds of recovered panics that have no series of their own."};
inline constexpr Metric kIncidents{"goleakd_incidents_total", kCounter,
                                   "Processes that ended by a panic, by a fatal error, or by the kernel's OOM killer."};

inline constexpr Metric kHistoryEnabled{"goleakd_history_enabled", kGauge, "1 when history is to be kept."};
inline constexpr Metric kHistoryUp{"goleakd_history_up", kGauge,
                                   "1 when history could be written last time, 0 when not; the log says why."};
inline constexpr Metric kHistoryUnavailable{"goleakd_history_unavailable", kGauge,
                                            "1 for the kind of reason for which history can't be written."};
inline constexpr Metric kHistoryBytes{"goleakd_history_bytes", kGauge, "Size of history's file and its log."};
inline constexpr Metric kHistoryMaxBytes{"goleakd_history_max_bytes", kGauge, "Size that they may have."};
inline constexpr Metric kHistorySamples{"goleakd_history_samples_total", kCounter,
                                        "Counts of creation sites that were written."};
inline constexpr Metric kHistoryFailedWrites{"goleakd_history_failed_writes_total", kCounter,
                                             "Times that history could not be opened or written."};
inline constexpr Metric kHistoryMissedIntervals{
    "goleakd_history_missed_intervals_total", kCounter,
    "Intervals in which counts should have been written and were not: history was down, or the disk too slow."};
inline constexpr Metric kHistoryTrimmedRows{"goleakd_history_trimmed_rows_total", kCounter,
                                            "Rows that were deleted to stay within the size."};
inline constexpr Metric kHistorySetAside{"goleakd_history_set_aside_total", kCounter,
                                         "Damaged files that were renamed, and begun anew."};
inline constexpr Metric kHistorySitesLeftOut{"goleakd_history_sites_left_out_total", kCounter,
                                             "Creation sites that are not sampled because their process has too many."};
inline constexpr Metric kHistorySlowLeaks{
    "goleakd_history_slow_leaks", kGauge,
    "Creation sites whose goroutines rise with uptime in process after process; goleakd leaks --history shows them."};

}  // namespace metric
}  // namespace goleakd::prometheus

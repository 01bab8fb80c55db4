# SPDX-License-Identifier: Apache-2.0
"""That what goleakd tells of the target `counts` is what that program has counted itself."""

SITE = "main.spawnWorkers"
CHURN = "main.churn"


def exercise(counts, workers=200, churned=2000, pingpongs=2000):
    """Spawns, parks, wakes and exits: workers come and go, others only come and go, two hand a value to and fro."""
    counts.command(f"spawn {workers}")
    counts.command(f"churn {churned}")
    counts.command(f"pingpong {pingpongs}")
    counts.command("release")
    counts.command(f"spawn {workers // 2}")


def check(daemon, counts, since, seen=None):
    """`since`: what the program had counted when this daemon attached, or later; it did nothing then. It does nothing now, and
    who lived then has ended. `seen`: what goleakd had counted by then, {function: site}; nothing when it attached: the wakes of
    those who had parked before end no park that was counted."""
    older = 0 if seen else since["spawned"] - since["exited"]
    own = {name: number - since[name] for name, number in counts.counts().items()}
    live = own["spawned"] + since["spawned"] - own["exited"] - since["exited"]
    numbers = {SITE: {"spawned": own["spawned"], "exited": own["exited"], "parked": own["parks"],
                      "unparked": own["exited"] - older, "live": live}}
    if own["churned"]:
        numbers[CHURN] = {"spawned": own["churned"], "exited": own["churned"], "live": 0}
    for function, expected in numbers.items():
        for name in ("spawned", "exited", "parked", "unparked"):
            if name in expected:
                expected[name] += (seen or {}).get(function, {}).get(name, 0)
    daemon.expect_sites(counts.pid, numbers)
    target = daemon.target(counts.pid)
    losses = target["losses"]
    unexplained = {name: number for name, number in losses["corrections"].items() if name != "seeded" and number}
    assert not unexplained, f"unexplained corrections: {unexplained}"
    assert losses["events_ring_full"] == losses["events_unreadable"] == losses["events_storm"] == 0, losses
    assert target["mode"] == "events" and target["up"], target
    return own

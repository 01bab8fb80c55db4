# SPDX-License-Identifier: Apache-2.0
"""How programs are watched by a goleakd whose clock may be shortened, and what it says of them is gathered."""

import time

# Thresholds that a shorter window of growth shortens as well, in seconds: docs/verdicts.md.
CLOCK = {"quiet_after_start": 120, "growing_window": 300, "accumulating_window": 1800, "stuck_after": 60,
         "cancelled_after": 60}
WINDOW = CLOCK["growing_window"]
QUICK_WINDOW = 20
# With a shortened window the long one is only three times as long, so that CI can wait for it.
SHORT_CLOCK = CLOCK | {"accumulating_window": 900}
SNAPSHOTS = {"interval": 10, "interval_with_suspects": 2}
PATIENCE = 120  # seconds in which goleakd may give no answer


def settings(window, paths):
    """The daemon's configuration for these services, {name: path}: its defaults, but for the clock."""
    services = {"targets": {"include": [str(path) for path in paths.values()],
                            "services": [{"exe": str(path), "name": name} for name, path in paths.items()]}}
    if window == WINDOW:
        return services
    share = window / WINDOW
    clock = {"thresholds": {name: _ms(seconds * share) for name, seconds in SHORT_CLOCK.items()},
             "snapshots": {name: _ms(max(seconds * share, 0.3)) for name, seconds in SNAPSHOTS.items()} | {"max_cpu": 0.5}}
    return services | clock


def _ms(seconds):
    return f"{round(seconds * 1000)}ms"


def minute_of(window):
    """How long a minute is, in seconds, when all that happens is as much faster as the window is shorter."""
    return max(60 * window / WINDOW, 1)


def seconds_of(text):
    units = {"s": 1, "m": 60}
    return float(text[:-1]) * units[text[-1]]


def watch(daemon, programs, seconds, meanwhile=lambda: None):
    """Asks once a second what is said of each, and hands it what /api/v1/leaks has of it; calls `meanwhile` in between. A program
    has a `pid`, a `begun` (a time of the monotonic clock), and a method `saw(target, age)`."""
    by_pid = {program.pid: program for program in programs}
    until = time.monotonic() + seconds
    answered = time.monotonic()
    while time.monotonic() < until:
        time.sleep(1)
        try:
            targets = daemon.api("leaks")["targets"]
            answered = time.monotonic()
        except OSError:  # a host that is short of processors may stand still for a while
            if time.monotonic() - answered > PATIENCE:
                raise
            targets = []
        for target in targets:
            if program := by_pid.get(target["pid"]):
                program.saw(target, time.monotonic() - program.begun)
        meanwhile()


def neglected(daemon, programs):
    """Those that have ended, or in which growth has never been looked for, and why that is: {key: text}. A program has a `key`
    and a `process` as well."""
    watched = {target["pid"] for target in daemon.api("targets")["targets"] if target["checks_last_run"].get("growing")}
    reasons = {}
    for program in programs:
        if not program.process.running():
            reasons[program.key] = f"ended with {program.process.wait()}:\n{program.process.output()[-2000:]}"
        elif program.pid not in watched:
            reasons[program.key] = "goleakd has never looked for growth in it"
    return reasons

# SPDX-License-Identifier: Apache-2.0
"""A goleakd that watches one workload, and what it says of it."""

from dataclasses import dataclass

import workloads  # noqa: F401  first: it makes the modules of tests/integration known
import harness
from daemon import Daemon

GROUPS = {"spawn and exit": ("spawn", "exit"), "park and unpark": ("park", "unpark", "coroswitch")}


def percent(ratio):
    """Two digits that count: "0.84 %", "137 %"."""
    if ratio is None:
        return "?"
    return f"{100 * ratio:,.0f} %" if ratio >= 0.1 else f"{100 * ratio:.2f} %"


@dataclass
class Price:
    """What goleakd has measured that a hit costs on this host, on an instruction that the kernel emulates."""

    trap_ns: float  # bare: it is counted
    record_ns: float  # and recorded, as all are: what the governor reckons with


@dataclass
class Look:
    """One answer of /api/v1/targets."""

    at: float
    hits: dict  # of each probe, since the daemon began
    attached: list  # groups
    predicted: float  # what the probes of both groups would cost, over the CPU time of the process; None: can't be told
    measured: float  # what those in place do; None: not measured yet
    reason: str  # why not all are in place
    trips: int

    def hits_since(self, before):
        """A second, of all probes."""
        seconds = self.at - before.at
        return (sum(self.hits.values()) - sum(before.hits.values())) / seconds if seconds > 0 else 0.0


class Watching:
    """Until the end of the `with` block. With mode "events" all probes are in place from the beginning, with "auto" the governor
    has decided which."""

    def __init__(self, load, folder, mode, **settings):
        self.pid = load.pid
        self.daemon = Daemon(folder, [load.exe], mode=mode, **settings)
        try:
            harness.wait_for(lambda: self._ready(mode), 60, f"the probes of {load.exe}, mode {mode}")
        except BaseException:
            self.daemon.stop()
            raise

    def __enter__(self):
        self.daemon.__enter__()
        return self

    def __exit__(self, *failure):
        self.daemon.__exit__(*failure)

    def _ready(self, mode):
        look = self.look()
        if look is None or look.measured is None:
            return False
        return mode != "events" or len(look.attached) == len(GROUPS)

    def look(self):
        """The newest that it says, or None."""
        document = self.daemon.api("targets")
        target = next((target for target in document["targets"] if target["pid"] == self.pid), None)
        if target is None:
            return None
        probes = {probe["name"]: probe for probe in target["probes"]}
        overhead = target["overhead"] or {"predicted_ratio": None, "measured_ratio": None}
        attached = [group for group, names in GROUPS.items() if all(probes[name]["attached"] for name in names if name in probes)]
        return Look(document["at"], {name: probe["hits"] for name, probe in probes.items()}, attached,
                    overhead["predicted_ratio"], overhead["measured_ratio"], target["mode_reason"], target["losses"]["budget_trips"])

    def next_look(self):
        """The next that it says: it does so each second."""
        before = self.look()
        return harness.wait_for(lambda: (look := self.look()) and look.at > before.at and look, 30, "a report")

    def price(self):
        trap, record = (self.daemon.metric("goleakd_probe_hit_cost_seconds", instruction="emulated", work=word)
                        for word in ("count", "record"))
        return Price(1e9 * trap, 1e9 * record)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The application never notices: while it does everything that Go can do, collects garbage all the time and moves its
stacks, daemons come and go, and some are killed. Its work comes out right, and nothing of them remains: no BPF link,
and no byte of the program's code that is not its file's.

    survival_test.py GO_VERSION [stripped] [pie] [cgo] [--cycles N] [--kills N] [--seed N]

--cycles: daemons that attach, stay for a round of work, and are ended by SIGTERM and SIGKILL by turns. --kills: daemons
that are killed at a random moment, be it before, during or after the attach.
"""

import argparse
import random
import signal
import time

import builds
import harness
from daemon import Daemon, links_of_probes, need_root
from unharmed import Code, Work, await_nothing_left, ids


def cycle(exe, features, work, code, end):
    """A daemon that attaches, stays for a round of work, and ends."""
    with harness.temp_dir() as folder:
        with Daemon(folder, [exe], mode="events", snapshots={"interval": "100ms"}) as daemon:

            def attached():
                target = daemon.target(features.pid)
                return target and target["mode"] == "events"

            harness.wait_for(attached, 30, "the attach")
            links, probes = daemon.links(), code.changed()
            assert links & ids(links_of_probes()) and probes, "no probe is in place, so this cycle would prove nothing"
            work.await_round()
            hits = sum(probe["hits"] for probe in daemon.target(features.pid)["probes"])
            assert hits > 0, "no probe was hit, so this cycle would prove nothing"
            daemon.signal(end)
            code_of_exit = daemon.wait()
            assert code_of_exit == (0 if end == signal.SIGTERM else -end), daemon.output()
        await_nothing_left([code], links)
        work.check()
    return probes, hits


def kill(exe, work, code, chance):
    """A daemon that dies at any moment. Returns whether it was seen to have probes in place."""
    with harness.temp_dir() as folder:
        with Daemon(folder, [exe], mode="events", snapshots={"interval": "100ms"}) as daemon:
            time.sleep(chance.uniform(0, 1.5))
            links, probes = daemon.links(), code.changed()
            daemon.signal(signal.SIGKILL)
            daemon.wait()
        await_nothing_left([code], links)
        work.check()
    return probes > 0


def main():
    need_root()
    parser = argparse.ArgumentParser()
    parser.add_argument("version")
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--cycles", type=int, default=5)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100000)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)

    exe = builds.build("features", arguments.version, arguments.kinds)
    with harness.Target(exe, env={"GOGC": "5"}) as features:
        code = Code(features.pid, exe)
        assert code.changed() == 0
        with Work(features) as work:
            work.await_round()
            for number in range(arguments.cycles):
                end = (signal.SIGTERM, signal.SIGKILL)[number % 2]
                probes, hits = cycle(exe, features, work, code, end)
                print(f"{end.name}: {probes} probes were in place and hit {hits} times", flush=True)
            with_probes = sum(kill(exe, work, code, chance) for _ in range(arguments.kills))
            print(f"killed {arguments.kills} times, {with_probes} of them with probes in place", flush=True)
            work.await_round()
        work.check()
        assert features.quit() == 0
    print(f"{work.rounds} rounds of work came out right")


main()

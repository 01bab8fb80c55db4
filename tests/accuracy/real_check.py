# SPDX-License-Identifier: Apache-2.0
"""What goleakd says of a running program that others have released against what that program itself says."""

import http.client
import json
import re
import subprocess
import time
import urllib.parse

import real_programs  # first: it makes the modules of tests/integration known
import harness
import own_traceback
from daemon import goleakd

TRIES = 10
# A request is served by a goroutine that waits for it and is there before and after. What is there only meanwhile:
# one that reads ahead on the connection (net/http), and for /metrics, but not in VictoriaMetrics, those of client_golang that
# gather, at least one, and one that waits for them. Two to six were seen.
READS_AHEAD = "created by net/http.(*connReader).startBackgroundRead"
MOST_FOR_METRICS = 8


def check(program, about):
    """(goroutines, differences) of a program at rest. Fills in what there is to tell about it: "go", "layout", "compared"."""
    told = go_version(program)
    about["go"] = told or "?"
    with harness.temp_dir() as folder, real_programs.Running(program, folder) as running:
        time.sleep(2)  # it serves; now it comes to rest
        document = own_traceback.dump_json(running.pid)
        found = own_traceback.unfinished(document)
        about["go"] = document["go_version"].removeprefix("go")
        about["layout"] = _layout(running.pid)
        if told and told != about["go"]:
            found.append(f"it is of Go {told}, goleakd says {about['go']}")
        if running.command.pprof:
            about["compared"] = "debug=2"
            with Connection(running.command.pprof) as connection:
                found += _against_profile(running.pid, connection, running.command.pprof)
                if running.command.metrics:
                    about["compared"] += ", go_goroutines"
                    found += _against_metric(running.pid, connection, running.command.metrics)
        else:
            about["compared"] = "its crash"
            found += _against_crash(running)
        return len(document["goroutines"]), found


class Connection:
    """Kept open, so that the goroutine which serves it does not come and go."""

    def __init__(self, url):
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def get(self, url):
        parts = urllib.parse.urlsplit(url)
        self._connection.request("GET", parts.path + ("?" + parts.query if parts.query else ""))
        return self._connection.getresponse().read().decode()


def _against_profile(pid, connection, url):
    """Equal at least once: a server does something now and then even when nobody asks."""
    for _ in range(TRIES):
        own = own_traceback.parse(connection.get(url))
        ours = own_traceback.dump_text(pid)
        serves = [goid for goid, g in own.items() if g.state == "running"]
        readers = [goid for goid, g in own.items() if g.frames and g.frames[-1][0].startswith(READS_AHEAD)]
        for goid in set(readers[:1]) - ours.keys():
            del own[goid]
        found = own_traceback.differences(own, ours, leave_out=serves[:1])
        if not found:
            return []
        time.sleep(0.3)
    return found


def _against_metric(pid, connection, url):
    """Never below ours nor more above than a scrape's own goroutines, whenever those before and after it are the same."""
    found = []
    calm = 0
    for _ in range(TRIES):
        before = _ids(pid)
        own = int(float(re.search(r"^go_goroutines (\S+)", connection.get(url), re.MULTILINE)[1]))
        if _ids(pid) != before:
            continue
        calm += 1
        if not 1 <= own - len(before) <= MOST_FOR_METRICS:
            found.append(f"go_goroutines is {own} while goleakd counts {len(before)}")
    return found if calm else [f"not the same goroutines before and after a scrape, in {TRIES} tries"]


def _ids(pid):
    return {g["id"] for g in own_traceback.dump_json(pid)["goroutines"]}


def _against_crash(running):
    ours = own_traceback.all_frames(own_traceback.dump_json(running.pid))
    own = own_traceback.parse_crash(running.crash())
    # A crash shows the runtime's own goroutines as well.
    runtimes = [goid for goid, g in own.items() if all(re.match(r"runtime\.|unique\.runtime_|created by ", function) for function, _ in g.frames)]
    for goid in set(runtimes) - ours.keys():
        del own[goid]
    return own_traceback.differences(own, ours)


def go_version(program):
    """What Go's own tool reads from the build information, "1.20.7"; empty where that is missing."""
    script = f'source "{harness.REPOSITORY}/scripts/lib.sh"; with_go "$1" go version "$2"'
    told = subprocess.run(["bash", "-c", script, "go", harness.go_versions()[-1], program.exe], capture_output=True, text=True,
                          check=False)
    found = re.search(r": go(\S+)", told.stdout)
    return found[1] if found else ""


def _layout(pid):
    listed = json.loads(goleakd("list", "--format", "json").stdout)
    return next((row.get("layout", "") for row in listed["processes"] if row["pid"] == pid), "not listed")

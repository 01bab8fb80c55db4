#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A daemon whose configuration changes while it runs: what is accepted falls silent and speaks again when it grows, what is
selected is watched from then on, and a file with a fault changes nothing, is named with line and column, and told of by
/metrics."""

import json
import re
import signal
import time

import harness
from daemon import SUSPICIOUS, Daemon, goleakd, need_root

SITE = "main.spawnWorkers"
SUCCESSFUL = "goleakd_config_last_reload_successful"
SUCCESS_AT = "goleakd_config_last_reload_success_timestamp_seconds"


class Configured:
    """The daemon's configuration, as somebody edits it."""

    def __init__(self, folder, daemon):
        self.path = folder / "goleakd.yaml"
        self.daemon = daemon
        self.settings = json.loads(self.path.read_text(encoding="utf-8"))

    def reload(self, expected, **settings):
        """Changes the file, and waits until the daemon has said what it makes of it."""
        self.settings.update(settings)
        self.path.write_text(json.dumps(self.settings), encoding="utf-8")
        self.hang_up(expected)

    def hang_up(self, expected):
        seen = len(self.daemon.output())
        self.daemon.signal(signal.SIGHUP)
        harness.wait_for(lambda: re.search(expected, self.daemon.output()[seen:]), 10, f"{expected!r} in the log")


def leak(daemon, pid):
    """The one of the workers, once it is told."""
    return next((leak for leak in daemon.leaks(pid) if leak["creation"]["function"] == SITE and leak["stage"] == "leaking"), None)


def spawn_until(counts, condition, what, number=3):
    def more():
        counts.command(f"spawn {number}")
        time.sleep(0.3)
        return condition()

    return harness.wait_for(more, 40, what)


def severity(daemon):
    return {word for word in ("info", "ticket", "page") if daemon.metric("goleakd_leak_info", created_by=SITE, severity=word)}


def accepted_and_outgrown(folder, daemon, configured, counts):
    found = spawn_until(counts, lambda: (one := leak(daemon, counts.pid)) and one["severity"] == "ticket" and one, "the leak")
    assert found["ignored"] is None and found["outgrown"] is None and severity(daemon) == {"ticket"}, found

    # As many as there are soon, for those who have just been started are not yet counted among the stuck.
    room = found["peak"] + 60
    accepted = goleakd("accept", counts.pid, "--reason", "ticket 4711", "--up-to", room, "--socket", daemon.socket,
                       "--config", configured.path)
    assert accepted.returncode == 0 and found["id"] in accepted.stdout and "systemctl reload" in accepted.stdout, accepted
    [rules] = (folder / "goleakd.d").iterdir()
    text = rules.read_text(encoding="utf-8")
    assert f"leak: \"{found['id']}\"" in text and f"up_to: {room}" in text and "ticket 4711" in text, text
    assert f"# started   {SITE}" in text and rules.stat().st_mode & 0o777 == 0o644, text
    assert leak(daemon, counts.pid)["ignored"] is None, "before it has been loaded"

    configured.hang_up("the configuration is in force")
    silent = leak(daemon, counts.pid)
    assert silent["ignored"] == "ticket 4711" and silent["severity"] == "info" and severity(daemon) == {"info"}, silent
    shown = goleakd("leaks", counts.pid, "--socket", daemon.socket).stdout
    assert f"ignored: {found['id']}" in shown and "LEAK" not in shown, shown
    nothing = goleakd("accept", counts.pid, "--reason", "again", "--socket", daemon.socket, "--config", configured.path)
    assert nothing.stdout.startswith("nothing to accept") and len(list((folder / "goleakd.d").iterdir())) == 1, nothing

    spawn_until(counts, lambda: leak(daemon, counts.pid)["outgrown"] and severity(daemon) == {"ticket"}, "it to speak again",
                number=30)
    loud = leak(daemon, counts.pid)
    assert loud["ignored"] is None and loud["peak"] > room, loud
    assert loud["outgrown"].startswith(f"more than the {room} that are accepted since 2"), loud["outgrown"]
    shown = goleakd("leaks", counts.pid, "--socket", daemon.socket).stdout
    assert re.search(rf"accepted +more than the {room} that are accepted", shown), shown


def refused(folder, daemon, configured, counts):
    loaded_at = daemon.metric(SUCCESS_AT)
    assert daemon.metric(SUCCESSFUL) == 1 and loaded_at > 1e9
    bad = folder / "goleakd.d" / "zz.yaml"
    for text, fault in (("thresholds:\n  growing_windows: 3s\n", r'zz\.yaml:2:3: unknown key "growing_windows"'),
                        ("ignore:\n  - {reason: x, created_by: '*'}\n", r"zz\.yaml:2:29: would match everything"),
                        ("ignore:\n- {reason: x, created_by: main.*, until: 2020-02-03}\n", r"zz\.yaml:2:42: this rule has expired"),
                        ("ignore: [\n", r"zz\.yaml:\d+:\d+: ")):
        bad.write_text(text, encoding="utf-8")
        configured.hang_up("the configuration in force stays, the new one is refused: .*" + fault)
        assert daemon.metric(SUCCESSFUL) == 0 and daemon.metric(SUCCESS_AT) == loaded_at, text
        assert leak(daemon, counts.pid)["outgrown"], "the rules in force have gone"
    checked = goleakd("run", "--check-config", "--config", configured.path)
    assert checked.returncode == 2 and "zz.yaml:" in checked.stderr, checked
    bad.unlink()
    configured.hang_up("the configuration is in force")
    assert daemon.metric(SUCCESSFUL) == 1 and daemon.metric(SUCCESS_AT) > loaded_at


def selected_otherwise(daemon, configured, counts, other, other_exe):
    assert daemon.target(other.pid) is None
    configured.reload("socket stays as it is until", socket="/nonexistent/elsewhere", sites_per_app=1, log_level="debug",
                      targets={**configured.settings["targets"],
                               "include": [*configured.settings["targets"]["include"], str(other_exe)]})
    harness.wait_for(lambda: daemon.target(other.pid), 20, "the other program to be watched")
    before = daemon.site(counts.pid, SITE)["live"]
    assert before > 0, "the one that was watched all along"
    configured.reload("in force", targets={**configured.settings["targets"],
                                           "services": [{"exe": str(other_exe), "name": "renamed"}]})
    harness.wait_for(lambda: (daemon.target(other.pid) or {}).get("app") == "renamed", 20, "the other name")
    configured.reload("in force", targets={"include": [str(other_exe)]})
    harness.wait_for(lambda: daemon.target(counts.pid) is None, 20, "the first program to be left alone")
    assert re.search(rf"counts \(pid {counts.pid}\): selected otherwise", daemon.output()) and counts.running()
    counts.command("spawn 1")  # whose probes are gone


def main():
    need_root()
    exe = harness.build_target("counts", "1.27", stripped=True)
    other_exe = harness.build_target("forever", "1.24")
    with harness.temp_dir() as folder, harness.Target(exe) as counts, harness.Process([other_exe, "-max", "1"]) as other:
        other.await_output("^ready$")
        with Daemon(folder, [exe], **SUSPICIOUS) as daemon:
            configured = Configured(folder, daemon)
            daemon.await_exact(counts.pid)
            accepted_and_outgrown(folder, daemon, configured, counts)
            refused(folder, daemon, configured, counts)
            selected_otherwise(daemon, configured, counts, other, other_exe)
    print("accepted, outgrown, refused and selected otherwise, all while it ran")


main()

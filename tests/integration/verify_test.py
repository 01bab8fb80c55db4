#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`goleakd verify` over plain programs: who is told to leak, every exit code, every option, and that the command does not notice.

    verify_test.py GO_VERSION
"""

import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree

import harness
import nspawn
import verifying
from daemon import GOLEAKD
from verifying import verify, verify_json

NOBODY = 65534
WITHOUT_CAPABILITIES = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--bounding-set=-all"]
LEAKS, USAGE, NOT_ALLOWED, NOTHING_JUDGED, NOT_EXECUTABLE, NOT_FOUND = 1, 2, 3, 4, 126, 127
LINE = verifying.marked_lines("verify/plain/main.go")["plain"]


def expect(code, options, command, *words, stdout=None, **more):
    if code == LEAKS and "--settle" not in options:
        options = ["--settle", "200ms", *options]  # in vain, so that nobody has to wait for it long
    result = verify(options, command, **more)
    shown = f"verify {options} -- {command}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
    assert result.returncode == code, f"{shown}\nexpected {code}"
    for word in words:
        assert word in result.stderr, f"{shown}\nno {word!r} on standard error"
    assert stdout is None or result.stdout == stdout, f"{shown}\nstandard output is not {stdout!r}"
    return result


def the_command_does_not_notice(plain):
    silent = expect(0, [], [plain], stdout="begun\n")
    assert silent.stderr == "", silent.stderr
    expect(0, ["-v"], [plain], "no goroutines left in 1 Go program", stdout="begun\n")
    expect(7, [], [plain, "-status", "7"], "not judged", "exit status 7", stdout="begun\n")
    expect(5, [], ["sh", "-c", "exit 5"], "no Go program was judged")
    expect(2, [], [plain, "-panic"], "panic: as told", "not judged")
    expect(128 + signal.SIGKILL, [], [plain, "-kill"], "no Go program was judged")
    doubled = verify([], ["sh", "-c", "cat; echo error >&2"], input="text\n")
    assert doubled.stdout == "text\n" and doubled.stderr.startswith("error\n"), doubled


def leaks_are_told(plain):
    expect(LEAKS, [], [plain, "-leave", "3"], "LEAK", "3 goroutines", "main.main", f"main.go:{LINE}", "main.wait", "[chan receive]",
           stdout="begun\n")
    expect(70, ["--leaks-code", "70"], [plain, "-leave", "1"])
    expect(0, [], [plain, "-late", "300ms"])  # it ends by itself, while the process waits for it
    expect(LEAKS, ["--settle", "50ms"], [plain, "-late", "30s"], "1 goroutine", "[sleep]")
    expect(0, [], [plain, "-from-goroutine"])  # nor is the goroutine a leak that exits
    expect(LEAKS, ["--run-on-failure"], [plain, "-leave", "2", "-status", "7"], "2 goroutines")
    both = verify_json([], ["sh", "-c", f"{plain}; {plain} -leave 2; {plain} -status 1 || true"])
    found = [(program["outcome"], program["leaked"]) for program in both["programs"]]
    assert found == [("judged", 0), ("judged", 2), ("failed", 0)], both


def exit_codes(plain, folder):
    expect(NOT_FOUND, [], ["no-such-command"], "no-such-command", "no such command")
    (folder / "text").write_text("no program\n", encoding="ascii")
    expect(NOT_EXECUTABLE, [], [folder / "text"], "Permission denied")
    expect(NOTHING_JUDGED, [], ["true"], "no Go program was judged", "-count=1")
    expect(NOTHING_JUDGED, [], ["sh", "-c", f"{plain} -status 1 || true"])
    expect(NOTHING_JUDGED, [], ["sh", "-c", f"{plain} -kill || true"], "not judged", "a signal killed it")
    expect(0, [], ["sh", "-c", f"{plain} -kill || true; {plain}"], "not judged", "a signal killed it")
    for options in (["--settle", "5"], ["--ignore-top", "*"], ["--ignore-any", ""], ["--format", "xml"], ["--leaks-code", "0"],
                    ["--nonsense"]):
        expect(USAGE, options, [plain])
    without_mark = subprocess.run([GOLEAKD, "verify", plain], capture_output=True, text=True, check=False)
    assert without_mark.returncode == USAGE, without_mark
    expect(USAGE, ["--baseline", folder / "none"], [plain], "none")
    expect(NOT_ALLOWED, [], [GOLEAKD, "verify", "--", plain], "another `goleakd verify`")


def options(plain, folder):
    leaking = [plain, "-leave", "2"]
    for ignored in (["--ignore-top", "main.wait"], ["--ignore-any", "main.wait"], ["--ignore-created-by", "main.main"],
                    ["--ignore-any", "main.wa*"], ["--ignore-top", "none.*", "--ignore-created-by", "main.*"]):
        expect(0, ignored, leaking)
        assert expect(0, [*ignored, "-v"], leaking).stderr.endswith("no goroutines left in 1 Go program; 2 ignored\n")
    for kept in (["--ignore-top", "main.main"], ["--ignore-any", "main.wai"], ["--ignore-created-by", "main.wait"]):
        expect(LEAKS, kept, leaking)

    baseline = folder / "baseline"
    expect(0, ["--write-baseline", baseline], leaking)
    assert "example.com/targets/verify/plain\tmain.main\tmain.wait\tchan_receive\n" in baseline.read_text(encoding="utf-8")
    expect(0, ["--baseline", baseline], leaking)
    expect(LEAKS, ["--baseline", baseline], [plain, "-leave", "2", "-late", "30s"], "1 goroutine", "2 in the baseline")

    other = shutil.copy(plain, folder / "other")
    two = ["sh", "-c", f"{plain}; {other} -leave 1"]
    expect(LEAKS, [], two)
    expect(0, ["--only", "plain"], two)
    expect(LEAKS, ["--only", f"{folder}/*"], two)
    expect(LEAKS, ["--only", "example.com/targets/*"], two)
    expect(NOTHING_JUDGED, ["--only", "nobody"], two, "2 Go programs left alone")

    result = expect(LEAKS, ["--output", folder / "report", "--junit", folder / "junit.xml"], leaking)
    assert result.stderr == "", result.stderr
    assert "main.wait" in (folder / "report").read_text(encoding="utf-8")
    suites = xml.etree.ElementTree.parse(folder / "junit.xml").getroot()
    assert suites.get("tests") == suites.get("failures") == "1", xml.etree.ElementTree.tostring(suites)
    assert f"main.go:{LINE}" in suites.find("testsuite/testcase/failure").text


def services(plain, folder):
    ready = folder / "ready"
    await_ready = f"while [ ! -e {ready} ]; do sleep 0.02; done"
    for leave, code in ((0, 0), (2, LEAKS)):
        ready.unlink(missing_ok=True)
        expect(code, [], ["sh", "-c", f"{plain} -serve {ready} -leave {leave} & {await_ready}; kill $!; wait $!"],
               stdout="begun\nended by terminated\n")
    # The script does not wait for the service: verify does.
    ready.unlink()
    expect(LEAKS, [], ["sh", "-c", f"{plain} -serve {ready} -leave 2 & {await_ready}; kill $!"], "2 goroutines")
    for number, name in ((signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupt")):
        ready.unlink()
        with harness.Process([GOLEAKD, "verify", "--", plain, "-serve", ready]) as gate:
            harness.wait_for(ready.exists, 30, "the service")
            gate.signal(number)
            assert gate.wait() == 0, gate.output()
            assert gate.output() == f"begun\nended by {name}\n", gate.output()


def who_is_left_behind_can_exit(plain, folder):
    """Without somebody who answers, an exit under the filter would fail for ever."""
    ready, status, pid = (folder / name for name in ("left.ready", "left.status", "left.pid"))
    script = f"({plain} -serve {ready} & echo $! > {pid}; wait $!; echo $? > {status}.new; mv {status}.new {status})"
    for killed in (False, True):
        for path in (ready, status, pid):
            path.unlink(missing_ok=True)
        wait = f"while [ ! -e {ready} ]; do sleep 0.02; done"
        with harness.Process([GOLEAKD, "verify", "--settle", "50ms", "--", "sh", "-c",
                              script if killed else f"{script} > /dev/null & {wait}"]) as gate:
            harness.wait_for(ready.exists, 30, "the service")
            if killed:
                gate.signal(signal.SIGKILL)
            code = gate.wait()
            assert code == (-signal.SIGKILL if killed else NOTHING_JUDGED), gate.output()
            assert killed or "still runs" in gate.output(), gate.output()
            os.kill(int(pid.read_text(encoding="ascii")), signal.SIGTERM)
            harness.wait_for(status.exists, 30, "the end of the service")
            assert status.read_text(encoding="ascii") == "0\n", status.read_text(encoding="ascii")


def without_privileges(plain, folder):
    folder.chmod(0o755)
    gate, program = shutil.copy(GOLEAKD, folder / "goleakd"), shutil.copy(plain, folder / "program")
    prefix = WITHOUT_CAPABILITIES if os.geteuid() == 0 else []
    expect(0, [], [program], prefix=prefix, gate=gate)
    expect(LEAKS, [], [program, "-leave", "3"], "3 goroutines", "main.wait", prefix=prefix, gate=gate)
    # Linux lets nobody but root look into such a process: that must not pass for a program without leaks.
    expect(NOT_ALLOWED, [], [program, "-hide"], "could not be judged", "CAP_SYS_PTRACE", prefix=prefix, gate=gate)


def in_a_container(plain, folder):
    """Where a seccomp profile is in force already."""
    if os.geteuid() != 0 or not nspawn.available():
        print("no systemd-nspawn, or not root: not tried in a container", flush=True)
        return
    root = folder / "machine"
    for name in ("usr", "srv", "etc"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    shutil.copy(plain, root / "srv" / "plain")
    (root / "srv" / "goleakd").touch()
    inside = ["--bind-ro=/usr", f"--bind-ro={GOLEAKD}:/srv/goleakd"]
    with nspawn.without_groups_left():
        for prefix in ([], WITHOUT_CAPABILITIES):
            for leave, code in ((0, 0), (3, LEAKS)):
                command = [*prefix, "/srv/goleakd", "verify", "--settle", "500ms", "--", "/srv/plain", "-leave", leave]
                result = subprocess.run(nspawn.command(root, command, inside), capture_output=True, text=True, timeout=60, check=False)
                assert result.returncode == code, result
                assert code == 0 or "3 goroutines left" in result.stderr, result


def one_processor(plain):
    """Nobody but the one that exits can run: what only needs time is not blamed, and said to be undecided."""
    one = {"env": {**os.environ, "GOMAXPROCS": "1"}}
    expect(0, ["--settle", "50ms"], [plain, "-late", "100ms"], "not quite judged", "GOMAXPROCS is 1", **one)
    expect(LEAKS, ["--settle", "50ms"], [plain, "-leave", "2"], "2 goroutines", **one)


def main():
    plain = harness.build_target("verify/plain", sys.argv[1])
    the_command_does_not_notice(plain)
    leaks_are_told(plain)
    with harness.temp_dir() as folder:
        exit_codes(plain, folder)
        options(plain, folder)
        services(plain, folder)
        who_is_left_behind_can_exit(plain, folder)
        without_privileges(plain, folder)
        in_a_container(plain, folder)
    one_processor(plain)
    print("as expected")


main()

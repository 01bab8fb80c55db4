#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs in namespaces and control groups of their own, without a file any more, or becoming others: watched, and named
right."""

import contextlib
import json
import os
import pathlib
import shutil

import harness
import nspawn
from daemon import Daemon, goleakd, need_root

ID = "0123456789abcdef" * 4
POD = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SITE = "main.spawnWorkers"


def await_target(daemon, **expected):
    """The target with those fields, once it has been counted."""

    def found():
        return next((target for target in daemon.api("targets")["targets"]
                     if target["counts"] and all(target[name] == value for name, value in expected.items())), None)

    return harness.wait_for(found, 20, f"a target with {expected}")


def await_live(daemon, pid, number):
    def live():
        site = daemon.site(pid, SITE)
        return site and site["live"] == number

    harness.wait_for(live, 20, f"{number} goroutines in process {pid}")


def in_namespaces(folder, exe):
    """A program on a file system that only its own mount namespace has, and process 1 of its own pid namespace."""
    room = folder / "room"
    room.mkdir()
    script = f"mount -t tmpfs none {room} && cp {exe} {room}/cell && exec {room}/cell"
    with Daemon(folder, [f"{room}/*"], snapshots={"interval": "300ms"}) as daemon:
        with harness.Target("unshare", "--kill-child", "-m", "-p", "-f", "--mount-proc", "sh", "-c", script) as counts:
            assert not (room / "cell").exists()
            target = await_target(daemon, app="cell")
            assert target["own_pid"] == 1 and target["pid"] > 1, target
            assert target["exe"] == f"{room}/cell", target
            counts.command("spawn 5")
            await_live(daemon, target["pid"], 5)
            listed = json.loads(goleakd("list", "--format", "json").stdout)["processes"]
            assert target["pid"] in [process["pid"] for process in listed], listed
            dump = goleakd("dump", target["pid"])
            assert dump.returncode == 0 and dump.stdout.count(SITE) >= 5, dump
            checked = goleakd("check", target["pid"])
            assert checked.returncode == 0 and "6 goroutines" in checked.stdout, checked
            counts.quit()


def in_nspawn(folder, exe):
    if not nspawn.available():
        print("no systemd-nspawn: not tried", flush=True)
        return
    root = folder / "machine"
    (root / "usr").mkdir(parents=True)
    shutil.copy(exe, root / "service")
    with nspawn.without_groups_left(), Daemon(folder, ["/service"], snapshots={"interval": "300ms"}) as daemon:
        with harness.Target(*nspawn.command(root, ["/service"])) as counts:
            target = await_target(daemon, app="service", own_pid=1)
            counts.command("spawn 4")
            await_live(daemon, target["pid"], 4)
            counts.quit()


def deleted(folder, exe):
    program = folder / "fleeting"
    shutil.copy(exe, program)
    with harness.Target(program) as counts:
        program.unlink()
        with Daemon(folder, [program], snapshots={"interval": "300ms"}) as daemon:  # which has never seen the file
            target = await_target(daemon, pid=counts.pid)
            assert target["exe"] == str(program) and target["app"] == "fleeting", target
            counts.command("spawn 3")
            await_live(daemon, counts.pid, 3)


def becomes_another(folder, exe, short):
    """execve keeps the pid, and may come from any thread."""
    first, second = folder / "larva", folder / "imago"
    shutil.copy(short, first)
    shutil.copy(exe, second)
    with Daemon(folder, [first, second], snapshots={"interval": "300ms"}) as daemon:
        with harness.Target(first, "-for", "3s", "-exec", second) as counts:  # "ready" comes from the second
            output = daemon.output()
            assert f"larva (pid {counts.pid}): found" in output, output
            target = await_target(daemon, pid=counts.pid, app="imago")
            assert target["exe"] == str(second), target
            assert f"larva (pid {counts.pid}): ended" in daemon.output(), daemon.output()
            counts.command("spawn 2")
            await_live(daemon, counts.pid, 2)


@contextlib.contextmanager
def cgroup(path):
    """A control group where goleakd looks for them: the unified hierarchy, or systemd's named one."""
    root = pathlib.Path("/sys/fs/cgroup")
    if not (root / "cgroup.controllers").exists():
        root /= "systemd"
    group = root / path
    made = [folder for folder in [group, *group.parents] if folder.is_relative_to(root) and not folder.exists()]
    try:
        group.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        harness.skip(f"control groups cannot be made here: {error}")
    try:
        yield group
    finally:
        for folder in made:
            harness.wait_for(lambda: not (folder / "cgroup.procs").read_text(encoding="ascii"), 10, "an empty group")
            folder.rmdir()


def in_cgroup(folder, exe, path, app, container):
    with cgroup(path) as group:
        script = f"echo $$ > {group}/cgroup.procs && exec {exe}"
        settings = {"targets": {"include": [str(exe)], "host_root": str(folder / "host")}}
        with harness.Target("sh", "-c", script) as counts, Daemon(folder, [], **settings) as daemon:
            target = await_target(daemon, pid=counts.pid)
            assert target["app"] == app, target
            named = {name: value for name, value in (target["container"] or {}).items() if value}
            assert named == container, named
            counts.quit()


def in_containers(folder, exe):
    host = folder / "host"
    record = host / "var/lib/docker/containers" / ID / "config.v2.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"Name": "/shop-web-1", "Config": {"Labels": {}}}), encoding="utf-8")
    logs = host / "var/log/containers"
    logs.mkdir(parents=True)
    (logs / f"web-7d4b9c-x2x9z_shop_server-{ID}.log").symlink_to("/nowhere")
    in_cgroup(folder, exe, f"docker/{ID}", "shop-web-1", {"runtime": "docker", "id": ID, "name": "shop-web-1"})
    in_cgroup(folder, exe, f"kubepods/burstable/pod{POD}/{ID}", "server",
              {"runtime": "kubernetes", "id": ID, "name": "server", "pod_uid": POD, "pod": "web-7d4b9c-x2x9z",
               "pod_namespace": "shop"})
    in_cgroup(folder, exe, "system.slice/goleakdtest@1.service", "goleakdtest", {})


def main():
    need_root()
    exe = harness.build_target("counts", "1.27", stripped=True)
    short = harness.build_target("short", "1.24", stripped=True)
    with harness.temp_dir() as folder:
        os.chmod(folder, 0o755)
        private = folder / "counts"  # nobody else runs this one
        shutil.copy(exe, private)
        in_namespaces(folder, private)
        deleted(folder, private)
        becomes_another(folder, private, short)
        in_containers(folder, private)
        in_nspawn(folder, private)


if __name__ == "__main__":
    main()

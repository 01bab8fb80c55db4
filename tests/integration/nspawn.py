# SPDX-License-Identifier: Apache-2.0
"""Containers of systemd-nspawn."""

import contextlib
import pathlib
import shutil


def available():
    return shutil.which("systemd-nspawn") is not None


def command(root, words, options=()):
    """Runs a command in a folder as in a container, under the seccomp profile that systemd-nspawn has for them."""
    return ["systemd-nspawn", "-q", "-D", str(root), "--register=no", "--keep-unit", "--pipe", *options, *map(str, words)]


@contextlib.contextmanager
def without_groups_left():
    """systemd-nspawn --keep-unit leaves the two groups that it makes on cgroup v1."""

    def groups():
        return {group for name in ("payload", "supervisor") for group in pathlib.Path("/sys/fs/cgroup").glob(f"*/{name}")}

    before = groups()
    try:
        yield
    finally:
        for group in groups() - before:
            with contextlib.suppress(OSError):
                group.rmdir()

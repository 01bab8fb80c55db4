# SPDX-License-Identifier: Apache-2.0
"""That a program is none the worse for having been watched: what it does comes out right, and nothing is left in it."""

import pathlib
import threading

import harness
from daemon import bpf_links


class Code:
    """The machine code of a running program, compared with its file: a probe is a breakpoint in it."""

    def __init__(self, pid, exe):
        self._pid = pid
        self._parts = []  # [(address, what the file has)]
        file = pathlib.Path(exe).read_bytes()
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            addresses, access, offset, _, _, *path = line.split(maxsplit=5)
            if "x" in access and path == [str(exe)]:
                begin, end = (int(address, 16) for address in addresses.split("-"))
                self._parts.append((begin, file[int(offset, 16):][:end - begin]))
        assert self._parts, f"no code of {exe} in process {pid}"

    def changed(self):
        """How many bytes differ."""
        count = 0
        with open(f"/proc/{self._pid}/mem", "rb") as memory:
            for address, original in self._parts:
                memory.seek(address)
                now = memory.read(len(original))
                assert len(now) == len(original)
                if now != original:
                    count += sum(a != b for a, b in zip(now, original))
        return count


class Background(threading.Thread):
    """Runs until the end of the `with` block, which sets `enough`."""

    def __init__(self):
        super().__init__(daemon=True)
        self.enough = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.join()


class Work(Background):
    """Lets the target `features` work until the end of the `with` block. Its thread alone talks to the program."""

    def __init__(self, features):
        super().__init__()
        self._features = features
        self.rounds = 0
        self.failure = None

    def run(self):
        try:
            while not self.enough.is_set():
                self._features.command("features 3", seconds=120)
                self.rounds += 1
        except Exception as failure:  # pylint: disable=broad-except  # whatever it is, the test must tell of it
            self.failure = failure

    def check(self):
        assert self.failure is None, f"after {self.rounds} rounds: {self.failure}"

    def await_round(self):
        """One that begins after this call."""
        enough = self.rounds + 2

        def done():
            self.check()
            return self.rounds >= enough

        harness.wait_for(done, 240, "a round of work")


def ids(links):
    return {link["id"] for link in links}


def await_nothing_left(codes, links):
    """The kernel takes probes away in its own time."""
    harness.wait_for(lambda: not links & ids(bpf_links()), 30, f"the links {links} to be gone")
    for code in codes:
        harness.wait_for(lambda code=code: code.changed() == 0, 30, "the program's code to be its file's again")

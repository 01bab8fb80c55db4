# SPDX-License-Identifier: Apache-2.0
"""The forms in which a Go program comes."""

import contextlib
import os

import cpu_profile
import harness

FORMS = {  # what stands in a table: the words of build()
    "plain": (),
    "stripped": ("stripped",),
    "PIE": ("pie",),
    "PIE stripped": ("pie", "stripped"),
    "cgo": ("cgo",),
    "cgo stripped": ("cgo", "stripped"),
}


def build(name, version, kinds):
    """The target of that name in that form: any of stripped, pie, cgo (linked by the system's linker), or one of the profiles
    of cpu_profile, by which it is optimised."""
    flags = ["-buildmode=pie"] if "pie" in kinds else []
    flags += [f"-pgo={cpu_profile.made(kind, version)}" for kind in kinds if kind in cpu_profile.PROFILES]
    link = [*(["-s", "-w"] if "stripped" in kinds else []), *(["-linkmode=external"] if "cgo" in kinds else [])]
    if link:
        flags.append("-ldflags=" + " ".join(link))
    with _cgo("cgo" in kinds):
        return harness.build_target(name, version, extra_flags=flags)


@contextlib.contextmanager
def _cgo(enabled):
    before = os.environ.get("CGO_ENABLED")
    os.environ["CGO_ENABLED"] = "1" if enabled else "0"
    try:
        yield
    finally:
        os.environ.pop("CGO_ENABLED")
        if before is not None:
            os.environ["CGO_ENABLED"] = before

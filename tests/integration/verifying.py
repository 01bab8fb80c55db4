# SPDX-License-Identifier: Apache-2.0
"""`goleakd verify` under test."""

import json
import os
import re
import subprocess

import harness
from daemon import GOLEAKD


def verify(options, command, prefix=(), gate=GOLEAKD, timeout=300, **more):
    """Runs a command under it to its end."""
    words = [*prefix, gate, "verify", *options, "--", *command]
    return subprocess.run([os.fspath(word) if isinstance(word, os.PathLike) else str(word) for word in words],
                          capture_output=True, text=True, timeout=timeout, check=False, **more)


def verify_json(options, command, **more):
    with harness.temp_dir() as folder:
        result = verify(["--format", "json", "--output", folder / "report.json", *options], command, **more)
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["exit_code"] == result.returncode, (report, result)
    report["stdout"], report["stderr"] = result.stdout, result.stderr
    return report


def marked_lines(source):
    """{name: line number} of what "// leak: NAME …" stands behind, in a file of tests/targets; names with spaces are whole."""
    lines = (harness.TARGETS / source).read_text(encoding="utf-8").splitlines()
    return {found[1]: number for number, line in enumerate(lines, 1) if (found := re.search(r"// leak: (.+)$", line))}

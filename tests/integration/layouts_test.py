#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The committed tables of layouts are what the toolchains in the cache say.

    layouts_test.py BUILD_FOLDER [GO_VERSION...]
"""

import subprocess
import sys

import harness


def main():
    build, *versions = sys.argv[1:]
    here = harness.go_versions()
    versions = [version for version in versions or here if version in here]
    if not versions:
        harness.skip(f"no Go in {harness.CACHE}; run: scripts/setup --test")
    command = [harness.REPOSITORY / "scripts/gen-layouts", "--build", build, "--check", *versions]
    checked = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    print(f"the tables are right for Go {', '.join(versions)}")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`goleakd dump` of a quiet program equals the program's own debug=2 text: goroutine ids, states, functions, lines.

    dump_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import sys

import builds
import harness
import own_traceback


def main():
    version, *kinds = sys.argv[1:]
    with harness.Target(builds.build("zoo", version, kinds)) as zoo:
        goroutines, different = own_traceback.compare_quiet(zoo)
        assert not different, "\n".join(different)
        assert goroutines >= 40, f"only {goroutines} goroutines: the zoo has lost its animals"
    print(f"{goroutines} goroutines are equal")


main()

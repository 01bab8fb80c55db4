# SPDX-License-Identifier: Apache-2.0
"""How figures are shown, and how far a benchmark is."""

import statistics
import sys


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}}–{max(values):{form}})"

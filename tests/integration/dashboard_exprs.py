#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every query of a Grafana dashboard against a Prometheus that scrapes a working goleakd.

usage: dashboard_exprs.py [--wait SECONDS] [--var NAME=REGEX]... DASHBOARD.json PROMETHEUS_URL

Fails when a query is refused, when it gives nothing, or when a legend or a table names a label that the answer lacks.
Answers that need time (rates, say) get it: what is empty is asked again until --wait is over.
"""

import argparse
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# Queries on these may give nothing where the test runs, because goleakd is right not to have the series.
MAY_BE_EMPTY = {
    "goleakd_site_spawned_total": "only while events are exact",
    "goleakd_events_lost_total": "only once events have been attached",
    "goleakd_ledger_corrections_total": "only once events have been attached",
    "goleakd_probe_hits_total": "only once events have been attached",
    "goleakd_probe_attached": "only where events are possible",
    "ALERTS": "only where the rules are loaded",
}

BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "15m"}


class Query:
    def __init__(self, where, expr, labels=(), variable_label=None):
        self.where = where
        self.expr = expr
        self.labels = set(labels)  # that the answer must have
        self.variable_label = variable_label  # set for label_values(expr, variable_label)


def panels_of(node):
    for panel in node.get("panels", []):
        yield panel
        yield from panels_of(panel)


def labels_in_legend(target):
    return re.findall(r"{{\s*(\w+)\s*}}", target.get("legendFormat", ""))


def labels_in_table(panel):
    """The columns that the panel renames, which are labels except for time and the values."""
    for transformation in panel.get("transformations", []):
        for name in transformation.get("options", {}).get("renameByName", {}):
            if name != "Time" and not name.startswith("Value"):
                yield name


def queries_of(dashboard):
    for variable in dashboard["templating"]["list"]:
        if variable["type"] != "query":
            continue
        found = re.fullmatch(r"label_values\((.*), *(\w+)\)", variable["query"]["query"])
        if not found:
            raise ValueError(f"variable {variable['name']}: cannot read {variable['query']['query']!r}")
        yield Query(f"variable {variable['name']}", found[1], [found[2]], found[2])
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield Query(f"annotation {annotation['name']}", annotation["expr"])
    for panel in panels_of(dashboard):
        for target in panel.get("targets", []):
            labels = list(labels_in_legend(target)) + list(labels_in_table(panel))
            yield Query(f"panel {panel['title']}, query {target['refId']}", target["expr"], labels)


def substitute(expr, values):
    def value(found):
        name = found[1] or found[2]
        if name not in values:
            raise ValueError(f"unknown variable ${name} in {expr!r}")
        return values[name]

    return re.sub(r"\$(?:(\w+)|{(\w+)(?::\w+)?})", value, expr)


def ask(url, expr):
    """Returns the label sets of the answer."""
    request = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': expr})}"
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
    if answer["status"] != "success":
        raise ValueError(answer["error"])
    if answer["data"]["resultType"] != "vector":
        return [{}]
    return [series["metric"] for series in answer["data"]["result"]]


def excuse(query):
    return next((reason for metric, reason in MAY_BE_EMPTY.items() if re.search(rf"\b{metric}\b", query.expr)), None)


def problem_of(url, query, values):
    """Returns (problem or None, whether the answer was empty)."""
    try:
        answer = ask(url, substitute(query.expr, values))
    except ValueError as error:
        return str(error), False
    if not answer:
        return "gives nothing", True
    for label in sorted(query.labels):
        if not any(label in series for series in answer):
            return f"has no label {label!r}", False
    return None, False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--var", action="append", default=[], metavar="NAME=REGEX", help="default: .*")
    parser.add_argument("dashboard")
    parser.add_argument("url")
    args = parser.parse_args()

    with open(args.dashboard, encoding="utf-8") as file:
        dashboard = json.load(file)
    values = dict(BUILT_IN)
    values.update((variable["name"], ".*") for variable in dashboard["templating"]["list"])
    values.update(pair.split("=", 1) for pair in args.var)

    queries = list(queries_of(dashboard))
    deadline = time.monotonic() + args.wait
    failed = excused = 0
    for query in queries:
        problem, empty = problem_of(args.url, query, values)
        while empty and not excuse(query) and time.monotonic() < deadline:
            time.sleep(1)
            problem, empty = problem_of(args.url, query, values)
        if empty and excuse(query):
            excused += 1
            print(f"note: {query.where}: gives nothing ({excuse(query)})")
        elif problem:
            failed += 1
            print(f"FAIL: {query.where}: {problem}\n    {query.expr}")
    passed = len(queries) - failed - excused
    print(f"{passed} passed, {failed} failed, {excused} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

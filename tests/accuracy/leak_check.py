# SPDX-License-Identifier: Apache-2.0
"""Holds what goleakd has found in one process of scripts/accuracy leaks against what it should."""

from dataclasses import dataclass

import marks


@dataclass
class Sighting:
    """A leak as /api/v1/leaks showed it last, and when it was first held to be one."""

    leak: dict
    leaking_after: float = 0  # seconds since the process began; 0: only suspected
    worst: str = "info"  # severity, while it was held to be one

    @property
    def alert(self):
        return self.leaking_after > 0 and self.worst in marks.ALERTS

    def text(self):
        leak = self.leak
        return f"{leak['evidence']}, {leak['cause']} in {leak['blocked']['function']}, started by {leak['creation']['function']}"


def _parts(leak):
    """A deadlock is told of once, and stands at the places of all its members."""
    if not leak["deadlock"] or not leak["deadlock"]["members"]:
        return [leak]
    return [leak | {name: member[name] for name in ("creation", "blocked", "stack")} | {"id": f"{leak['id']}-{member['goroutine']}"}
            for member in leak["deadlock"]["members"]]


class Sightings:
    """All that was ever said of one process."""

    def __init__(self):
        self.by_id = {}
        self.panics = []

    def add(self, leaks, age):
        for leak in (part for leak in leaks for part in _parts(leak)):
            seen = self.by_id.setdefault(leak["id"], Sighting(leak))
            if leak["stage"] != "leaking":
                continue
            seen.leak = leak
            seen.leaking_after = seen.leaking_after or age
            if leak["severity"] != "info":
                seen.worst = leak["severity"]

    def leaking(self):
        return [seen for seen in self.by_id.values() if seen.leaking_after]


@dataclass
class Verdict:
    """One row of the table."""

    expected: str  # evidence, the first word that is allowed
    where: str
    found: bool = False
    line: bool = False
    evidence: bool = False
    cause: bool = False
    severity: bool = False
    said: str = "–"
    after: float = 0
    wrong: str = ""

    @property
    def passed(self):
        return self.found and self.line and self.evidence and self.cause and self.severity


def judge(expected, sightings):
    """(a Verdict for each leak and panic that is expected, the alerts that nobody expected)."""
    left = sightings.leaking()
    verdicts = []
    for mark in expected.leaks:
        mine = [seen for seen in left if mark.started_here(seen.leak) and mark.stuck_here(seen.leak)]
        left = [seen for seen in left if seen not in mine]
        if mine or not mark.optional:
            verdicts.append((mark, _best(mark, mine)))
    for mark, verdict in verdicts:  # those at a wrong line: what is left that shares one of the two places
        if not verdict.found:
            near = [seen for seen in left if mark.started_here(seen.leak) or mark.stuck_here(seen.leak)]
            left = [seen for seen in left if seen not in near]
            _fill(verdict, mark, near)
    return ([verdict for _, verdict in verdicts] + [_panic(mark, sightings.panics) for mark in expected.panics],
            [seen for seen in left if seen.alert])


def _best(mark, mine):
    verdict = Verdict(mark.evidence[0], mark.where())
    _fill(verdict, mark, mine)
    return verdict


def _fill(verdict, mark, candidates):
    if not candidates:
        verdict.wrong = verdict.wrong or "not found"
        return
    seen = min(candidates, key=lambda one: (one.leak["evidence"] not in mark.evidence, one.leak["cause"] not in mark.causes,
                                            one.leaking_after))
    leak = seen.leak
    verdict.found = True
    verdict.line = mark.started_here(leak) and mark.stuck_here(leak)
    verdict.evidence = leak["evidence"] in mark.evidence
    verdict.cause = leak["cause"] in mark.causes
    verdict.severity = seen.worst in mark.severities
    verdict.said = f"{leak['evidence']}, {leak['cause']}, {seen.worst}"
    verdict.after = seen.leaking_after
    wrong = [name for name in ("line", "evidence", "cause", "severity") if not getattr(verdict, name)]
    verdict.wrong = f"wrong {', '.join(wrong)}: {seen.text()}" if wrong else ""


def _panic(mark, panics):
    verdict = Verdict("panic", f"{mark.place[0]}:{mark.place[1]}", wrong="not found")
    for site in panics:
        if mark.is_at(site) and site["recovered"] > 0:
            verdict = Verdict("panic", verdict.where, True, True, True, True, True, f"{site['kind']}, {site['recovered']} recovered")
    return verdict

# SPDX-License-Identifier: Apache-2.0
"""What the comments in tests/targets/leaks say that goleakd has to find there (main.go says how they are written)."""

import fnmatch
import pathlib
import re
from dataclasses import dataclass, field

import real_programs  # for the path to the modules of tests/integration
import harness

LEAKS = harness.TARGETS / "leaks"
KNOWN = pathlib.Path(__file__).with_name("known_misses.txt")
ALERTS = ("ticket", "page")
_GO = re.compile(r"// leak-go(?:: (\w+))?$")
_STUCK = re.compile(r"// leak: (?:(\w+) )?((?:\w+=\S+ ?)+)$")
_PANIC = re.compile(r"// panic: kind=(\S+)$")
_KEYS = {"evidence", "cause", "severity", "created", "blocked", "optional"}


@dataclass
class Leak:
    """One leak that has to be found."""

    evidence: list
    causes: list
    severities: list
    optional: bool  # it may be found, and need not be
    created: object  # a pattern for the name of a function, or [(file, line)] of `go` statements
    blocked: object  # a pattern, or (file, line)

    def started_here(self, found):
        creation = found["creation"]
        if isinstance(self.created, str):
            return fnmatch.fnmatchcase(creation["function"], self.created)
        return any(_at(creation, place) for place in self.created)

    def stuck_here(self, found):
        """Its innermost frame in the program itself: a call of the library may be what blocks."""
        if isinstance(self.blocked, str):
            return fnmatch.fnmatchcase(found["blocked"]["function"], self.blocked)
        own = next((frame for frame in found["stack"] if frame["function"].startswith("main.")), found["blocked"])
        return _at(own, self.blocked)

    def where(self):
        return self.blocked if isinstance(self.blocked, str) else f"{self.blocked[0]}:{self.blocked[1]}"


@dataclass
class Panic:
    """A panic that is recovered and has to be counted."""

    kind: str
    place: tuple

    def is_at(self, site):
        return site["kind"] == self.kind and _at(site, self.place)


@dataclass
class Marks:
    leaks: list = field(default_factory=list)
    panics: list = field(default_factory=list)


def of(name):
    """Of the service of that name."""
    source = LEAKS / f"{name}.go"
    go_statements = _go_statements(source)
    marks = Marks()
    for place, text in _lines(source):
        if found := _STUCK.search(text):
            marks.leaks.append(_leak(found, place, go_statements))
        elif found := _PANIC.search(text):
            marks.panics.append(Panic(found[1], place))
        elif "// leak:" in text or "// panic:" in text:
            raise ValueError(f"{place[0]}:{place[1]}: a mark that can't be read: {text.strip()}")
    if not marks.leaks and not marks.panics:
        raise ValueError(f"{source}: says nothing of what has to be found")
    return marks


def known_misses():
    """{name: reason}"""
    lines = [line.strip() for line in KNOWN.read_text(encoding="utf-8").splitlines()]
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def _leak(found, place, go_statements):
    keys = dict(word.split("=", 1) for word in found[2].split())
    if unknown := keys.keys() - _KEYS:
        raise ValueError(f"{place[0]}:{place[1]}: unknown in a mark: {', '.join(unknown)}")
    created = keys.get("created") or go_statements.get(found[1])
    if not created:
        raise ValueError(f"{place[0]}:{place[1]}: no leak-go of {found[1] or 'this file'}")
    return Leak(evidence=keys["evidence"].split("|"), causes=keys["cause"].split("|"),
                severities=keys["severity"].split("|") if "severity" in keys else list(ALERTS),
                optional=keys.get("optional") == "yes", created=created, blocked=keys.get("blocked") or place)


def _go_statements(source):
    """{label: [(file, line)]}; of this file and of load.go, which all share."""
    places = {}
    for path in (LEAKS / "load.go", source):
        for place, text in _lines(path):
            if found := _GO.search(text):
                places.setdefault(found[1], []).append(place)
    return places


def _lines(path):
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield (path.name, number), text


def _at(frame, place):
    return frame["file"].endswith(f"/leaks/{place[0]}") and frame["line"] == place[1]

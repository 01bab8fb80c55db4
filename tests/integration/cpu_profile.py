# SPDX-License-Identifier: Apache-2.0
"""CPU profiles for `go build -pgo`, written by hand: they say that calls of some functions of the Go runtime are hot, so that
the compiler inlines what it never does otherwise. What a profile that was taken says depends on chance; what these say
depends on the toolchain's sources alone."""

import hashlib
import re

import harness

# What is hot: of each function of package runtime the callers, or None for all that there are.
PROFILES = {
    # Whatever is probed is inlined wherever it is called, but for what is called through a pointer.
    "copies": {"gopark": None, "ready": None, "gdestroy": None, "newproc1": None, "injectglist": None,
               "casgstatus": ("park_m", "ready", "gdestroy")},
    # As of a program that hands values to and fro and starts goroutines: the calls by which they are seen are inlined.
    "calls": {"gopark": ("chansend", "chanrecv", "selectgo"), "casgstatus": ("newproc1", "park_m", "ready", "execute")},
    # Nothing is left to put a probe on.
    "everything": {"gopark": None, "ready": None, "gdestroy": None, "newproc1": None, "injectglist": None,
                   "casgstatus": None, "runqput": None, "findRunnable": None, "schedule": None},
}


def made(name, go_version):
    """The path of that profile for that Go version, in the cache."""
    callers = PROFILES[name]
    calls = [call for call in calls_in(harness.CACHE / "go" / go_version, callers)
             if (only := callers[call[1].removeprefix("runtime.")]) is None or call[0].removeprefix("runtime.") in only]
    contents = profile(calls)
    path = harness.CACHE / "targets" / f"{name}-{go_version}-{hashlib.sha256(contents).hexdigest()[:16]}.pprof"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)
    return path


_TEST = re.compile(r"_test\.go$")
_FUNCTION = re.compile(r"^func (?:\((?:\w+ )?(\*?)(\w+)(?:\[\w+\])?\) )?(\w+)[\[(].*\{$")
_CLOSURE = re.compile(r"\bfunc\([^()]*\)[^{}]*\{$")


def calls_in(goroot, callees):
    """Of these functions of package runtime, in that package: [(caller, callee, lines from the caller's begin)]. A caller is
    called as in a profile: runtime.goready.func1."""
    pattern = re.compile(r"(?<![\w.])(" + "|".join(callees) + r")\(")
    calls = []
    for source in sorted((goroot / "src" / "runtime").glob("*.go")):
        if _TEST.search(source.name):
            continue
        scopes = []  # of the function and the closures that a line is in: [(name, first line, indentation)]
        closures = 0
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines()):
            code = line.split("//")[0].rstrip()
            indentation = len(code) - len(code.lstrip())
            if scopes and code.lstrip().startswith("}") and indentation == scopes[-1][2]:
                scopes.pop()
            begin = _FUNCTION.match(code)
            if begin:
                pointer, receiver, name = begin.groups()
                method = f"(*{receiver})." if pointer else f"{receiver}." if receiver else ""
                scopes, closures = [(f"runtime.{method}{name}", number, 0)], 0
                continue
            if not scopes:
                continue
            for callee in pattern.findall(code):
                calls.append((scopes[-1][0], f"runtime.{callee}", number - scopes[-1][1]))
            if _CLOSURE.search(code):
                closures += 1
                scopes.append((f"{scopes[0][0]}.func{closures}", number, indentation))
    return calls


def profile(calls):
    """A profile in which each of these calls is as hot as the next."""
    # The compiler leaves the coldest hundredth alone.
    cold = [("runtime.nobody", f"runtime.nothing{i}", 1) for i in range(2 + len(calls) // 50)]
    writer = _Writer()
    for weight, edges in ((100, calls), (99, cold)):
        for caller, callee, line in edges:
            writer.sample([writer.location(callee, 1), writer.location(caller, line)], weight)
    return writer.bytes()


class _Writer:
    """Of github.com/google/pprof/proto/profile.proto, as much as the compiler reads."""

    _FIRST_LINE = 100  # of every function: only differences count

    def __init__(self):
        self._strings = {"": 0}
        self._functions = {}
        self._locations = {}
        self._samples = []

    def _string(self, text):
        return self._strings.setdefault(text, len(self._strings))

    def location(self, function, line):
        self._functions.setdefault(function, len(self._functions) + 1)
        return self._locations.setdefault((function, line), len(self._locations) + 1)

    def sample(self, locations, count):
        """Innermost first."""
        self._samples.append((locations, count))

    def bytes(self):
        value_type = _number(1, self._string("samples")) + _number(2, self._string("count"))
        out = _part(1, value_type)
        for locations, count in self._samples:
            out += _part(2, _part(1, b"".join(map(_varint, locations))) + _part(2, _varint(count)))
        for (function, line), index in self._locations.items():
            where = _number(1, self._functions[function]) + _number(2, self._FIRST_LINE + line)
            out += _part(4, _number(1, index) + _part(4, where))
        for function, index in self._functions.items():
            name = self._string(function)
            out += _part(5, _number(1, index) + _number(2, name) + _number(3, name) + _number(5, self._FIRST_LINE))
        for text in self._strings:
            out += _part(6, text.encode())
        return out


def _varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _part(field, value):
    return _varint(field << 3 | 2) + _varint(len(value)) + value

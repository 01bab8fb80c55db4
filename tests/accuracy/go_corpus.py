# SPDX-License-Identifier: Apache-2.0
"""Go's own programs that leak (src/runtime/testdata/testgoroutineleakprofile of its source), made to stay: each asks for the profile
of leaked goroutines at its end, and what it gets here in its place writes that profile, where there is one, and waits."""

import re
import subprocess
from dataclasses import dataclass

import real_programs  # first: it makes the modules of tests/integration known
import harness

NEWEST = "1.27"
RUNTIME = harness.CACHE / "go" / NEWEST / "src" / "runtime"
SOURCE = RUNTIME / "testdata" / "testgoroutineleakprofile"
PACKAGES = {"own": SOURCE, "goker": SOURCE / "goker"}
PROFILE = "GOLEAKD_CORPUS_PROFILE"
HOLDING = "it has come to its end, and stays"
# A race in the original that may crash it: Go leaves it out of its test as well.
LEFT_OUT = {"Kubernetes1321"}
_HOLD = f"""package main

import (
	"io"
	"os"
	"runtime/pprof"
	"time"
)

type stays struct{{}}

func (stays) WriteTo(io.Writer, int) error {{
	time.Sleep(3 * time.Second) // so that it is not asked before the last of them is stuck
	if file, err := os.Create(os.Getenv("{PROFILE}")); err == nil {{
		if own := pprof.Lookup("goroutineleak"); own != nil {{
			_ = own.WriteTo(file, 2)
		}}
		_ = file.Close()
	}}
	println("{HOLDING}")
	for {{
		time.Sleep(time.Hour)
	}}
}}
"""


@dataclass
class Program:
    name: str
    package: str
    expected: list  # patterns for "FUNCTION(…) [WAIT REASON]", FUNCTION being what its `go` statement ran
    required: bool  # they leak each time


def programs():
    """All that are in the test of Go itself."""
    test = (RUNTIME / "goroutineleakprofile_test.go").read_text(encoding="utf-8")
    expected = {name: (kind == "makeTest", re.findall(r"^\t*`(.*)`", body, re.MULTILINE))
                for kind, name, body in re.findall(r'^\t\t(make\w*Test)\("(\w+)"(.*?)\),$', test, re.MULTILINE | re.DOTALL)}
    found = []
    for package, folder in PACKAGES.items():
        text = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.go")))
        for name in re.findall(r'register\("(\w+)"', text):
            if name not in LEFT_OUT:
                required, patterns = expected[name]
                found.append(Program(name, package, [re.compile(pattern) for pattern in patterns], required))
    return found


def build(folder, version):
    """{package: executable}"""
    return {package: _build(folder / f"{package}-source", source, version) for package, source in PACKAGES.items()}


def _build(folder, source, version):
    folder.mkdir()
    (folder / "go.mod").write_text(f"module example.com/corpus\n\ngo {version}\n", encoding="utf-8")
    (folder / "stays.go").write_text(_HOLD, encoding="utf-8")
    for path in source.glob("*.go"):
        text = path.read_text(encoding="utf-8").replace('pprof.Lookup("goroutineleak")', "stays{}").replace('\t"runtime/pprof"\n', "")
        (folder / path.name).write_text(text, encoding="utf-8")
    script = f'source "{harness.REPOSITORY}/scripts/lib.sh" && with_go "$@"'
    built = subprocess.run(["bash", "-c", script, "with_go", version, "go", "build", "-o", "program", "."], cwd=folder,
                           capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise RuntimeError(f"Go {version} cannot build {source}:\n{built.stdout}{built.stderr}")
    return folder / "program"


def sites_of_profile(text):
    """What the profile of leaked goroutines says, one "FUNCTION(…) [WAIT REASON]" for each of them."""
    sites = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        head = re.match(r"goroutine \d+ .*?\[([^\],]*?) \(leaked\)", lines[0]) if lines else None
        bottom = next((number for number, line in enumerate(lines) if line.startswith("created by")), None)
        if head and bottom:
            sites.append(site(lines[bottom - 2].rpartition("(")[0], head[1]))
    return sites


def site(function, reason):
    """As Go's test has it. Once the profile has been taken, the runtime remembers of a goroutine that it is leaked."""
    reason = reason.removesuffix(" (leaked)")
    return f"{function.removeprefix('main.')}(…) [{reason}]"

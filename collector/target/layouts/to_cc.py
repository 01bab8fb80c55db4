#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""layouts/*.json -> the initialisers that layout.cc includes: to_cc.py IN.json OUT.inc"""
import json
import re
import sys


def member(name: str) -> str:
    """The runtime's spelling of a field -> the C++ member: "stack.lo" -> stack_lo, "parentGoid" -> parent_goid."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name.replace(".", "_")).lower()


def initialiser(struct: dict) -> str:
    # The order is that of the members in layout.h, as designated initialisers need; an absent field keeps its default.
    return "{" + ", ".join(f".{member(k)} = {v}" for k, v in struct.items()) + "}"


def main() -> None:
    source, output = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        table = json.load(file)
    lines = []
    for version, entry in table.items():
        minor = version.split(".")[1]
        reasons = ", ".join(json.dumps(text) for text in entry["wait_reasons"])
        lines.append(f"constexpr std::string_view kReasons{minor}[] = {{{reasons}}};")
    lines.append("constexpr Layout kLayouts[] = {")
    for version, entry in table.items():
        minor = version.split(".")[1]
        structs = ", ".join(f".{name} = {initialiser(entry[name])}" for name in ("g", "hchan", "sudog", "moduledata"))
        lines.append(f"    {{.minor = {minor}, {structs}, .func_id_wrapper = {entry['func_id_wrapper']},"
                     f" .wait_reasons = kReasons{minor}}},")
    lines.append("};")
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""to_cc.py TABLE.json OUT.inc

Writes OUT.inc, the table that layout.cc includes, and beside it layout_fields.inc, the list of fields (fields.json)
that layout_fields.cc includes.
"""
import json
import pathlib
import sys

ABSENT = "kAbsent"


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


def spelling(text: str) -> str:
    path, _, width = text.partition(":")
    return f"{{{quoted(path)}, {0 if width == '*' else width or 8}}}"


def field(struct: str, name: str, source: str) -> str:
    spellings = ", ".join(spelling(text) for text in source.rstrip("?").split("|"))
    optional = "true" if source.endswith("?") else "false"
    return f"{{{quoted(name)}, &layout.{struct}.{name}, {{{spellings}}}, {optional}}}"


def field_list(fields: dict) -> list:
    lines = []
    for struct, source in fields.items():
        types = ", ".join(quoted(name) for name in source["type"].split("|"))
        members = ", ".join(field(struct, *item) for item in source["fields"].items())
        lines.append(f"{{{quoted(struct)}, {{{types}}}, &layout.{struct}.size, {{{members}}}}},")
    return lines


def layout(fields: dict, minor: int, key: str, entry: dict) -> str:
    structs = []
    for struct, source in fields.items():
        # The order of fields.json is that of the members in layout.h, as designated initialisers need.
        values = [f".size = {entry[struct]['size']}"]
        values += [f".{name} = {entry[struct].get(name, ABSENT)}" for name in source["fields"]]
        structs.append(f".{struct} = {{{', '.join(values)}}}")
    return (f"{{.minor = {minor}, .func_id_wrapper = {entry['func_id_wrapper']}, .key = {quoted(key)}, "
            f"{', '.join(structs)}, .wait_reasons = kReasons{minor}}},")


def layout_table(fields: dict, table: dict) -> list:
    lines, layouts, harmless = [], [], []
    for version, entry in table.items():
        minor = int(version.split(".")[1])
        reasons = ", ".join(quoted(text) for text in entry["wait_reasons"])
        lines.append(f"constexpr std::string_view kReasons{minor}[] = {{{reasons}}};")
        layouts.append(layout(fields, minor, "", entry))
        layouts += [layout(fields, minor, key, entry | differing) for key, differing in entry["variants"].items()]
        harmless += [f"{{{minor}, {quoted(key)}}}," for key in entry["harmless"]]
    return [*lines, "constexpr Layout kLayouts[] = {", *layouts, "};",
            "constexpr Harmless kHarmless[] = {", *harmless, "};"]


def write(path: pathlib.Path, lines: list) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    table, out = map(pathlib.Path, sys.argv[1:])
    fields = json.loads(pathlib.Path(__file__).with_name("fields.json").read_text(encoding="utf-8"))
    write(out, layout_table(fields, json.loads(table.read_text(encoding="utf-8"))))
    write(out.with_name("layout_fields.inc"), field_list(fields))


main()

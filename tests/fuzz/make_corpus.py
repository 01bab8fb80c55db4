#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_corpus.py DIR EXE...

Cuts real Go programs down to inputs that a fuzzer can work on, a few kilobytes each: DIR/elf and DIR/go_binary get ELF
files with the headers of EXE and the beginnings of its sections, DIR/pclntab function tables of some of its functions,
DIR/build_info its build information.
"""

import pathlib
import struct
import sys

SECTION_LIMIT = 4096
FUNCTIONS = 48
FORMS = {0xFFFFFFFA: (24, 8, 44), 0xFFFFFFF0: (32, 4, 40), 0xFFFFFFF1: (32, 4, 44)}  # parts at, word, size of _func


class Elf:
    def __init__(self, data):
        self.data = data
        self.section_table, = struct.unpack_from("<Q", data, 40)
        self.count, names = struct.unpack_from("<HH", data, 60)
        start = self.header(names)[4]
        self.names = [data[start + self.header(i)[0]:].split(b"\0", 1)[0].decode() for i in range(self.count)]

    def header(self, index):  # name, type, flags, address, offset, size, link, info, alignment, entry size
        return list(struct.unpack_from("<IIQQQQIIQQ", self.data, self.section_table + index * 64))

    def section(self, name):
        if name not in self.names:
            return b""
        header = self.header(self.names.index(name))
        return self.data[header[4]:header[4] + header[5]]

    def cut_down(self):
        """The same headers, with what they point at moved together; sizes stay as they were only where all fits."""
        programs, = struct.unpack_from("<H", self.data, 56)
        out = bytearray(self.data[:64 + programs * 56])
        moved = {}
        table = []
        for index in range(self.count):
            header = self.header(index)
            content = b"" if header[1] == 8 else self.data[header[4]:header[4] + min(header[5], SECTION_LIMIT)]
            moved[header[4]] = len(out)
            header[4] = len(out)
            header[5] = len(content)
            out += content
            table.append(struct.pack("<IIQQQQIIQQ", *header))
        for index in range(programs):
            offset, = struct.unpack_from("<Q", out, 64 + index * 56 + 8)
            if offset in moved:
                struct.pack_into("<Q", out, 64 + index * 56 + 8, moved[offset])
        struct.pack_into("<Q", out, 40, len(out))
        return bytes(out) + b"".join(table)


def c_string(data, offset):
    return data[offset:data.index(0, offset) + 1]


def pc_values(data, offset):
    """A pc-value table whole, with the zero that ends it."""
    at = offset
    first = True
    while first or data[at] != 0:
        for _ in range(2):
            while data[at] & 0x80:
                at += 1
            at += 1
        first = False
    return data[offset:at + 1]


def cut_function_table(data):
    """The same form with FUNCTIONS functions, and only the names and pc-value tables that they use."""
    magic, = struct.unpack_from("<I", data, 0)
    if magic not in FORMS:
        return b""
    parts_at, word, func_size = FORMS[magic]
    names, _, _, tables, functions = struct.unpack_from("<5Q", data, parts_at)
    count, = struct.unpack_from("<Q", data, 8)
    pair = "<QQ" if word == 8 else "<II"
    new_names, new_tables = bytearray(b"\0"), bytearray(b"\0")
    entries, records = [], bytearray()
    step = max(1, count // FUNCTIONS)
    for index in range(0, count, step):
        entry, offset = struct.unpack_from(pair, data, functions + index * 2 * word)
        at = functions + offset
        pcdata, = struct.unpack_from("<I", data, at + word + 24)
        record = bytearray(data[at:at + func_size + pcdata * 4 + data[at + func_size - 1] * word])
        name, = struct.unpack_from("<I", record, word)
        struct.pack_into("<I", record, word, len(new_names))
        new_names += c_string(data, names + name)
        for field in [word + 12, word + 16, word + 20, *range(func_size, func_size + pcdata * 4, 4)]:
            table, = struct.unpack_from("<I", record, field)
            if table:
                struct.pack_into("<I", record, field, len(new_tables))
                new_tables += pc_values(data, tables + table)
        entries.append((entry, len(records)))
        records += record
    end, = struct.unpack_from(pair[:2], data, functions + count * 2 * word)
    functab_size = (len(entries) * 2 + 1) * word
    functab = b"".join(struct.pack(pair, entry, functab_size + offset) for entry, offset in entries)
    functab += struct.pack(pair[:2], end)
    header = bytearray(data[:parts_at])
    struct.pack_into("<Q", header, 8, len(entries))
    out = bytearray(header + bytes(40))
    for index, part in enumerate([new_names, bytes(64), b"/src/main.go\0", new_tables, functab + records]):
        struct.pack_into("<Q", out, parts_at + index * 8, len(out))
        out += part
    return bytes(out)


def main():
    folder = pathlib.Path(sys.argv[1])
    for number, exe in enumerate(sys.argv[2:]):
        elf = Elf(pathlib.Path(exe).read_bytes())
        table = elf.section(".gopclntab") or elf.section(".data.rel.ro.gopclntab")
        inputs = {
            "elf": elf.cut_down(),
            "go_binary": elf.cut_down(),
            "build_info": elf.section(".go.buildinfo"),
            "pclntab": cut_function_table(table) if table else b"",
        }
        for target, content in inputs.items():
            if content:
                (folder / target).mkdir(parents=True, exist_ok=True)
                (folder / target / f"real-{number}").write_bytes(content)


main()

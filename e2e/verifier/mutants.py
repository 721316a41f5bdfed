#!/usr/bin/env python3
"""Packs in which something was changed at random, and signed and sealed afresh: whatever they are, two verifiers say the same.

Tests only: usage `mutants.py RECORD-OR-PACK KEY DIRECTORY FIRST-SEED LAST-SEED`, KEY being the file with the 32 bytes of the server's
secret key. Each seed makes one pack, SEED.zip, and a line of what was changed; a seed that makes none has no line. What is changed: lines and
their order, their fields, what the server signs, the text of an event or an entry together with its place in the log, a batch
that the terminal signs anew, and the ZIP file around it all.
"""

import base64
import copy
import io
import random
import sys
import zipfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from forger import PURPOSES, Forger, NoRoom, put_anew
from forms import Bad, parse, written
from verify import UNREADABLE, in_room, sha256

VALUES = [0, 1, -1, 7, 255, 256, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, -2**63, 2**64 - 1, 2**64, None, True, False, "",
          "0", "2026-11", "9999-12", "0000-01", "2026-02-30", "0001-01-01", "x" * 50, " ", "\u202e", "é", "\U0001f600", [], {},
          [1, 0], 253_402_268_399_999, 253_402_268_400_000, "x" * 257, "\x7f", "a" * 64]
# What a text may end with instead of its last brace.
TAILS = ['"x":1e5}', '"x":1.5}', '"x":"\\ud800"}', '"x":{"a":1,"a":2}}', '"x":18446744073709551616}', '"seq":1}', '"kind":"logon"}',
         '"bounds":[1,0]}', '"bounds":[0,1]}', '"bounds":null}', '"account":null}', '"cause":null}', '"cause":""}', '"boot":" b"}',
         '"session":{"boot":"b","id":"1","logon":"\\n"}}', '"session":["b","1","2"]}', '"remote":1}', '"supersedes":0}',
         '"supersedes":1}', '"client":"\\u0085"}', '"x":-0}', '"x":[[[[[[[[]]]]]]]]}', '"x" :1}', '"x":1} ', '"number":0}', '"v":1}']


def paths(value, path=()):
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from paths(part, path + (name,))
    yield path


def part_of(value, path):
    for name in path:
        value = value[name]
    return value


def changed(chance, value):
    """Something near to it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = [value + 1, value - 1, value + 1000, value - 86_400_000, value + 86_400_000, value * 1000, -value, 0, str(value)]
        return chance.choice(near + [2**63 - 1, -2**63, 2**64 - 1, 2**64, 2**32, 256])
    if isinstance(value, str):
        return chance.choice([value + "0", value[:-1], value.upper(), value.swapcase(), "", " " + value, value + "\n",
                              value.replace("1", "2", 1), value.replace("a", "b", 1), value * 300])
    if isinstance(value, list):
        other = copy.deepcopy(value)
        if not other:
            return chance.choice([[0], None, [""]])
        way = chance.randrange(4)
        if way == 0:
            other.pop(chance.randrange(len(other)))
        elif way == 1:
            other.insert(chance.randrange(len(other) + 1), copy.deepcopy(chance.choice(other)))
        elif way == 2:
            chance.shuffle(other)
        return other + other if way == 3 else other
    if isinstance(value, dict):
        other, way = copy.deepcopy(value), chance.randrange(4)
        names = list(other)
        if way == 0 and names:
            other.pop(chance.choice(names))
        elif way == 1:
            other["extra"] = 1
        elif way == 2 and names:
            other[names[0]] = other.pop(names[0])
        return list(other.values()) if way == 3 else other
    return chance.choice([0, ""])


def change_in(chance, value):
    """One part of a value, and what was done."""
    path = chance.choice([path for path in paths(value) if path and path[0] != "type"])
    before = part_of(value, path)
    after = changed(chance, before) if chance.random() < 0.75 else chance.choice(VALUES)
    part_of(value, path[:-1])[path[-1]] = after
    return f"{'.'.join(map(str, path))} {str(before)[:40]!r} -> {str(after)[:40]!r}"


def of_kind(chance, forger, *kinds):
    there = [at for kind in kinds for at in forger.all(kind)]
    if not there:
        raise NoRoom(kinds)
    return forger.lines[chance.choice(there)]


def change_lines(chance, forger):
    line = of_kind(chance, forger, chance.choice(sorted({line["type"] for line in forger.lines})))
    at, way = forger.lines.index(line), chance.random()
    if way < 0.1 and at:
        forger.lines.pop(at)
        return f"{line['type']} left out"
    if way < 0.2 and at:
        forger.lines.insert(at, copy.deepcopy(line))
        return f"{line['type']} doubled"
    if way < 0.3 and at:
        forger.lines.insert(chance.randrange(1, len(forger.lines) - 1), forger.lines.pop(at))
        return f"{line['type']} moved"
    return f"{line['type']} {change_in(chance, line)}"


def change_payload(chance, forger):
    line, told = of_kind(chance, forger, *PURPOSES), []

    def change(payload):
        told.append(change_in(chance, payload))
    forger.sign_anew(line, PURPOSES[line["type"]], change)
    return f"payload of {line['type']} {told[0]}"


def changed_text(chance, text):
    """The JSON of an event, an entry or a batch."""
    if chance.random() < 0.25:
        tail = chance.choice(TAILS)
        return f"{text[:-1]},{tail}", tail
    if chance.random() < 0.1:
        space = chance.choice([" ", "\n", "\t"])
        return chance.choice([space + text, text + space, text.replace(":", ": ", 1)]), "white space"
    value = parse(text)
    told = change_in(chance, value)
    return written(value), told


def change_leaf(chance, forger):
    line = of_kind(chance, forger, "event", "audit")
    if line["type"] == "event" and chance.random() < 0.2:
        told = change_in(chance, came := {name: line[name] for name in ("received_at", "resent", "clock_offset_ms")})
        line.update(came)
    else:
        line["json"], told = changed_text(chance, line["json"])
    begin, end = (0, 0) if line["type"] == "audit" else forger.block(forger.lines.index(line))
    if line["type"] == "event" and chance.random() < 0.8:
        keep = lambda other: other["type"] not in ("batch", "receipt")
        forger.lines[begin:end] = [other for other in forger.lines[begin:end] if keep(other)]
    put_anew(forger, line)
    return f"text of {line['type']} {told}"


def change_batch(chance, forger):
    line = of_kind(chance, forger, "batch")
    begin, end = forger.block(forger.lines.index(line))
    texts = {parse(other["json"])["seq"]: other["json"] for other in forger.lines[begin:end] if other["type"] == "event"}
    marks = {f"<{number}>": text for number, text in texts.items()}
    plain = "".join(f'"<{part}>"' if isinstance(part, int) else part for part in line["frame"])
    text, told = changed_text(chance, plain)
    parts = [text]
    for mark in marks:
        parts = [piece for part in parts for piece in split_at(part, mark)]
    line["frame"] = parts
    payload = "".join(texts[part] if isinstance(part, int) else part for part in parts)
    line["digest"] = sha256(payload.encode()).hex()
    signed = chance.choice([payload, payload, payload.strip()])
    line["signature"] = base64.b64encode(TERMINAL.sign(b"mngntime/v1/batch\0" + signed.encode())).decode()
    return f"batch {told}"


def split_at(part, mark):
    """Around the number of an event."""
    if isinstance(part, int) or f'"{mark}"' not in part:
        return [part]
    before, after = part.split(f'"{mark}"', 1)
    return [before, int(mark[1:-1]), after]


TERMINAL = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)


def own_terminal(forger):
    """The same record with a key of the terminals that is ours, and without what receipts say of the log."""
    public = base64.b64encode(TERMINAL.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    keys, texts = {forger.lines[at]["public_key"] for at in forger.all("terminal")}, {}
    forger.lines = [line for line in forger.lines if line["type"] != "earlier"]
    for line in forger.lines:
        if line["type"] == "terminal":
            line["public_key"], texts = public, {}
        elif line["type"] == "audit" and any(key in line["json"] for key in keys):
            for key in keys:
                line["json"] = line["json"].replace(key, public)
            put_anew(forger, line)
        elif line["type"] == "event":
            texts[parse(line["json"])["seq"]] = line["json"]
        elif line["type"] == "batch":
            payload = "".join(texts[part] if isinstance(part, int) else part for part in line["frame"])
            line["signature"] = base64.b64encode(TERMINAL.sign(b"mngntime/v1/batch\0" + payload.encode())).decode()
        elif line["type"] == "receipt":
            forger.sign_anew(line, PURPOSES["receipt"], lambda receipt: receipt.pop("log", None) and None)
    return forger


def change_file(chance, forger):
    """A byte of what a ZIP file says of its files, before them or in the list."""
    archive = bytearray(forger.archive())
    listed = int.from_bytes(archive[-6:-2], "little")
    begins = [entry.header_offset for entry in zipfile.ZipFile(io.BytesIO(archive)).infolist()]
    at = chance.choice([chance.choice(begins) + chance.randrange(60), chance.randrange(listed, len(archive) - 2)])
    before = archive[at]
    archive[at] = chance.choice([0, 1, 8, 9, before ^ 1, before ^ 8, before ^ 32, before ^ 128, 255])
    if archive[at] == before:
        raise NoRoom("another byte")
    return bytes(archive), f"byte {at} of the file {before} -> {archive[at]}"


CHANGES = [change_lines] * 4 + [change_payload] * 3
LEAVES = [change_leaf] * 3 + [change_batch]


def mutant(chance, plain, own):
    """The bytes of a pack, and what was changed."""
    if chance.random() < 0.06:
        forger = plain.again()
        archive, told = change_file(chance, forger)
        return forger.sealed(archive), told
    is_plain = chance.random() < 0.6
    forger, changes = (plain.again(), CHANGES) if is_plain else (own.again(), LEAVES)
    told = [chance.choice(changes)(chance, forger) for _ in range(chance.choice([1, 1, 1, 2]))]
    # A leaf that was changed may say something else of the days.
    if chance.random() < (0.3 if is_plain else 0.9):
        forger.judge_anew()
    return forger.sealed(forger.archive()), "; ".join(told)


def main():
    source, key, directory, first, last = sys.argv[1:]
    data = Path(source).read_bytes()
    text = zipfile.ZipFile(io.BytesIO(data)).read("record.jsonl") if data[:2] == b"PK" else data
    plain = Forger(text.decode(), Path(key).read_bytes())
    own = own_terminal(plain.again())
    Path(directory, "key.pub").write_text(plain.public_key() + "\n", encoding="ascii")
    Path(directory, "0.zip").write_bytes(own.sealed(own.archive()))
    print("0.zip\tthe terminal's key exchanged")
    for seed in range(int(first), int(last) + 1):
        try:
            data, told = mutant(random.Random(seed), plain, own)
        except (Bad, NoRoom, StopIteration, *UNREADABLE):
            # What was changed cannot be written, or counted.
            continue
        Path(directory, f"{seed}.zip").write_bytes(data)
        print(f"{seed}.zip", told.encode("unicode_escape").decode(), sep="\t")


if __name__ == "__main__":
    in_room(main)

#!/usr/bin/env python3
"""Changes to a record that `verify.py` believes: every bit of every entry of the audit log, and what contradicts one.

Tests only: usage `changes.py RECORD`, the lines of a record about one link and one terminal whose first line names the
server's key. The seal of a pack would refuse all of it, too; here the record alone has to. Ends with 0 when all is as
it must be.
"""

import copy
import json
import sys

from verify import UNREADABLE, Bad, Record

CONTRADICTIONS = [
    ("link", '"dates":["2026-01-01"', '"dates":["2026-01-02"'),
    ("link", '"2026-01-01",null', '"2026-01-01","2026-12-01"'),
    ("link", '"employee":"E1"', '"employee":"E2"'),
    ("link", '"void":false', '"void":true'),
    ("link", '"made":[17', '"made":[16'),
    ("link", '"ended":null', '"ended":[1796274000000,"command-line"]'),
    ("link", '"id":"0', '"id":"1'),
    ("terminal", '"key_class":"file"', '"key_class":"tpm"'),
    ("terminal", '"host_name":"PC-0231"', '"host_name":"PC-0232"'),
    ("terminal", '"enrolled_at":17', '"enrolled_at":16'),
    ("event", '"resent":false', '"resent":true'),
    ("event", '"resent":false', '"resent":true,"resent":false'),
    ("event", '"resent":false', '"resent": false'),
    ("pack", '"completeness":1', '"completeness":2'),
]


def kind(line):
    return json.loads(line)["type"]


def refused_with(record, line):
    try:
        record.read(line)
    except (Bad, *UNREADABLE) as error:
        return error
    return None


def flip_every_bit(before, line):
    """How many flips there are; one that is not refused ends the program."""
    data, flips = line.encode(), 0
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            text = flipped.decode()
        except UnicodeDecodeError:
            continue  # What is no text is read by nobody.
        flips += 1
        if refused_with(copy.deepcopy(before), text) is None:
            sys.exit(f"not refused: {text}")
    return flips


def read(lines):
    """The record's counts, or why it was refused."""
    lines = lines[:-1] + [json.dumps({"type": "end", "lines": len(lines) - 1}, separators=(",", ":"))]
    record = Record(json.loads(lines[0])["server_key"])
    for line in lines:
        error = refused_with(record, line)
        if error is not None:
            return None, error
    return record.counts, None


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    record, flips = Record(json.loads(lines[0])["server_key"]), 0
    for line in lines:
        if kind(line) == "audit":
            flips += flip_every_bit(record, line)
        error = refused_with(record, line)
        if error is not None:
            sys.exit(f"refused as it was written: {error}: {line}")
    for what, old, new in CONTRADICTIONS:
        at = next(at for at, line in enumerate(lines) if kind(line) == what)
        if old not in lines[at]:
            sys.exit(f"{old} is not in {lines[at]}")
        counts, _ = read(lines[:at] + [lines[at].replace(old, new, 1)] + lines[at + 1:])
        if counts is not None:
            sys.exit(f"not refused: {what} with {new}")
    for at, count in zip([at for at, line in enumerate(lines) if kind(line) == "audit"], ["keys", "links"]):
        counts, error = read(lines[:at] + lines[at + 1:])
        if error is not None or counts[f"unbacked_{count}"] != 1:
            sys.exit(f"without the entry of the {count}: {counts} {error}")
    counts, error = read([line for line in lines if kind(line) != "earlier"])
    if counts is not None or "tree which is not shown" not in str(error):
        sys.exit(f"receipts of trees that are left out: {error}")
    pack = {field: value for field, value in json.loads(lines[0]).items() if field not in ("employee", "dates")}
    counts, error = read([json.dumps(pack, separators=(",", ":"), ensure_ascii=False)] + lines[1:])
    if counts is not None or "hidden from nobody" not in str(error):
        sys.exit(f"a part that was called everything: {error}")
    print(f"flips={flips} contradictions={len(CONTRADICTIONS)}")


if __name__ == "__main__":
    main()

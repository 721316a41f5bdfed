#!/usr/bin/env python3
"""Forged packs, each sealed afresh by somebody who holds the server's key.

Tests only: usage `forgeries.py RECORD-OR-PACK KEY DIRECTORY`, KEY being the file with the 32 bytes of the server's secret
key. Each change that the record has room for becomes a pack in DIRECTORY, and each prints a line: `refused` or
`accepted` (nobody can see it without another witness, and the words of a verifier say so, or name what stands out: the last
column, parts of it apart by ` | `), the file, and what was done.
"""

import base64
import copy
import io
import json
import re
import sys
import warnings
import zipfile
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import days
from forger import (OF_A_TERMINAL, Forger, NoRoom, leaf_hashes, moved, path_of, put_anew, require_room, root_of,
                    write_log_anew, zipped)
from forms import LINES, parse, written
from verify import sha256, split_envelope

# --- what is refused -----------------------------------------------------------------------------------

REFUSED, ACCEPTED = [], []
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def refused(name):
    return lambda change: REFUSED.append((name, change)) or change


def accepted(name, words):
    return lambda change: ACCEPTED.append((name, words, change)) or change


def with_field(kind, name, change, holds=lambda _: True, how=""):
    """A field of the first line of a kind, changed."""
    def forge(forger):
        line = forger.first(kind, lambda line: holds(line) and line.get(name) is not None)
        line[name] = change(line[name])
    REFUSED.append((f"{name} of a line `{kind}` changed{how}", forge))


def day_after(text, days_after):
    return days.date_of(days.midnight_of(days.date.fromisoformat(text)) + days_after * days.DAY_MS).isoformat()


@refused("everything left out, and every head")
def _(forger):
    forger.drop(lambda line: line["type"] not in ("pack", "employee", "end"))


@refused("every day line left out")
def _(forger):
    forger.drop(lambda line: line["type"] == "day")


@refused("the last day left out")
def _(forger):
    forger.lines.remove(forger.last("day"))


@refused("the first day left out")
def _(forger):
    forger.lines.remove(forger.first("day"))


@refused("a day called watched")
def _(forger):
    line = forger.first("day", lambda line: line["state"] != "observed")
    line.update(state="observed", parts=[[*line["span"], "watched"]])


@refused("a day cut short")
def _(forger):
    line = forger.last("day")
    line["span"][1] -= 1000
    line["parts"][-1][1] -= 1000


@refused("the pack's first date changed")
def _(forger):
    require_room("dates" in forger.pack)
    forger.pack["dates"][0] = day_after(forger.first("day")["date"], 1)


@refused("the pack's last date changed")
def _(forger):
    require_room("dates" in forger.pack)
    forger.pack["dates"][1] = day_after(forger.last("day")["date"], -1)


@refused("the pack's dates removed")
def _(forger):
    forger.pack.pop("dates", None) or require_room(False)
    forger.pack.pop("employee", None)


@refused("the pack's made_at later")
def _(forger):
    forger.pack["made_at"] += 3_600_000


@refused("the pack's made_at earlier")
def _(forger):
    forger.pack["made_at"] -= 3_600_000


@refused("the pack's employee changed and the links removed")
def _(forger):
    require_room("employee" in forger.pack)
    forger.pack["employee"] = forger.first("employee")["code"] = "E99"
    forger.drop(lambda line: line["type"] == "link")
    forger.lines = [line for line in forger.lines if line["type"] != "audit" or '_account"' not in line["json"]]


@refused("another employee shown beside the one")
def _(forger):
    require_room("employee" in forger.pack)
    line = forger.first("employee")
    forger.insert_before(line, {**line, "code": "E00", "name": "somebody"})


@refused("the employee not shown")
def _(forger):
    require_room("employee" in forger.pack)
    forger.drop(lambda line: line["type"] == "employee")


@refused("somebody else's link in an employee's pack")
def _(forger):
    require_room("employee" in forger.pack)
    line = forger.first("link")
    forger.insert_before(line, {**line, "id": "01a23a46-0000-7658-9a6f-000000000000", "employee": "E99"})


@refused("an own event hidden, its batch left")
def _(forger):
    numbers = {part for at in forger.all("batch") for part in forger.lines[at]["frame"] if isinstance(part, int)}
    at, event = forger.own_event(lambda event: event["seq"] in numbers)
    batches = [line for line in forger.lines if line["type"] == "batch"]
    forger.hide(at)
    forger.judge_anew()
    begin, end = forger.block(at)
    forger.lines[begin:end] = [line for line in forger.lines[begin:end] if line["type"] != "batch"]
    at = next(at for at in range(begin, len(forger.lines)) if forger.lines[at]["type"] not in OF_A_TERMINAL[:3] + ["terminal"])
    forger.lines[at:at] = batches


@refused("an own event hidden that a batch shows in its text")
def _(forger):
    numbers = {part for at in forger.all("batch") for part in forger.lines[at]["frame"] if isinstance(part, int)}
    at, event = forger.own_event(lambda event: event["seq"] in numbers)
    text = forger.lines[at]["json"]
    for line in forger.lines:
        if line["type"] == "batch":
            line["frame"] = [text if part == event["seq"] else part for part in line["frame"]]
    forger.hide(at)
    forger.judge_anew()


@refused("an own event hidden, its result left")
def _(forger):
    judged = {forger.lines[at]["seq"] for at in forger.all("judgement")}
    at, event = forger.own_event(lambda event: event["seq"] in judged)
    results = [line for line in forger.lines if line["type"] == "judgement" and line["seq"] == event["seq"]]
    forger.hide(at)
    forger.judge_anew()
    forger.insert_before(forger.first("day"), *results[:1])


@refused("an own event hidden, the days left")
def _(forger):
    require_room("employee" in forger.pack)
    for at in forger.all("event"):
        if not parse(forger.lines[at]["json"]).get("account"):
            continue
        hidden = forger.again()
        hidden.hide(at)
        judged = hidden.again()
        judged.judge_anew()
        if judged.lines != hidden.lines:
            forger.lines = hidden.lines
            return
    raise NoRoom


@refused("an event hidden in a pack about everybody")
def _(forger):
    require_room("employee" not in forger.pack)
    forger.hide(forger.all("event")[1])
    forger.judge_anew()


@refused("an event called missing that has a receipt")
def _(forger):
    at = forger.all("event")[-1]
    number = parse(forger.lines[at]["json"])["seq"]
    begin, _ = forger.block(at)
    forger.hide(at)
    del forger.lines[at]
    place = begin + 1
    while forger.lines[place]["type"] == "missing" and forger.lines[place]["last"] < number:
        place += 1
    forger.lines.insert(place, {"type": "missing", "first": number, "last": number})
    # The log would have it.
    require_room("employee" in forger.pack)
    forger.judge_anew()


@refused("a terminal's last event left out")
def _(forger):
    at = forger.all("event")[-1]
    forger.hide(at)
    del forger.lines[at]


@refused("a terminal left out of a pack about everything")
def _(forger):
    require_room("employee" not in forger.pack)
    begin, end = forger.block(forger.all("terminal")[-1])
    del forger.lines[begin:end]


@refused("a terminal that never sent anything")
def _(forger):
    line = {**copy.deepcopy(forger.last("terminal")), "id": "ffffffff-ffff-4fff-bfff-ffffffffffff"}
    line["numbers"] = {"first": 1, "last": 0}
    forger.insert_before(forger.last("end"), line, *forger.days_of([line]))


@refused("a terminal whose first number is beyond its last one")
def _(forger):
    line = {**copy.deepcopy(forger.last("terminal")), "id": "ffffffff-ffff-4fff-bfff-ffffffffffff"}
    line["numbers"] = {"first": 9, "last": 1}
    forger.insert_before(forger.last("end"), line, *forger.days_of([line]))


@refused("two events in another order")
def _(forger):
    one = next(at for at in forger.all("event") if forger.lines[at + 1]["type"] == "event")
    forger.lines[one:one + 2] = forger.lines[one + 1], forger.lines[one]


@refused("two results in another order")
def _(forger):
    found = [at for at in forger.all("judgement") if forger.lines[at + 1]["type"] == "judgement"]
    require_room(found)
    forger.lines[found[0]:found[0] + 2] = forger.lines[found[0] + 1], forger.lines[found[0]]


@refused("an entry left out of a pack about everything")
def _(forger):
    require_room("employee" not in forger.pack)
    forger.lines.remove(forger.last("audit"))


@refused("a tree shown of which nobody was told")
def _(forger):
    head = forger.last("head")
    tree = parse(split_envelope(head["envelope"])[0])["tree"]
    require_room(all(line.get("tree") != tree for line in forger.lines))
    at = forger.lines.index(head)
    forger.lines.insert(at + 1, {"type": "earlier", "tree": tree, "proof": []})


@refused("the trees left out that receipts name")
def _(forger):
    forger.drop(lambda line: line["type"] == "earlier")


@refused("a second receipt for the same batch")
def _(forger):
    line = copy.deepcopy(forger.first("receipt"))
    forger.sign_anew(line, "mngntime/v1/receipt", lambda receipt: receipt.update(display_name="another"))
    forger.insert_before(forger.first("receipt"), line)


@refused("a batch once more under its other valid signature")
def _(forger):
    replace_key(forger)
    batch = forger.first("batch")
    raw = base64.b64decode(batch["signature"])
    other = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    forger.insert_before(batch, {**batch, "signature": base64.b64encode(other).decode()})


@refused("a batch once more with its events as text")
def _(forger):
    batch = forger.first("batch")
    begin, end = forger.block(forger.lines.index(batch))
    texts = {parse(line["json"])["seq"]: line["json"] for line in forger.lines[begin:end] if line["type"] == "event"}
    frame = [texts[part] if isinstance(part, int) else part for part in batch["frame"]]
    forger.insert_before(batch, {**batch, "frame": frame})


@refused("a receipt of another terminal")
def _(forger):
    forger.sign_anew(forger.first("receipt"), "mngntime/v1/receipt",
                     lambda receipt: receipt.update(terminal="ffffffff-ffff-4fff-bfff-ffffffffffff"))


@refused("a receipt of other bytes")
def _(forger):
    forger.sign_anew(forger.first("receipt"), "mngntime/v1/receipt",
                     lambda receipt: receipt["items"][0].update(hash="0" * 64))


@refused("a receipt of another place")
def _(forger):
    forger.sign_anew(forger.first("receipt"), "mngntime/v1/receipt",
                     lambda receipt: receipt["items"][0]["log"].update(leaf=99_999))


@refused("a receipt that names another tree")
def _(forger):
    tree = {"month": "2026-11", "size": 1, "root": "0" * 64}
    forger.sign_anew(forger.first("receipt"), "mngntime/v1/receipt", lambda receipt: receipt.update(log=tree))


@refused("something unsigned in an envelope")
def _(forger):
    line = forger.first("receipt")
    line["envelope"] = '{"note":"paid",' + line["envelope"][1:]


@refused("white space around what is signed")
def _(forger):
    forger.sign_anew(forger.last("head"), "mngntime/v1/log-head", lambda head: f" {written(head)} ")


@refused("a field twice in what is signed")
def _(forger):
    forger.sign_anew(forger.last("head"), "mngntime/v1/log-head",
                     lambda head: written(head).replace('"closed":', '"closed":true,"closed":'))


@refused("a head of another contract")
def _(forger):
    forger.sign_anew(forger.last("head"), "mngntime/v1/log-head", lambda head: head.update(contract="another"))


@refused("a head whose month is none")
def _(forger):
    forger.sign_anew(forger.last("head"), "mngntime/v1/log-head", lambda head: head["tree"].update(month="9999-99"))


@refused("a month of nothing before the first one")
def _(forger):
    tree = {"month": "2020-01", "size": 0, "root": "0" * 64}
    payload = {"v": 1, "contract": forger.pack["contract"], "tree": tree, "closed": True, "signed_at": 0}
    line, first = {"type": "head", "envelope": forger.sign("mngntime/v1/log-head", payload)}, forger.first("head")
    def name(head):
        head["previous"] = tree
        if "signed_at" in head:
            head["signed_at"] = head.pop("signed_at")
    forger.sign_anew(first, "mngntime/v1/log-head", name)
    forger.insert_before(first, line)


@refused("the month before left out of a pack about everything")
def _(forger):
    require_room("employee" not in forger.pack)
    def name(head):
        head["previous"] = {"month": "2020-01", "size": 1, "root": "0" * 64}
        head["signed_at"] = head.pop("signed_at")
    forger.sign_anew(forger.first("head"), "mngntime/v1/log-head", name)


@refused("an entry with the number 0")
def _(forger):
    require_room("employee" in forger.pack)
    line = forger.first("audit")
    line["json"] = line["json"].replace(f'"number":{parse(line["json"])["number"]},', '"number":0,')
    put_anew(forger, line)


def with_event(name, change):
    """The text of an event, with the log around it made anew, and without its batch."""
    def forge(forger):
        require_room("employee" in forger.pack)
        forger.drop(lambda line: line["type"] in ("earlier", "batch", "receipt"))
        line = forger.first("event", lambda line: parse(line["json"]).get("account") and parse(line["json"]).get("session"))
        text = change(line["json"])
        require_room(text != line["json"])
        line["json"] = text
        put_anew(forger, line)
        forger.judge_anew()
    REFUSED.append((f"an event {name}", forge))


def with_tail(tail):
    return lambda text: f"{text[:-1]},{tail}}}"


with_event("of an unknown kind", lambda text: text.replace('"kind":"log', '"kind":"lag'))
with_event("without an evidence", lambda text: text.replace('"evidence":"notice"', '"evidence":""'))
with_event("whose bounds are turned round", with_tail('"bounds":[1,0]'))
with_event("of a boot with a space", lambda text: text.replace('"boot":"', '"boot":" ', 1))
with_event("of a session that is none", lambda text: text.replace('"session":{', '"session":{"id":3,', 1))
with_event("whose session is a list", lambda text: re.sub(r'"session":\{[^}]*\}', '"session":["b","2","3"]', text))
with_event("of nobody", lambda text: re.sub(r',"account":\{[^}]*\}', "", text))
with_event("that supersedes itself", lambda text: f'{text[:-1]},"supersedes":{parse(text)["seq"]}}}')
with_event("with a cause that breaks the line", with_tail('"cause":"\\n"'))
with_event("that is longer than any", with_tail('"x":"' + "x" * 16_384 + '"'))


def with_receipt(name, change):
    REFUSED.append((f"a receipt {name}", lambda forger: forger.sign_anew(
        forger.first("receipt"), "mngntime/v1/receipt", change)))


with_receipt("with a result that is none", lambda receipt: receipt["items"][0].update(res=1007))
with_receipt("without a head", lambda receipt: receipt.pop("head") and None)
with_receipt("with too long a spread", lambda receipt: receipt.update(spread_seconds=2**32))
with_receipt("with too long a pause", lambda receipt: receipt.update(contact_seconds=-1))
with_receipt("with no name", lambda receipt: receipt.update(display_name=None))


@refused("white space before what a terminal has signed")
def _(forger):
    batch = forger.first("batch")
    begin, end = forger.block(forger.lines.index(batch))
    texts = {parse(line["json"])["seq"]: line["json"] for line in forger.lines[begin:end] if line["type"] == "event"}
    batch["frame"] = [" ", *batch["frame"]]
    batch["digest"] = sha256("".join(texts.get(part, part) for part in batch["frame"]).strip().encode()).hex()


@refused("a batch with another signature")
def _(forger):
    batch = forger.first("batch")
    batch["signature"] = base64.b64encode(bytes(64)).decode()


@refused("the end missing")
def _(forger):
    forger.lines.pop()


@refused("a line after the end")
def _(forger):
    forger.lines.append(copy.deepcopy(forger.first("day")))


@refused("lines counted wrong")
def _(forger):
    forger.record()
    text = {"type": "end", "lines": len(forger.lines)}
    forger.record = lambda: "".join(written(line) + "\n" for line in [*forger.lines[:-1], text])


@refused("a line ended as Windows does")
def _(forger):
    record = forger.record()
    forger.record = lambda: record.replace("\n", "\r\n", 1)


@refused("white space in a line")
def _(forger):
    record = forger.record()
    forger.record = lambda: record.replace('","', '", "', 1)


@refused("a field twice in a line")
def _(forger):
    record = forger.record()
    forger.record = lambda: record.replace('"v":2,', '"v":1,"v":2,', 1)


@refused("a number written as a fraction")
def _(forger):
    record = forger.record()
    forger.record = lambda: record.replace('"numbers":{"first":1,', '"numbers":{"first":1.0,', 1)


@refused("the fields of a line in another order")
def _(forger):
    pack = forger.pack
    pack["v"] = pack.pop("v")


@refused("nights that last beyond noon")
def _(forger):
    pack = forger.pack
    require_room("employee" in pack)
    rules = pack.pop("rules")
    pack["night_minutes"], pack["rules"] = 721, rules


for KIND in LINES:
    def _add(forger, kind=KIND):
        forger.first(kind)["note"] = "paid"
    REFUSED.append((f"an unknown field in a line `{KIND}`", _add))

    def _double(forger, kind=KIND):
        line = forger.last(kind)
        at = next(at for at, other in enumerate(forger.lines) if other is line)
        forger.lines.insert(at, copy.deepcopy(line))
    REFUSED.append((f"the last line `{KIND}` doubled", _double))

for KIND, NAME in [("pack", "rules"), ("earlier", "tree"), ("terminal", "numbers")]:
    def _inner(forger, kind=KIND, name=NAME):
        forger.first(kind)[name]["note"] = "paid"
    REFUSED.append((f"an unknown field within a line `{KIND}`", _inner))

with_field("pack", "v", lambda v: v + 1)
with_field("pack", "contract", lambda code: code + "x")
with_field("pack", "server_key", lambda _: "ezwqNN1XMhxt0NHsIyWlM42VfKNhkX0YPO2w8M3q47w=")
with_field("pack", "rules", lambda rules: {**rules, "judging": 2**32}, how=": a judging of no version")
with_field("pack", "made_at", lambda _: 253_402_268_400_000, how=": after the calendar")
with_field("pack", "rules", lambda rules: {**rules, "completeness": 2})
with_field("link", "account", lambda key: key + "x")
with_field("link", "dates", lambda dates: ["2026-01-02", dates[1]])
with_field("link", "void", lambda void: not void)
with_field("link", "made", lambda made: [made[0] - 1, made[1]])
with_field("link", "id", lambda text: "1" + text[1:])
with_field("earlier", "proof", lambda proof: proof + ["0" * 64])
with_field("earlier", "tree", lambda tree: {**tree, "root": "0" * 64})
with_field("audit", "json", lambda text: text.replace('"by":"', '"by":"x'))
with_field("audit", "leaf", lambda leaf: leaf + 1)
with_field("audit", "month", lambda _: "2020-01")
with_field("terminal", "id", lambda _: "00000000-0000-4000-8000-000000000000")
with_field("terminal", "host_name", lambda name: name + "x")
with_field("terminal", "public_key", lambda _: "ezwqNN1XMhxt0NHsIyWlM42VfKNhkX0YPO2w8M3q47w=")
with_field("terminal", "key_class", lambda of: "software" if of == "tpm" else "tpm")
with_field("terminal", "enrolled_at", lambda at: at - 1)
with_field("terminal", "numbers", lambda numbers: {**numbers, "last": numbers["last"] + 1}, how=": one more")
with_field("terminal", "numbers", lambda numbers: {**numbers, "last": numbers["last"] - 1}, how=": one less")
with_field("terminal", "numbers", lambda numbers: {**numbers, "first": numbers["first"] + 1}, how=": later")
with_field("missing", "first", lambda number: number - 1)
with_field("missing", "last", lambda number: number + 1)
with_field("event", "json", lambda text: text.replace('"occurred_at":1', '"occurred_at":2'))
for KIND in ["event", "hidden"]:
    with_field(KIND, "month", lambda _: "2020-01")
    with_field(KIND, "leaf", lambda leaf: leaf + 1)
    with_field(KIND, "received_at", lambda at: at + 1)
    with_field(KIND, "resent", lambda resent: not resent)
    with_field(KIND, "clock_offset_ms", lambda offset: offset + 1)
    with_field(KIND, "proof", lambda proof: proof[1:] if proof else ["0" * 64])
with_field("hidden", "hash", lambda _: "0" * 64)
with_field("hidden", "seq", lambda number: number + 1)
with_field("batch", "digest", lambda _: "0" * 64)
with_field("batch", "frame", lambda frame: [part.replace('"waiting":', '"waiting":1') if isinstance(part, str) else part
                                            for part in frame])
with_field("judgement", "number", lambda number: number + 1)
with_field("judgement", "seq", lambda number: number + 10_000)
with_field("day", "late", lambda late: late + 1)
with_field("day", "date", lambda date: day_after(date, 1))


@refused("retired numbers left out")
def _(forger):
    forger.lines.remove(forger.first("retired"))
    forger.judge_anew()


@refused("more numbers called retired")
def _(forger):
    line = forger.first("retired")
    line["last"] += 1
    forger.drop(lambda other: other["type"] == "event" and parse(other["json"])["seq"] == line["last"])
    forger.judge_anew()


@refused("an event called retired")
def _(forger):
    line = forger.first("retired")
    judged = {other["seq"] for other in forger.lines if other["type"] == "judgement"}
    event = forger.first("event", lambda other: parse(other["json"])["seq"] in judged)
    number = parse(event["json"])["seq"]
    at = forger.lines.index(event)
    forger.lines[at] = {**line, "first": number, "last": number}
    forger.drop(lambda other: other["type"] == "judgement" and other["seq"] == number)
    forger.drop(lambda other: other["type"] == "batch" and number in other["frame"])
    forger.judge_anew()


@refused("numbers retired at another time")
def _(forger):
    forger.first("retired")["retired_at"] += 1


@refused("numbers retired in another month")
def _(forger):
    forger.first("retired")["month"] = "2026-12"


@refused("retired events that happened at another time")
def _(forger):
    forger.first("retired")["happened"][0] -= 86_400_000
    forger.judge_anew()


@refused("retired numbers called missing")
def _(forger):
    line = forger.first("retired")
    at = forger.lines.index(line)
    forger.lines[at] = {"type": "missing", "first": line["first"], "last": line["last"]}
    forger.judge_anew()


@refused("a retirement's entry left out")
def _(forger):
    forger.lines.remove(forger.first("audit", lambda line: '"action":"retire_month"' in line["json"]))


@refused("the entry with retired numbers left out")
def _(forger):
    forger.lines.remove(forger.first("audit", lambda line: '"action":"retire_numbers"' in line["json"]))


@refused("a retired day called watched")
def _(forger):
    line = forger.first("day", lambda line: line["state"] == "retired")
    line.update(state="observed", parts=[[*line["span"], "watched"]])


# --- what no verifier can see --------------------------------------------------------------------------

@accepted("an own event hidden with everything that shows it", "as if they were somebody else's")
def _(forger):
    at, _ = forger.own_event()
    forger.hide(at)
    forger.judge_anew()


@accepted("an event changed and called sent together with a hidden one", "which are the server's word, they were sent together")
def _(forger):
    month = parse(split_envelope(forger.last("head")["envelope"])[0])["tree"]["month"]
    newest = {parse(forger.lines[at]["json"])["seq"] for at in forger.all("event") if forger.lines[at]["month"] == month}
    at, event = forger.own_event(lambda event: event["seq"] in newest)
    line, (begin, end) = forger.lines[at], forger.block(at)
    hidden = [other for other in forger.lines[begin:end] if other["type"] == "hidden"]
    require_room(hidden)
    line["json"] = line["json"].replace(f'"occurred_at":{event["occurred_at"]}', f'"occurred_at":{event["occurred_at"] - 1000}')
    put_anew(forger, line)
    items = [{"seq": event["seq"], "stored": True, "hash": sha256(line["json"].encode()).hex()},
             {"seq": hidden[0]["seq"], "stored": True, "hash": hidden[0]["hash"]}]
    receipt = forger.first("receipt", lambda other: other in forger.lines[begin:end])
    forger.sign_anew(receipt, "mngntime/v1/receipt", lambda payload: payload.pop("log", None) and None or payload.update(
        items=items, received_at=max(line["received_at"], hidden[0]["received_at"])))
    forger.drop(lambda other: other["type"] == "earlier" or other["type"] == "receipt" and other is not receipt)
    drop_of(forger, forger.lines[begin], lambda other: other["type"] == "batch" and event["seq"] in other["frame"])
    forger.judge_anew()


@accepted("all receipts left out", "That the server gave a receipt for")
def _(forger):
    forger.drop(lambda line: line["type"] in ("receipt", "earlier"))


@accepted("all signatures of the terminals left out", "The terminal's signature on")
def _(forger):
    forger.drop(lambda line: line["type"] == "batch")


@accepted("the entries left out of an employee's pack", "leave entries out")
def _(forger):
    require_room("employee" in forger.pack)
    forger.drop(lambda line: line["type"] == "audit")


@accepted("the terminal left out of an employee's pack", "That no other terminal")
def _(forger):
    require_room("employee" in forger.pack)
    begin, end = forger.block(forger.all("terminal")[-1])
    del forger.lines[begin:end]
    forger.lines = [line for line in forger.lines if line["type"] != "earlier"]


@accepted("the last numbers left out of an employee's pack", "no number outside those shown")
def _(forger):
    require_room("employee" in forger.pack)
    at = max(forger.all("event") + forger.all("hidden"))
    begin, end = forger.block(at)
    forger.lines[begin]["numbers"]["last"] -= 1
    gone = forger.lines[begin]["numbers"]["last"] + 1
    shows = lambda line: (line["type"] == "batch" and gone in line["frame"]
                          or line["type"] == "judgement" and line["seq"] == gone)
    forger.lines[begin:end] = [line for place, line in enumerate(forger.lines[begin:end], begin)
                               if place != at and not shows(line)]
    forger.judge_anew()


@accepted("the terminal's key replaced and its entries left out", "The public keys of 1 terminal(s) and 1 link(s)")
def replace_key(forger):
    """In an employee's pack: every batch signed anew by a key of the forger's."""
    require_room("employee" in forger.pack and len(forger.all("terminal")) == 1)
    forger.drop(lambda line: line["type"] == "audit")
    exchange_keys(forger)


def exchange_keys(forger):
    key = ec.derive_private_key(7, ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    texts = {}
    for line in forger.lines:
        if line["type"] == "terminal":
            line["public_key"], texts = "p256:" + base64.b64encode(point).decode(), {}
        elif line["type"] == "event":
            texts[parse(line["json"])["seq"]] = line["json"]
        elif line["type"] == "batch":
            payload = "".join(texts[part] if isinstance(part, int) else part for part in line["frame"])
            pair = key.sign(b"mngntime/v1/batch\0" + payload.encode(), ec.ECDSA(hashes.SHA256()))
            raw = b"".join(number.to_bytes(32, "big") for number in utils.decode_dss_signature(pair))
            line["signature"] = base64.b64encode(raw).decode()


WRITTEN_ANEW = "That the log was not written anew"


def sent_alone(forger):
    """A logoff in a pack about everything that a batch brought alone, its terminal, and its line."""
    require_room("employee" not in forger.pack)
    alone, terminal = {}, None
    for line in forger.lines:
        terminal = line if line["type"] == "terminal" else terminal
        if line["type"] == "batch":
            numbers = [part for part in line["frame"] if isinstance(part, int)]
            alone.setdefault(terminal["id"], set()).update(numbers if len(numbers) == 1 else [])
    for line in forger.lines:
        terminal = line if line["type"] == "terminal" else terminal
        if line["type"] == "event":
            event = parse(line["json"])
            if event["kind"] == "logoff" and event["seq"] in alone[terminal["id"]]:
                return event, terminal, line
    raise NoRoom


def drop_of(forger, terminal, holds):
    """Lines of one terminal."""
    begin, end = forger.block(forger.lines.index(terminal))
    forger.lines[begin:end] = [line for line in forger.lines[begin:end] if not holds(line)]


@accepted("an event changed and the whole log written anew", WRITTEN_ANEW)
def _(forger):
    event, terminal, line = sent_alone(forger)
    earlier = event["occurred_at"] - 3 * 3_600_000
    line["json"] = line["json"].replace(f'"occurred_at":{event["occurred_at"]}', f'"occurred_at":{earlier}')
    drop_of(forger, terminal, lambda line: line["type"] == "batch" and event["seq"] in line["frame"])
    write_log_anew(forger)
    day, host = days.date_of(earlier).isoformat(), terminal["host_name"]
    named = f"Terminal {host} ({terminal['id']}): on {day} without the terminal's signature: {event['seq']}."
    return f"{WRITTEN_ANEW} | {named} | 1 event(s) without their terminal's signature"


def beyond_the_last(leaf):
    """An event changed, and its receipt naming a number beyond the last one, as if that had kept the batch away."""
    def forge(forger):
        event, terminal, line = sent_alone(forger)
        earlier = event["occurred_at"] - 3 * 3_600_000
        line["json"] = line["json"].replace(f'"occurred_at":{event["occurred_at"]}', f'"occurred_at":{earlier}')
        drop_of(forger, terminal, lambda line: line["type"] == "batch" and event["seq"] in line["frame"])
        write_log_anew(forger)
        begin, end = forger.block(forger.lines.index(terminal))
        month, size = parse(split_envelope(forger.last("head")["envelope"])[0])["tree"]["month"], len(leaf_hashes(forger))
        item = {"seq": terminal["numbers"]["last"] + 1, "hash": "ab" * 32, "stored": True,
                "log": {"month": month, "leaf": size + leaf}}
        def name(receipt):
            if any(other["seq"] == event["seq"] for other in receipt["items"]):
                receipt["items"].append(item)
        for line in forger.lines[begin:end]:
            if line["type"] == "receipt":
                forger.sign_anew(line, "mngntime/v1/receipt", name)
        return leaf >= 0 and f"{WRITTEN_ANEW} | 1 event(s) without their terminal's signature"
    return forge


refused("an event changed and called sent together with one that the log should show")(beyond_the_last(-1))
accepted("an event changed and called sent together with one that came later", WRITTEN_ANEW)(beyond_the_last(99_999))


@refused("a receipt of the number 0")
def _(forger):
    forger.sign_anew(forger.first("receipt"), "mngntime/v1/receipt",
                     lambda receipt: receipt["items"].append({"seq": 0, "hash": "ab" * 32, "stored": True}))


@accepted("how the events came changed, their receipts left out, and the whole log written anew", WRITTEN_ANEW)
def _(forger):
    _, terminal, _ = sent_alone(forger)
    begin, end = forger.block(forger.lines.index(terminal))
    batches = {part for line in forger.lines[begin:end] for part in line.get("frame", []) if isinstance(part, int)}
    events = [line for line in forger.lines[begin:end] if line["type"] == "event" and parse(line["json"])["seq"] in batches]
    for line in events:
        line["clock_offset_ms"] += 4 * 3_600_000
    drop_of(forger, terminal, lambda line: line["type"] == "receipt")
    write_log_anew(forger)
    return f"{WRITTEN_ANEW} | {len(events)} event(s) that came otherwise than any signed batch says | these came otherwise"


def call_missing(forger):
    """An event of a pack about everything, dropped and called missing; its number."""
    event, terminal, _ = sent_alone(forger)
    gone = event["seq"]
    drop_of(forger, terminal, lambda line: (
        line["type"] == "batch" and gone in line["frame"] or line["type"] == "judgement" and line["seq"] == gone
        or line["type"] == "event" and parse(line["json"])["seq"] == gone))
    at = forger.lines.index(terminal) + 1
    while forger.lines[at]["type"] == "missing" and forger.lines[at]["last"] < gone:
        at += 1
    forger.lines.insert(at, {"type": "missing", "first": gone, "last": gone})
    return gone


@accepted("an event dropped, called missing, and the whole log written anew", WRITTEN_ANEW)
def _(forger):
    gone = call_missing(forger)
    write_log_anew(forger)
    return f"{WRITTEN_ANEW} | the server says that it never got the events {gone} to {gone} | called missing never arrived"


@accepted("an entry taken out and the whole log written anew", WRITTEN_ANEW)
def _(forger):
    require_room("employee" not in forger.pack)
    forger.lines.remove(forger.first("audit", lambda line: '"action":"enroll_terminal' not in line["json"]))
    write_log_anew(forger)


@accepted("an entry backdated and the whole log written anew", WRITTEN_ANEW)
def _(forger):
    require_room("employee" not in forger.pack)
    line = forger.lines[forger.all("audit")[1]]
    entry = parse(line["json"])
    entry["at"] -= 200 * days.DAY_MS
    line["json"] = written(entry)
    forger.lines = [{**line, "enrolled_at": entry["at"]} if line.get("id") == entry["detail"].get("terminal")
                    and entry["action"] == "enroll_terminal" else line for line in forger.lines]
    write_log_anew(forger)
    return f"{WRITTEN_ANEW} | Entry {entry['number']} of the audit log: noted at | 1 time(s) that do not fit"


@accepted("an event received earlier and the whole log written anew", WRITTEN_ANEW)
def _(forger):
    event, terminal, line = sent_alone(forger)
    line["received_at"] -= 90 * days.DAY_MS
    drop_of(forger, terminal, lambda line: line["type"] == "batch" and event["seq"] in line["frame"])
    write_log_anew(forger)
    return f"{WRITTEN_ANEW} | , event {event['seq']}: received at | 1 time(s) that do not fit"


@accepted("the terminals' keys exchanged in their enrolments too, and the whole log written anew", WRITTEN_ANEW)
def _(forger):
    require_room("employee" not in forger.pack)
    keys = [forger.lines[at]["public_key"] for at in forger.all("terminal")]
    exchange_keys(forger)
    for line in forger.lines:
        for key in keys:
            if line["type"] == "audit":
                line["json"] = line["json"].replace(key, forger.first("terminal")["public_key"])
    write_log_anew(forger)
    return f"{WRITTEN_ANEW} | as long as the public key that is shown is that PC's"


@accepted("the employee's name changed", "names of employees and accounts")
def _(forger):
    forger.first("employee")["name"] = "somebody else"


@accepted("a result changed", "results")
def _(forger):
    forger.first("judgement")["why"] = "another"


@accepted("the last contact later", "the terminals' last contact")
def _(forger):
    line = forger.last("terminal")
    line["last_contact_at"] = forger.pack["made_at"]
    line["numbers"] = line.pop("numbers")
    forger.judge_anew()


@accepted("the pack made later", "when this file was made")
def _(forger):
    forger.pack["made_at"] += 3_600_000
    forger.judge_anew()


@accepted("the pack made before what it holds", "when this file was made")
def _(forger):
    newest = parse(split_envelope(forger.last("head")["envelope"])[0])["signed_at"]
    forger.pack["made_at"] = newest - 3_600_000
    forger.judge_anew()
    return "when this file was made | This file: made at | 1 time(s) that do not fit"


@accepted("a receipt given long before its event came", "the server's own clock cannot be checked")
def _(forger):
    line = forger.first("receipt", lambda line: parse(split_envelope(line["envelope"])[0])["items"])
    forger.sign_anew(line, "mngntime/v1/receipt",
                     lambda receipt: receipt.update(received_at=receipt["received_at"] - 3_600_000))
    return "the server's own clock cannot be checked | receipt of event | 1 time(s) that do not fit"


@accepted("the log ended earlier, in a pack about everything", "leave out the whole log after a head")
def _(forger):
    require_room("employee" not in forger.pack and len(forger.all("head")) == 1)
    head = parse(split_envelope(forger.last("head")["envelope"])[0])
    hashes = leaf_hashes(forger)
    size = len(hashes) - 3
    sized = {"size": size, "root": root_of(hashes[:size]).hex()}
    head["tree"].update(sized)
    forger.last("head")["envelope"] = forger.sign("mngntime/v1/log-head", head)
    gone = lambda line: line.get("leaf", 0) >= size
    lines, terminal = [], None
    for line in forger.lines:
        if line["type"] == "terminal":
            terminal, left = line, []
        if line["type"] == "event" and not gone(line):
            terminal["numbers"]["last"] = parse(line["json"])["seq"]
            left.append(terminal["numbers"]["last"])
        numbers = [part for part in line.get("frame", []) if isinstance(part, int)]
        unshown = line["type"] == "judgement" and line["seq"] not in left or any(part not in left for part in numbers)
        if not (line["type"] in ("receipt", "earlier") or gone(line) or unshown):
            lines.append(line)
    forger.lines = lines
    for line in lines:
        if "leaf" in line:
            line["proof"] = [digest.hex() for digest in path_of(hashes[:size], line["leaf"])]
    forger.judge_anew()


# --- files ---------------------------------------------------------------------------------------------

def files(forger):
    """What can be done to the ZIP file, and its bytes."""
    good = forger.archive()
    stranger = copy.copy(forger)
    stranger.secret = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    yield "a fourth file", forger.sealed(forger.archive(("note.txt", "paid")))
    yield "a second record", forger.sealed(zipped_twice(forger))
    yield "no summary", forger.sealed(zipped([("record.jsonl", forger.record()), ("README.txt", "?")]))
    yield "the files in another order", forger.sealed(
        zipped([("summary.pdf", "%PDF-"), ("record.jsonl", forger.record()), ("README.txt", "?")]))
    before = zipped([("record.jsonl", "another record\n")])
    before = before[:before.index(b"PK\1\2")]
    yield "another record before the record", forger.sealed(moved(good, before))
    at = good.index(b"summary.pdf")
    yield "a file that calls itself otherwise", forger.sealed(good[:at] + b"another.pdf" + good[at + 11:])
    yield "a file that tells another length", forger.sealed(good[:at - 12] + b"\xff" + good[at - 11:])
    yield "a method in front of a file that is not the list's", forger.sealed(good[:8] + b"\0\0" + good[10:])
    yield "a file that calls itself encrypted", forger.sealed(good[:6] + b"\1\0" + good[8:])
    at = good.index(b"PK\1\2")
    yield "a file that the list calls encrypted, too", forger.sealed(
        good[:6] + b"\1\0" + good[8:at + 8] + b"\1\0" + good[at + 10:])
    yield "files that are not packed", forger.sealed(zipped([("record.jsonl", forger.record()), ("summary.pdf", "%PDF-"),
                                                             ("README.txt", "?")], zipfile.ZIP_STORED))
    yield "a list that the end calls shorter", forger.sealed(good[:-10] + bytes([good[-10] - 1]) + good[-9:])
    at = good.rindex(b"PK\1\2")
    longer = (int.from_bytes(good[-10:-6], "little") + 1).to_bytes(4, "little")
    yield "a comment on a file in the list", forger.sealed(
        good[:at + 32] + b"\1\0" + good[at + 34:-22] + b"x" + good[-22:-10] + longer + good[-6:])
    yield "a line that is longer than any", forger.sealed(long_line(forger).archive())
    yield "no seal", good
    yield "a seal of another key", stranger.sealed(good)
    yield "an unknown field in the seal", forger.sealed(good, lambda seal: seal.update(note="paid"))
    yield "a seal of another contract", forger.sealed(good, lambda seal: seal.update(contract="another"))
    yield "a seal of another time", forger.sealed(good, lambda seal: seal.update(sealed_at=0))
    yield "a seal of another version", forger.sealed(good, lambda seal: seal.update(v=2))
    yield "something after the seal", forger.sealed(good) + b"\n"
    yield "something changed after the seal", forger.sealed(good).replace(b"%PDF-", b"%PDF+").replace(b"?", b"!", 1)


def long_line(forger):
    """4 MiB and a byte, its end included, with letters of three bytes."""
    other = forger.again()
    room = (4 << 20) - len(written({**other.pack, "contract_name": ""}).encode())
    other.pack["contract_name"] = "長" * (room // 3) + "x" * (room % 3)
    return other


def zipped_twice(forger):
    return zipped([("record.jsonl", forger.record()), ("record.jsonl", forger.record()), ("README.txt", "?")])


def main():
    if sys.argv[1:] == ["--names"]:
        names = [name for name, _ in REFUSED] + [name for name, *_ in ACCEPTED]
        print("\n".join(names))
        return
    warnings.simplefilter("ignore")  # Of a name that stands twice.
    source, key, directory = sys.argv[1:]
    secret, data = Path(key).read_bytes(), Path(source).read_bytes()
    text = zipfile.ZipFile(io.BytesIO(data)).read("record.jsonl") if data[:2] == b"PK" else data
    unforged = Forger(text.decode(), secret)
    Path(directory, "key.pub").write_text(unforged.public_key() + "\n", encoding="ascii")
    count = 0

    def write(fate, name, data, words=""):
        nonlocal count
        count += 1
        Path(directory, f"{count}.zip").write_bytes(data)
        print(fate, f"{count}.zip", name, words, sep="\t")

    write("accepted", "nothing forged", unforged.sealed(unforged.archive()), "Who sat at the PC")
    for fate, name, words, change in [("refused", name, "", change) for name, change in REFUSED] + [
            ("accepted", name, words, change) for name, words, change in ACCEPTED]:
        forger = Forger(text.decode(), secret)
        before = json.dumps(forger.lines)
        try:
            words = change(forger) or words
        except NoRoom:
            continue
        data = forger.sealed(forger.archive())
        if json.dumps(forger.lines) == before and "record" not in vars(forger):
            sys.exit(f"nothing was changed: {name}")
        write(fate, name, data, words)
    for name, data in files(unforged):
        write("refused", name, data)


if __name__ == "__main__":
    main()

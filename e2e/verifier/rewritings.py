#!/usr/bin/env python3
"""Logs written anew, each beside what was given out before, and honest pairs.

Tests only: usage `rewritings.py PACK KEY DIRECTORY`, PACK being about everything in one month, KEY the file with the 32 bytes of the
server's secret key. Each pair prints a line: what a comparer has to say (`contradicted` or `agrees`), the two files, what was done,
which kinds of contradictions there must be among others, and what has to be said of lengths (as `against.py` does), apart by `,`.
"""

import io
import sys
import zipfile
from pathlib import Path


import days
from forger import OF_A_TERMINAL, Forger, NoRoom, path_of, require_room, root_of, subproof
from forgeries import call_missing, drop_of, exchange_keys, sent_alone
from forms import parse, written
from verify import in_room, sha256, split_envelope

HOUR_MS = 3_600_000
OLD, NEW, NEXT = "2026-09", "2026-11", "2026-12"
PAIRS = []


def pair(name, kinds="", lengths=""):
    """A change of a genuine pack, and what comes of it beside its witness: kinds, or nothing for an honest pair."""
    return lambda make: PAIRS.append((name, kinds, lengths, make)) or make


# --- the log -------------------------------------------------------------------------------------------

def leaf_lines(forger):
    """Lines with a leaf in the log's order, each with its terminal."""
    found, terminal = [], None
    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        if line["type"] in ("audit", "event"):
            found.append((line["month"], line["leaf"], line, terminal))
    return [(line, terminal) for *_, line, terminal in sorted(found, key=lambda leaf: leaf[:2])]


def hash_of(forger, line, terminal):
    contract, digest = forger.pack["contract"], sha256(line["json"].encode()).hex()
    if line["type"] == "audit":
        entry = parse(line["json"])
        leaf = {"v": 1, "contract": contract, "kind": "audit", "number": entry["number"], "hash": digest, "at": entry["at"]}
    else:
        leaf = {"v": 1, "contract": contract, "terminal": terminal, "seq": parse(line["json"])["seq"], "hash": digest,
                "received_at": line["received_at"], "resent": line["resent"], "clock_offset_ms": line["clock_offset_ms"]}
    return sha256(b"\0" + written(leaf).encode())


def head_of(forger):
    return parse(split_envelope(forger.last("head")["envelope"])[0])


def write_anew(forger, signed_at=None):
    """All months from the lines as they stand: places, proofs, heads and receipts. A line keeps in `was` where it stood in
    the log, so that the trees which receipts name are those of the same leaves."""
    leaves, signed_at = leaf_lines(forger), signed_at or head_of(forger)["signed_at"]
    months, told = {}, {}
    for line, terminal in leaves:
        of_month = months.setdefault(line["month"], [])
        line["leaf"] = len(of_month)
        of_month.append(hash_of(forger, line, terminal))
        if line["type"] == "event":
            told[terminal, parse(line["json"])["seq"]] = line
    for line, _ in leaves:
        line["proof"] = [digest.hex() for digest in path_of(months[line["month"]], line["leaf"])]
    named = receipts_anew(forger, [line for line, _ in leaves], months, told)
    forger.lines = [line for line in forger.lines if line["type"] not in ("head", "earlier")]
    at = next(at for at, line in enumerate(forger.lines) if line["type"] in ("audit", "terminal", "end"))
    forger.lines[at:at] = heads_anew(forger, months, named, signed_at)
    forger.judge_anew()
    return forger


def tree_of(months, month, size):
    return {"month": month, "size": size, "root": root_of(months[month][:size]).hex()}


def receipts_anew(forger, lines, months, told):
    """The trees that the receipts name afterwards."""
    named, terminal = set(), None

    def anew(receipt):
        if receipt.get("log"):
            under = [line for line in lines if line["was"] < receipt["log"]["size"]]
            receipt.pop("log") if not under else receipt.update(
                log=tree_of(months, under[-1]["month"], under[-1]["leaf"] + 1))
        if receipt.get("log"):
            named.add((receipt["log"]["month"], receipt["log"]["size"]))
        receipt["items"] = [item for item in receipt["items"] if not item["stored"] or (terminal, item["seq"]) in told]
        for item in receipt["items"]:
            if item["stored"]:
                line = told[terminal, item["seq"]]
                item["log"] = {"month": line["month"], "leaf": line["leaf"]}
                item["hash"] = sha256(line["json"].encode()).hex()

    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        if line["type"] == "receipt":
            forger.sign_anew(line, "mngntime/v1/receipt", anew)
    return named


def heads_anew(forger, months, named, signed_at):
    lines, before = [], None
    for month in sorted(months):
        tree = tree_of(months, month, len(months[month]))
        head = {"v": 1, "contract": forger.pack["contract"], "tree": tree, "closed": month != max(months),
                **({"previous": before} if before else {}), "heads": 1, "signed_at": signed_at}
        lines.append({"type": "head", "envelope": forger.sign("mngntime/v1/log-head", head)})
        for size in sorted(size for of, size in named if of == month):
            proof = [digest.hex() for digest in subproof(size, months[month], True)]
            lines.append({"type": "earlier", "tree": tree_of(months, month, size), "proof": proof})
        before = tree
    return lines


def genuine(forger, months=1):
    """The pack as it was made: in `months` months, the first half of the leaves in an older one."""
    leaves = leaf_lines(forger)
    for at, (line, _) in enumerate(leaves):
        line["was"] = at
        line["month"] = OLD if months == 2 and 2 * at < len(leaves) else NEW
    return finished(write_anew(forger))


def finished(forger):
    """What it looks like to others: without our own notes."""
    other = forger.again()
    for line in other.lines:
        line.pop("was", None)
    other.was = forger
    return other


def again(forger):
    """The lines once more, with the notes."""
    return forger.was.again()


def cut(forger, keep):
    """The log up to so many leaves of one month, as it was when these were all there were."""
    forger = again(forger)
    gone = lambda line: line.get("was", -1) >= keep
    seen, terminal, lines = {}, None, []
    for line in forger.lines:
        if line["type"] == "terminal":
            terminal, seen[line["id"]] = line["id"], set()
        if line["type"] == "event" and not gone(line):
            seen[terminal].add(parse(line["json"])["seq"])
    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        numbers = seen.get(terminal, set())
        if line["type"] == "terminal" and numbers:
            line["numbers"]["last"] = max(numbers)
            line.pop("last_contact_at", None)
        is_out = gone(line) or line["type"] == "judgement" and line["seq"] not in numbers
        is_out = is_out or line["type"] == "batch" and any(type(it) is int and it not in numbers for it in line["frame"])
        is_out = is_out or line["type"] == "missing" and (not numbers or line["first"] > max(numbers))
        is_out = is_out or line["type"] == "receipt" and is_beyond(line, keep, numbers)
        is_out = is_out or line["type"] == "link"
        if not is_out and (numbers or line["type"] not in ["terminal", *OF_A_TERMINAL]):
            lines.append(line)
    forger.lines = lines
    last = max((line for line in lines if "was" in line), key=lambda line: line["was"])
    at = parse(last["json"])["at"] if last["type"] == "audit" else last["received_at"]
    forger.pack["made_at"] = at + 1
    return finished(write_anew(forger, at + 1))


def is_beyond(line, keep, numbers):
    receipt = parse(split_envelope(line["envelope"])[0])
    log = receipt.get("log")
    return log and log["size"] > keep or any(item["stored"] and item["seq"] not in numbers for item in receipt["items"])


def receipts_of(forger):
    return "".join(line["envelope"] + "\n" for line in forger.lines if line["type"] == "receipt").encode()


def times_of(forger):
    """The server's times in the log's order."""
    return [parse(line["json"])["at"] if line["type"] == "audit" else line["received_at"] for line, _ in leaf_lines(forger)]


def bytes_of(forger):
    return forger.sealed(forger.archive())


def both(forged, whole):
    """The forged one beside the whole older one, and beside the PCs' receipts."""
    yield bytes_of(forged), bytes_of(whole)
    yield bytes_of(forged), receipts_of(whole)


# --- written anew --------------------------------------------------------------------------------------

@pair("an event changed", "bytes")
def _(whole):
    forger = again(whole)
    event, terminal, line = sent_alone(forger)
    line["json"] = line["json"].replace(f'"occurred_at":{event["occurred_at"]}', f'"occurred_at":{event["occurred_at"] - HOUR_MS}')
    drop_of(forger, terminal, lambda line: line["type"] == "batch" and event["seq"] in line["frame"])
    yield from both(finished(write_anew(forger)), whole)


@pair("an event dropped and called missing", "missing")
def _(whole):
    yield from both(finished(write_anew(dropped(whole))), whole)


def dropped(whole):
    forger = again(whole)
    call_missing(forger)
    return forger


@pair("an entry taken out", "left_out")
def _(whole):
    forger = again(whole)
    forger.lines.remove(forger.first("audit", lambda line: '"action":"enroll_terminal' not in line["json"]))
    yield bytes_of(finished(write_anew(forger))), bytes_of(whole)


@pair("an entry backdated", "bytes")
def _(whole):
    forger = again(whole)
    line = forger.first("audit", lambda line: '"action":"enroll_terminal' not in line["json"])
    entry = parse(line["json"])
    line["json"] = written({**entry, "at": entry["at"] - 200 * days.DAY_MS})
    yield bytes_of(finished(write_anew(forger))), bytes_of(whole)


@pair("an event received earlier", "leaf")
def _(whole):
    forger = again(whole)
    event, terminal, line = sent_alone(forger)
    line["received_at"] -= 90 * days.DAY_MS
    drop_of(forger, terminal, lambda line: line["type"] == "batch" and event["seq"] in line["frame"])
    yield bytes_of(finished(write_anew(forger))), bytes_of(whole)


@pair("the terminals' keys exchanged", "bytes,key")
def _(whole):
    forger = again(whole)
    keys = [forger.lines[at]["public_key"] for at in forger.all("terminal")]
    exchange_keys(forger)
    for line in forger.lines:
        if line["type"] == "audit":
            for key in keys:
                line["json"] = line["json"].replace(key, forger.first("terminal")["public_key"])
    yield bytes_of(finished(write_anew(forger))), bytes_of(whole)


@pair("a result changed", "results")
def _(whole):
    forger = whole.again()
    forger.first("judgement").update(why="another")
    yield bytes_of(forger), bytes_of(whole)


@pair("the results left out of a newer pack", "", "results_gone")
def _(whole):
    forger = whole.again()
    forger.drop(lambda line: line["type"] == "judgement")
    # What was judged just before the newer one was made, it may have read before that.
    forger.pack["made_at"] += HOUR_MS
    forger.judge_anew()
    older = bytes_of(cut(whole, len(leaf_lines(whole)) * 3 // 4))
    yield bytes_of(forger), older


# --- months --------------------------------------------------------------------------------------------

def extended(forger, month):
    """A further event at the end of a month, of the terminal whose numbers end there; no PC has signed it."""
    month_of, last = {}, {}
    for line, terminal in leaf_lines(forger):
        if line["type"] == "event":
            month_of.setdefault(terminal, set()).add(line["month"])
            last[terminal] = line
    for terminal, months in month_of.items():
        if max(months) == month:
            break
    else:
        raise NoRoom
    line, own = last[terminal], forger.first("terminal", lambda line: line["id"] == terminal)
    event = parse(line["json"])
    event.update(seq=event["seq"] + 1, prev=sha256(line["json"].encode()).hex())
    further = {**line, "json": written(event), "leaf": 10**6}
    forger.lines.insert(forger.lines.index(line) + 1, further)
    own["numbers"]["last"] = event["seq"]
    own.pop("last_contact_at", None)
    return forger


def with_entry(forger, month):
    """A further entry at the end of a month."""
    audit = [forger.lines[at] for at in forger.all("audit")]
    before = [line for line in audit if line["month"] <= month]
    after = [parse(line["json"])["number"] for line in audit if line["month"] > month]
    model = parse((before or audit)[-1]["json"])
    number = parse(before[-1]["json"])["number"] + 1 if before else 1
    require_room(number not in after)
    entry = {**model, "number": number, "by": "server", "action": "export_terminals", "object": "terminals", "detail": {}}
    line = {"type": "audit", "json": written(entry), "month": month, "leaf": 10**6, "proof": [], "was": -1}
    at = forger.lines.index(before[-1]) + 1 if before else forger.lines.index(audit[0])
    forger.lines.insert(at, line)
    return forger


def split_by_terminal(forger):
    """Two months: the first terminal with all that is noted in the older one, the others in the newer one, so that a terminal
    ends within a month that is over. Numbers of entries leave room for others."""
    first = forger.first("terminal")["id"]
    for line, terminal in leaf_lines(forger):
        line["month"] = NEW if line["type"] == "event" and terminal != first else OLD
        if line["type"] == "audit":
            entry = parse(line["json"])
            line["json"] = written({**entry, "number": 10 * entry["number"]})
    for at, (line, _) in enumerate(leaf_lines(forger)):
        line["was"] = at
    return finished(write_anew(forger))


def of_two_months(source):
    require_room(len(source.all("terminal")) > 1)
    return split_by_terminal(source.again())


@pair("a closed month extended with an event", "ended,left_out")
def _(whole):
    two = of_two_months(whole.source)
    yield bytes_of(finished(write_anew(extended(again(two), OLD)))), bytes_of(two)


@pair("a closed month extended with an entry", "ended,left_out")
def _(whole):
    two = of_two_months(whole.source)
    yield bytes_of(finished(write_anew(with_entry(again(two), OLD)))), bytes_of(two)


@pair("a month put before all others", "ended,left_out")
def _(whole):
    two = of_two_months(whole.source)
    yield bytes_of(finished(write_anew(with_entry(again(two), "2026-08")))), bytes_of(two)


@pair("a month put between two others", "ended,left_out")
def _(whole):
    two = of_two_months(whole.source)
    yield bytes_of(finished(write_anew(with_entry(again(two), "2026-10")))), bytes_of(two)


@pair("the whole first month taken out", "ended,left_out")
def _(whole):
    two = of_two_months(whole.source)
    forger = again(two)
    kept = {terminal for line, terminal in leaf_lines(forger) if line["type"] == "event"}
    kept -= {terminal for line, terminal in leaf_lines(forger) if line["type"] == "event" and line["month"] == OLD}
    terminal, lines = None, []
    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        is_out = line.get("month") == OLD or line["type"] == "link"
        if not is_out and (terminal in kept or line["type"] not in ["terminal", *OF_A_TERMINAL]):
            lines.append(line)
    forger.lines = lines
    forger.pack["made_at"] += days.DAY_MS
    yield from both(finished(write_anew(forger)), two)


@pair("honest: the next month's pack beside one of the month before")
def _(whole):
    two = genuine(whole.source.again(), 2)
    yield bytes_of(two), receipts_of(two)
    older = [line for line, _ in leaf_lines(two) if line["month"] == OLD]
    yield bytes_of(two), bytes_of(cut(two, len(older)))


# --- lengths -------------------------------------------------------------------------------------------

def shortened(whole, made_at):
    """An older pack of the same log with the genuine head of then, said to be made at another time."""
    older = cut(whole, len(leaf_lines(whole)) // 2)
    older.pack["made_at"] = made_at
    older.judge_anew()
    return older


def with_times(forger, change):
    """The pack with other times of receipt, as if the server's clock had been set; by the leaf's number in the log."""
    forger = again(forger)
    for line, _ in leaf_lines(forger):
        if line["type"] == "event":
            line["received_at"] = change(line["was"], line["received_at"])
    forger.lines = [line for line in forger.lines if line["type"] != "batch"]
    return finished(write_anew(forger))


@pair("the end of the log cut off, and the pack made later", "shorter")
def _(whole):
    yield bytes_of(shortened(whole, head_of(whole)["signed_at"] + days.DAY_MS)), bytes_of(whole)


@pair("the same beside what the PCs hold", "", "unclear")
def _(whole):
    yield bytes_of(shortened(whole, head_of(whole)["signed_at"] + days.DAY_MS)), receipts_of(whole)


@pair("the end of the log cut off, and the pack said to be as old as its head", "", "older")
def _(whole):
    older = cut(whole, len(leaf_lines(whole)) // 2)
    yield bytes_of(older), bytes_of(whole)
    yield bytes_of(older), receipts_of(whole)


@pair("the end of the log cut off where the clock went back later, from no such time", "", "unclear")
def _(whole):
    size = len(leaf_lines(whole))
    which = min(line["was"] for line, _ in leaf_lines(again(whole)) if line["type"] == "event" and line["was"] >= size * 3 // 4)
    other = with_times(whole, lambda at, time: time + HOUR_MS if at == which else time)
    yield bytes_of(shortened(other, head_of(other)["signed_at"] + days.DAY_MS)), bytes_of(other)


@pair("honest: made by a clock that was ahead and is set right", "", "set_back")
def _(whole):
    size = len(leaf_lines(whole))
    at = head_of(whole)["signed_at"] + days.DAY_MS
    # What follows the pack's end is of the same clock, as is the entry that notes it.
    events = {line["was"] for line, _ in leaf_lines(again(whole)) if line["type"] == "event" and line["was"] >= size // 2}
    other = with_times(whole, lambda which, time: at if which == min(events) else time)
    yield bytes_of(shortened(other, at)), bytes_of(other)


@pair("honest: a head with a wrong time", "", "older")
def _(whole):
    older = cut(whole, len(leaf_lines(whole)) // 2)
    made_at = older.pack["made_at"]
    older = finished(write_anew(again(older), head_of(whole)["signed_at"] + HOUR_MS))
    older.pack["made_at"] = made_at
    older.judge_anew()
    yield bytes_of(older), bytes_of(whole)


@pair("honest: the newer pack beside the older one, and beside receipts")
def _(whole):
    yield bytes_of(whole), bytes_of(cut(whole, len(leaf_lines(whole)) // 2))
    yield from both(whole, whole)


# --- packs about somebody ------------------------------------------------------------------------------

def about(forger, numbers, dates=None):
    """The same record as a pack about somebody who has all the accounts of the terminals with these numbers."""
    forger = forger.again()
    ids = [forger.lines[at]["id"] for at in forger.all("terminal")]
    kept, terminal, lines, accounts = {ids[number] for number in numbers}, None, [], set()
    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        of_it = line["type"] in ["terminal", *OF_A_TERMINAL]
        is_out = of_it and terminal not in kept or line["type"] in ("receipt", "earlier", "employee", "account", "link")
        if line["type"] == "audit":
            is_out = parse(line["json"])["detail"].get("terminal") not in kept
        if not is_out:
            lines.append(line)
        if of_it and not is_out and line["type"] == "event":
            account = parse(line["json"]).get("account")
            accounts |= {account["key"]} if account else set()
    link = {"type": "link", "employee": "E1", "dates": ["2020-01-01", None], "void": False, "made": [0, "x"], "ended": None}
    links = [written({"type": "link", "id": f"l{at}", "account": account, **link}) for at, account in enumerate(sorted(accounts))]
    pack = lines.pop(0)
    rules = {"rules": pack.pop("rules")}
    pack.update(employee="E1", **({"dates": dates} if dates else {}), **rules)
    forger.lines = [pack, {"type": "employee", "code": "E1", "name": "E", "active": [None, None]}, *map(parse, links), *lines]
    forger.judge_anew()
    return forger


def dates_of(forger):
    """From the day before the first event to that after the last one."""
    times = [parse(line["json"])["occurred_at"] for line, _ in leaf_lines(forger) if line["type"] == "event"]
    return [str(days.date_of(time)) for time in (min(times) - days.DAY_MS, max(times) + days.DAY_MS)]


def receipts_of_terminal(forger, number, change=lambda receipt: None):
    """Those that the PC with this number keeps, each with a change."""
    terminal, ids, found = None, [forger.lines[at]["id"] for at in forger.all("terminal")], []
    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        if line["type"] == "receipt" and terminal == ids[number]:
            receipt = parse(split_envelope(line["envelope"])[0])
            change(receipt)
            found.append(forger.sign("mngntime/v1/receipt", receipt))
    require_room(found)
    return "".join(line + "\n" for line in found).encode()


def without_tree(receipt):
    receipt.pop("log", None)


def without(whole, number):
    """The log without a terminal and what was noted of it, and without receipts."""
    forger = again(whole)
    gone, terminal, lines = forger.lines[forger.all("terminal")[number]]["id"], None, []
    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        is_out = line["type"] in ["terminal", *OF_A_TERMINAL] and terminal == gone or line["type"] == "receipt"
        if not is_out and not (line["type"] == "audit" and parse(line["json"])["detail"].get("terminal") == gone):
            lines.append(line)
    forger.lines = lines
    return finished(write_anew(forger))


def of_others(whole):
    return range(len(whole.all("terminal")) - 1)


@pair("a PC taken out, and packs about people at others beside its receipts", "occupied")
def _(whole):
    new, receipts = without(whole, 0), receipts_of_terminal(whole, 0, without_tree)
    yield bytes_of(about(new, of_others(whole))), receipts
    yield bytes_of(about(new, of_others(whole), dates_of(whole))), receipts


@pair("honest: packs about people at other PCs beside the receipts of one")
def _(whole):
    others = range(1, len(whole.all("terminal")))
    for change in (without_tree, lambda receipt: None):
        yield bytes_of(about(whole, others)), receipts_of_terminal(whole, 0, change)
        yield bytes_of(about(whole, others, dates_of(whole))), receipts_of_terminal(whole, 0, change)


@pair("two receipts with two things in one place", "occupied")
def _(whole):
    places = []

    def one_place(receipt):
        for item in receipt["items"]:
            if item["stored"]:
                places.append(item["log"])
                item["log"] = places[0]
        receipt["items"] = [item for item in receipt["items"] if item["stored"]][:1]
        without_tree(receipt)

    both = receipts_of_terminal(whole, 0, one_place) + receipts_of_terminal(whole, 1, one_place)
    yield bytes_of(about(whole, [2])), both


@pair("an event changed, beside a pack about somebody", "bytes")
def _(whole):
    forger = again(whole)
    event, terminal, line = sent_alone(forger)
    line["json"] = line["json"].replace(f'"occurred_at":{event["occurred_at"]}', f'"occurred_at":{event["occurred_at"] - HOUR_MS}')
    forger.drop(lambda line: line["type"] == "batch")
    number = [forger.lines[at]["id"] for at in forger.all("terminal")].index(terminal["id"])
    new = finished(write_anew(forger))
    for dates in (None, dates_of(whole)):
        yield bytes_of(about(new, [number], dates)), bytes_of(about(whole, [number], dates))
        yield bytes_of(about(new, [number], dates)), receipts_of_terminal(whole, number)
        yield bytes_of(about(new, [number], dates)), bytes_of(whole)
        yield bytes_of(new), bytes_of(about(whole, [number], dates))


@pair("honest: packs about somebody beside each other, the whole, and receipts")
def _(whole):
    for dates in (None, dates_of(whole)):
        one = bytes_of(about(whole, [0], dates))
        for other in (bytes_of(about(whole, [1])), bytes_of(whole), receipts_of_terminal(whole, 0), receipts_of(whole)):
            yield one, other
        yield bytes_of(whole), one


def of_two_people(whole, new):
    """A pack about somebody of the older log, and one about somebody else of a later one. Of one PC there are events first; of
    it neither shows any."""
    older = cut(whole, 1 << (len(leaf_lines(whole)) - 1).bit_length() - 1)
    ids = lambda forger: [forger.lines[at]["id"] for at in forger.all("terminal")]
    first = first_terminal(whole)
    there = [terminal for terminal in ids(older) if terminal != first]
    others = [terminal for terminal in ids(new) if terminal not in (first, there[0])]
    return bytes_of(about(new, [ids(new).index(others[-1])])), bytes_of(about(older, [ids(older).index(there[0])]))


def first_terminal(forger):
    return next(terminal for line, terminal in leaf_lines(forger) if line["type"] == "event")


@pair("an event of a third person changed between packs about two others", "part")
def _(whole):
    forger, first = again(whole), first_terminal(whole)
    line = next(line for line, terminal in leaf_lines(forger) if terminal == first and '"kind":"logoff"' in line["json"])
    at = parse(line["json"])["occurred_at"]
    line["json"] = line["json"].replace(f'"occurred_at":{at}', f'"occurred_at":{at - HOUR_MS}')
    forger.drop(lambda line: line["type"] in ("batch", "receipt"))
    yield of_two_people(whole, finished(write_anew(forger)))


@pair("honest: packs about two people, the log grown in between")
def _(whole):
    yield of_two_people(whole, whole)


def of_dropped(whole, change):
    """The number that is called missing, as the receipt of it says it after a change."""
    numbers = lambda forger: {(terminal, parse(line["json"])["seq"]): line for line, terminal in leaf_lines(forger)
                              if line["type"] == "event"}
    new = finished(write_anew(dropped(whole)))
    (terminal, number), = numbers(whole).keys() - numbers(new).keys()
    for line in whole.lines:
        if line["type"] == "receipt":
            receipt = parse(split_envelope(line["envelope"])[0])
            items = [item for item in receipt["items"] if item["stored"] and item["seq"] == number]
            if receipt["terminal"] == terminal and items:
                receipt["items"] = [{"seq": number, "hash": items[0]["hash"], "stored": True}]
                change(receipt, new)
                ids = [new.lines[at]["id"] for at in new.all("terminal")]
                return new, ids.index(terminal), whole.sign("mngntime/v1/receipt", receipt).encode() + b"\n"
    raise NoRoom


@pair("an event called missing, beside a receipt without a place", "missing")
def _(whole):
    new, number, receipt = of_dropped(whole, lambda receipt, new: receipt.update(log=new.first("earlier")["tree"]))
    yield bytes_of(new), receipt
    yield bytes_of(about(new, [number])), receipt


@pair("honest: a receipt without a place of what a pack says nothing of, or of which nobody knows when it came")
def _(whole):
    named = lambda receipt, new: receipt.update(log=new.first("earlier")["tree"])
    new, number, receipt = of_dropped(whole, named)
    yield bytes_of(about(whole, [number - 1])), receipt
    new, number, receipt = of_dropped(whole, lambda receipt, _: without_tree(receipt))
    yield bytes_of(about(new, [number])), receipt
    yield bytes_of(new), receipt


def denying(whole, size):
    """The receipts of a PC, and another one that calls missing what the first one of them calls stored, when the log had this size."""
    receipts = receipts_of_terminal(whole, 0)
    receipt = next(receipt for receipt in (parse(split_envelope(line)[0]) for line in receipts.decode().splitlines())
                   if any(item["stored"] for item in receipt["items"]))
    item = next(item for item in receipt["items"] if item["stored"])
    tree = tree_of({NEW: [hash_of(whole, *leaf) for leaf in leaf_lines(whole)]}, NEW, item["log"]["leaf"] + size)
    receipt.update(items=[], missing=[[item["seq"], item["seq"]]], log=tree)
    return receipts + whole.sign("mngntime/v1/receipt", receipt).encode() + b"\n"


@pair("a receipt that calls missing what was in the log before", "missing")
def _(whole):
    yield bytes_of(whole), denying(whole, 1)
    yield bytes_of(about(whole, of_others(whole))), denying(whole, 1)


@pair("honest: a receipt that calls missing what came afterwards")
def _(whole):
    yield bytes_of(whole), denying(whole, 0)
    yield bytes_of(about(whole, of_others(whole))), denying(whole, 0)


def received_later(whole, by):
    """Everything received later by the log than by the receipts that were given."""
    forger = with_times(whole, lambda _, time: time + by)
    forger = again(forger)
    forger.pack["made_at"] += by
    forger.drop(lambda line: line["type"] == "receipt")
    return finished(write_anew(forger, forger.pack["made_at"] - 1))


@pair("leaves with later times than receipts", "", "early_receipts")
def _(whole):
    new = received_later(whole, 3 * HOUR_MS)
    for dates in (None, dates_of(whole)):
        yield bytes_of(about(new, [0], dates)), receipts_of_terminal(whole, 0, without_tree)


@pair("honest: clocks that differ by less than five minutes")
def _(whole):
    yield bytes_of(about(received_later(whole, 200_000), [0])), receipts_of_terminal(whole, 0, without_tree)


# --- restores ------------------------------------------------------------------------------------------

def restored(forger, tree):
    """An entry at the end that says that the data were put back from a backup, with this newest tree in it."""
    last = forger.lines[forger.all("audit")[-1]]
    entry = parse(last["json"])
    detail = {"backup_made_at": forger.pack["made_at"] - 60_000, **tree}
    entry.update(number=entry["number"] + 1, at=forger.pack["made_at"], by="server", action="restored_from_backup", object="server",
                 detail=detail)
    line = {"type": "audit", "json": written(entry), "month": NEW, "leaf": 10**6, "proof": [], "was": 10**6}
    forger.lines.insert(forger.lines.index(last) + 1, line)
    return finished(write_anew(forger))


@pair("an event changed, and a restore put forward for it", "bytes,tree")
def _(whole):
    tree = head_of(whole)["tree"]
    for tree in (tree, {**tree, "root": "ab" * 32}):
        forger = again(whole)
        event, terminal, line = sent_alone(forger)
        line["json"] = line["json"].replace(f'"occurred_at":{event["occurred_at"]}', f'"occurred_at":{event["occurred_at"] - HOUR_MS}')
        drop_of(forger, terminal, lambda line: line["type"] == "batch" and event["seq"] in line["frame"])
        yield bytes_of(restored(forger, tree)), bytes_of(whole)


@pair("a restore with a tree that the log never had", "tree")
def _(whole):
    yield bytes_of(restored(again(whole), {**head_of(whole)["tree"], "root": "ab" * 32})), bytes_of(whole)


@pair("honest: a restore to what the older pack has")
def _(whole):
    yield bytes_of(restored(again(whole), head_of(whole)["tree"])), bytes_of(whole)
    yield bytes_of(restored(again(whole), {"month": "9999-99", "size": 1, "root": "ab" * 32})), bytes_of(whole)


# --- receipts ------------------------------------------------------------------------------------------

def second(whole, change, turned=False):
    """A PC's receipts, and another one of an event of one of them."""
    lines = [line["envelope"] for line in whole.lines if line["type"] == "receipt"]
    require_room(lines)
    line = next(line for line in lines if any(item["stored"] for item in parse(split_envelope(line)[0])["items"]))
    receipt = parse(split_envelope(line)[0])
    change(receipt)
    pairs = [line, whole.sign("mngntime/v1/receipt", receipt)]
    return "\n".join(pairs[::-1] if turned else pairs).encode() + b"\n"


def another_digest(receipt):
    receipt["items"] = [{**item, "hash": "cd" * 32} for item in receipt["items"]]


def another_place(receipt):
    receipt["items"] = [{**item, "log": {**item["log"], "leaf": item["log"]["leaf"] + 1}} for item in receipt["items"]]


@pair("a second receipt with other bytes", "bytes")
def _(whole):
    for turned in (False, True):
        yield bytes_of(whole), second(whole, another_digest, turned)


@pair("a second receipt with another place", "place")
def _(whole):
    for turned in (False, True):
        yield bytes_of(whole), second(whole, another_place, turned)


@pair("honest: a second receipt of the same, a minute later")
def _(whole):
    later = lambda receipt: receipt.update(received_at=receipt["received_at"] + 60_000)
    yield bytes_of(whole), second(whole, later)


@pair("honest: among the receipts lines that name no month, or no digest")
def _(whole):
    wrong = ["2026-11\n真正 AUTHENTIC", "9999-99", "zzz"]
    changes = [lambda receipt, month=month: receipt.update(log={"month": month, "size": 3, "root": "ab" * 32}) for month in wrong]
    root = head_of(whole)["tree"]["root"].upper()
    changes += [lambda receipt: receipt.update(log={**head_of(whole)["tree"], "root": root}),
                lambda receipt: receipt["items"][0].update(hash="x"),
                lambda receipt: receipt["items"][0].update(log={"month": "2026-13", "leaf": 0})]
    for change in changes:
        yield bytes_of(whole), second(whole, change)


@pair("honest: receipts behind the mark that editors put before a text")
def _(whole):
    yield bytes_of(whole), b"\xef\xbb\xbf" + receipts_of(whole)


@pair("another digest behind that mark", "bytes")
def _(whole):
    first, other = second(whole, another_digest).splitlines()
    yield bytes_of(whole), b"\xef\xbb\xbf" + other + b"\n" + first


def without_place(whole, years):
    def deleted(receipt):
        another_digest(receipt)
        receipt.update(log=head_of(whole)["tree"], received_at=receipt["received_at"] + years * 365 * days.DAY_MS)
        for item in receipt["items"]:
            item.pop("log", None)
    return second(whole, deleted)


@pair("honest: a receipt of what was deleted and is sent once more")
def _(whole):
    yield bytes_of(whole), without_place(whole, 3)


@pair("a receipt of other bytes without a place, of what cannot have been deleted", "bytes")
def _(whole):
    yield bytes_of(whole), without_place(whole, 2)


def main():
    if sys.argv[1:] == ["--names"]:
        print("\n".join(name for name, *_ in PAIRS))
        return
    source, key, directory = sys.argv[1:]
    text = zipfile.ZipFile(io.BytesIO(Path(source).read_bytes())).read("record.jsonl").decode()
    unforged, count = Forger(text, Path(key).read_bytes()), 0
    require_room(len(unforged.all("head")) == 1)
    Path(directory, "key.pub").write_text(unforged.public_key() + "\n", encoding="ascii")
    for name, kinds, lengths, make in PAIRS:
        whole = genuine(unforged.again())
        whole.source = unforged.again()
        for pack, other in make(whole):
            count += 1
            Path(directory, f"{count}.zip").write_bytes(pack)
            Path(directory, f"{count}.other").write_bytes(other)
            print("contradicted" if kinds else "agrees", f"{count}.zip", f"{count}.other", name, kinds, lengths, sep="\t")


if __name__ == "__main__":
    sys.exit(in_room(main))

#!/usr/bin/env python3
"""A second comparer of evidence packs, written from docs/protocol/evidence.md ("Two statements beside each other") and sharing
no code with the product.

Tests only: usage `against.py KEY PACK FILE [PACK FILE]...`, FILE being another pack or receipts, one a line. Prints a line for each
pair: `contradicted` or `agrees`, which kinds of contradictions there are, and what is to be said of lengths:
`older`, `set_back`, `unclear` of the pack, `other_set_back`, `other_unclear` of the file, `early_receipts`, `results_gone`, and how many contradictions
lie before the trees of all restores. Ends with 1 when a pair is contradicted,
with 2 when one cannot be compared.
"""

import io
import sys
import zipfile
from bisect import bisect_left, insort

from forms import RECEIPT, TREE, Bad, digest, either, fits, integer, month, none, parse, require, written
from verify import CLOCK_STEP_MS, UNREADABLE, check, in_room, node, opened, sha256, split_envelope


# Nothing is deleted earlier after its receipt.
KEPT_AT_LEAST_MS = 3 * 365 * 86_400_000

# Leaves before the end of a pack in which clocks that differ would be seen.
LEAVES_BEFORE = 100


class Told:
    """What is told of an event or an entry: digests and places, the first time with these, when it happened by its own word, and
    digests without a place, each with its time and the tree that its receipt names."""

    def __init__(self, *others):
        self.digests = set().union(*(other.digests for other in others))
        self.places = set().union(*(other.places for other in others))
        self.placeless = set().union(*(other.placeless for other in others))
        self.at = min((other.at for other in others if other.at is not None), default=None)
        self.happened = next((other.happened for other in others if other.happened is not None), None)

    def add(self, digest, place, at):
        self.digests.add(digest)
        self.places |= {place} if place else set()
        self.at = at if self.at is None else min(at, self.at)

    def difference(self):
        kept = {digest for digest, at, _ in self.placeless if self.at is not None and at < self.at + KEPT_AT_LEAST_MS}
        return "bytes" if len(self.digests | kept) > 1 else "place" if len(self.places) > 1 else None

    def touches(self):
        """The first place of the log with which it has to do, or None."""
        trees = [(month, size - 1) for _, _, tree in self.placeless if tree and tree[1] for month, size in [tree]]
        return min(self.places or trees, default=None)

    def is_before(self, end):
        return any(place < end for place in self.places) or any(tree and tree <= end for _, _, tree in self.placeless)


class Side:
    """What one of the two says."""

    def __init__(self, contract):
        self.contract, self.everything, self.made_at = contract, False, None
        self.heads, self.events, self.entries, self.leaves = {}, {}, {}, {}
        self.trees, self.reached, self.missing, self.retired = {}, {}, {}, {}
        self.keys, self.results, self.terminals = {}, {}, set()
        self.parts, self.restores, self.denied = {}, set(), []

    def tell(self, where, name, digest, place, at):
        where.setdefault(name, Told()).add(digest, place, at)

    def root(self, tree):
        place = tree["month"], tree["size"]
        self.trees.setdefault(place, set()).add(tree["root"])
        return place

    def tree(self, tree, at):
        self.reach(self.root(tree), at)

    def path(self, line):
        """What the proof of a line shows beside it: of parts with 1, 2, 4, ... leaves."""
        beside = parts_beside(self.heads[line["month"]]["tree"]["size"], line["leaf"])
        for (begin, end), text in zip(beside, line["proof"]):
            if (end - begin) & (end - begin - 1) == 0:
                self.parts[line["month"], begin, end] = bytes.fromhex(text)

    def reach(self, place, at):
        self.reached[place] = min(at, self.reached.get(place, at))

    def end(self):
        """The newest head."""
        return max(((month, head["tree"]["size"]) for month, head in self.heads.items()), default=None)

    def final(self, month):
        """How many leaves the month has for ever, or None."""
        if month in self.heads and self.heads[month]["closed"]:
            return self.heads[month]["tree"]["size"]
        later = min((other for other in self.heads if other > month), default=None)
        if later is None:
            return None
        previous = self.heads[later].get("previous")
        if previous is None or previous["month"] < month:
            return 0
        return previous["size"] if previous["month"] == month else None

    def places(self):
        """Every leaf that is told of, as the size that the log had with it."""
        told = set(self.leaves).union(*(told.places for told in self.events.values()))
        return {(month, leaf + 1) for month, leaf in told} | set(self.reached)


def parts_beside(size, leaf):
    """The parts of a tree that the proof of a leaf names, from the leaf on."""
    begin, end, parts = 0, size, []
    while end - begin > 1:
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        parts.append((middle, end) if leaf < middle else (begin, middle))
        begin, end = (begin, middle) if leaf < middle else (middle, end)
    return parts[::-1]


def is_backup(detail):
    """Whether an entry says which tree was the newest one in a backup."""
    try:
        return fits(detail, {**TREE, "backup_made_at?": either(none, integer)})
    except ValueError:
        return False


def of_pack(data, key):
    check(data, key)
    lines = [parse(line) for line in zipfile.ZipFile(io.BytesIO(data)).read("record.jsonl").decode().splitlines()]
    pack, terminal = lines[0], None
    side = Side(pack["contract"])
    side.everything, side.made_at = "employee" not in pack and "dates" not in pack, pack["made_at"]
    for line in lines:
        kind = line["type"]
        if kind == "head":
            head = parse(split_envelope(line["envelope"])[0])
            side.heads[head["tree"]["month"]] = head
            for tree in filter(None, (head["tree"], head.get("previous"))):
                side.tree(tree, head["signed_at"])
        elif kind == "audit":
            entry, place = parse(line["json"]), (line["month"], line["leaf"])
            digest = sha256(line["json"].encode()).hex()
            side.tell(side.entries, entry["number"], digest, place, entry["at"])
            leaf = {"v": 1, "contract": entry["contract"], "kind": "audit", "number": entry["number"], "hash": digest,
                    "at": entry["at"]}
            side.leaves[place] = sha256(b"\0" + written(leaf).encode()), entry["at"]
            side.path(line)
            if entry["action"] == "restored_from_backup":
                side.restores.add(side.root(entry["detail"]) if is_backup(entry["detail"]) else None)
        elif kind == "terminal":
            terminal = line["id"]
            side.terminals.add(terminal)
            side.keys[terminal] = line["public_key"]
        elif kind == "missing":
            side.missing.setdefault(terminal, []).append((line["first"], line["last"]))
        elif kind == "retired":
            side.retired.setdefault(terminal, []).append((line["first"], line["last"], line["month"], line["happened"]))
        elif kind in ("event", "hidden"):
            number = parse(line["json"])["seq"] if kind == "event" else line["seq"]
            digest = sha256(line["json"].encode()).hex() if kind == "event" else line["hash"]
            place = line["month"], line["leaf"]
            side.tell(side.events, (terminal, number), digest, place, line["received_at"])
            if kind == "event":
                side.events[terminal, number].happened = parse(line["json"])["occurred_at"]
            if not side.everything:
                side.path(line)
            leaf = {"v": 1, "contract": side.contract, "terminal": terminal, "seq": number, "hash": digest,
                    "received_at": line["received_at"], "resent": line["resent"], "clock_offset_ms": line["clock_offset_ms"]}
            side.leaves[place] = sha256(b"\0" + written(leaf).encode()), line["received_at"]
        elif kind == "receipt":
            receipt = parse(split_envelope(line["envelope"])[0])
            if receipt.get("log"):
                side.tree(receipt["log"], receipt["received_at"])
        elif kind == "judgement":
            side.results[terminal, line["seq"], line["number"]] = written(line), line["judged_at"]
    return side


def is_sound(receipt):
    """Whether months, roots and digests in a receipt are some."""
    log, items = receipt.get("log"), receipt["items"]
    places = [item["log"] for item in items if item.get("log") is not None]
    return ((log is None or fits(log, TREE)) and all(digest(item["hash"]) for item in items)
            and all(fits(place["month"], month) for place in places))


def of_receipts(text, key, pack):
    """Receipts of the pack's contract; those that name none are of it when the pack shows their terminal."""
    side, count = Side(pack.contract), 0
    for line in filter(None, map(str.strip, text.split("\n"))):
        try:
            receipt = opened(line, "mngntime/v1/receipt", key, RECEIPT)
            require(is_sound(receipt), "form of a month or a digest")
        except (Bad, *UNREADABLE):
            continue
        contract, log, at = receipt.get("contract"), receipt.get("log"), receipt["received_at"]
        if contract not in (None, pack.contract):
            continue
        count += 1
        placed = contract is not None or receipt["terminal"] in pack.terminals
        for item in receipt["items"]:
            where = item.get("log")
            name = receipt["terminal"], item["seq"]
            if not item["stored"]:
                continue
            if where is None and log is not None:
                side.events.setdefault(name, Told()).placeless.add(
                    (item["hash"], at, (log["month"], log["size"]) if placed else None))
                continue
            place = (where["month"], where["leaf"]) if where and placed else None
            side.tell(side.events, name, item["hash"], place, at)
            if place:
                side.reach((place[0], place[1] + 1), at)
        if log and placed:
            side.tree(log, at)
            side.denied += [(receipt["terminal"], *numbers, (log["month"], log["size"])) for numbers in receipt.get("missing") or ()]
    require(count, "no receipt of this contract")
    return side


# --- contradictions ------------------------------------------------------------------------------------

def differences(one, other):
    """The kinds of contradictions, one of each thing that differs, and how far it touches the log, or None."""
    for terminal in one.keys.keys() & other.keys.keys():
        if one.keys[terminal] != other.keys[terminal]:
            yield "key", None
    for number in one.results.keys() & other.results.keys():
        if one.results[number][0] != other.results[number][0]:
            yield "results", None
    told = set()
    for name in ("events", "entries"):
        here, there = getattr(one, name), getattr(other, name)
        for thing in here.keys() | there.keys():
            both = Told(*(side[thing] for side in (here, there) if thing in side))
            kind = both.difference()
            if kind is None and not (thing in here and thing in there):
                kind = absence(other if thing in here else one, name, thing, both)
            if kind is None and name == "events" and any(is_denied(side, thing, both.places) for side in (one, other)):
                kind = "missing"
            if kind:
                told |= both.places
                yield kind, both.touches()
    for kind, place in occupied(one, other, told):
        told.add(place)
        yield kind, place
    for place in one.leaves.keys() & other.leaves.keys():
        if one.leaves[place][0] != other.leaves[place][0] and place not in told:
            told.add(place)
            yield "leaf", place
    yield from parts(one, other, sorted(told))
    yield from trees(one, other)
    yield from ends(one, other)


def occupied(one, other, told):
    """Places in which two different things stand."""
    first, found = {}, set()
    for side in (one, other):
        for name in ("events", "entries"):
            for thing, what in getattr(side, name).items():
                found |= {place for place in what.places if first.setdefault(place, (name, thing)) != (name, thing)}
    return [("occupied", place) for place in found - told]


def absence(side, name, thing, told):
    """What it means that a thing of which this is told is not there."""
    is_missing = False
    if name == "events":
        terminal, number = thing
        for first, last, month, (earliest, latest) in side.retired.get(terminal, []):
            if first <= number <= last and all(at == month for at, _ in told.places):
                is_it = told.happened is None or earliest <= told.happened <= latest
                return None if is_it else "retired"
        is_missing = any(first <= number <= last for first, last in side.missing.get(terminal, []))
    if side.end() is None or not told.is_before(side.end()):
        return None
    return "missing" if is_missing else "left_out" if side.everything else None


def is_denied(side, thing, places):
    """Whether a receipt calls missing what stood in the log before its tree."""
    return any(thing[0] == terminal and first <= thing[1] <= last and any(place < tree for place in places)
               for terminal, first, last, tree in side.denied)


class Shown:
    """The hashes of parts of the log, as far as they follow from what one side shows."""

    def __init__(self, side):
        self.known = {(month, leaf, leaf + 1): digest for (month, leaf), (digest, _) in side.leaves.items()} | side.parts

    def part(self, month, begin, end):
        if (month, begin, end) not in self.known and end - begin > 1:
            middle = (begin + end) // 2
            left = self.part(month, begin, middle)
            right = left and self.part(month, middle, end)
            self.known[month, begin, end] = right and node(left, right)
        return self.known.get((month, begin, end))

    def root(self, month, size):
        """Of the tree of this size: the largest parts first, and put together from the end."""
        begin, found = 0, []
        while begin < size:
            end = begin + (1 << (size - begin).bit_length() - 1)
            found.append(self.part(month, begin, end))
            if found[-1] is None:
                return None
            begin = end
        root = found.pop() if found else None
        while found:
            root = node(found.pop(), root)
        return root


def parts(one, other, told):
    """Parts that one of them names and the other one shows, but for those in which something is told already."""
    here, there = Shown(one), Shown(other)
    for month, begin, end in sorted(one.parts.keys() | other.parts.keys(), key=lambda part: part[2] - part[1]):
        left, right = here.part(month, begin, end), there.part(month, begin, end)
        is_told = bisect_left(told, (month, begin)) < bisect_left(told, (month, end))
        if left and right and left != right and not is_told:
            insort(told, (month, begin))
            yield "part", (month, end - 1)


def trees(one, other):
    here, there = Shown(one), Shown(other)
    for place in one.trees.keys() | other.trees.keys():
        roots = one.trees.get(place, set()) | other.trees.get(place, set())
        roots |= {root.hex() for root in (here.root(*place), there.root(*place)) if root}
        if len(roots) > 1:
            yield "tree", (place[0], max(place[1], 1) - 1)


def ends(one, other):
    furthest = {}
    for month, size in one.places() | other.places():
        furthest[month] = max(size, furthest.get(month, 0))
    for month, size in furthest.items():
        finals = [final for final in (one.final(month), other.final(month)) if final is not None]
        if finals and min(finals) < size:
            yield "ended", (month, min(finals))


# --- lengths -------------------------------------------------------------------------------------------

def length(shorter, longer):
    """What it means that one ends before the other one, if it does: a word, and None or `shorter` for a contradiction."""
    end, made_at = shorter.end(), shorter.made_at
    if end is None or max(longer.places(), default=end) <= end:
        return None
    early = lambda at: at + CLOCK_STEP_MS < made_at
    # In the order of the log: each leaf, then the trees up to it.
    times = [((month, leaf + 1), 0, at) for (month, leaf), (_, at) in longer.leaves.items() if (month, leaf) >= end]
    times = sorted(times + [(size, 1, at) for size, at in longer.reached.items() if size > end])
    before = sorted(place for place in longer.leaves if place < end)[-LEAVES_BEFORE:]
    late, set_back, step, latest = False, False, False, None
    for at in (longer.leaves[place][1] for place in before):
        step = step or latest is not None and at + CLOCK_STEP_MS < latest
        latest = at if latest is None else max(latest, at)
    for _, is_tree, at in times:
        step = step or latest is not None and at + CLOCK_STEP_MS < latest
        set_back = set_back or late and early(at)
        if not is_tree:
            latest = at if latest is None else max(latest, at)
            late = late or not early(at)
    if not any(early(at) for _, _, at in times):
        return "older"
    if set_back:
        return "set_back"
    signed = any(early(at) for _, is_tree, at in times if is_tree)
    return "shorter" if signed and not step and shows_all(longer, end) else "unclear"


def shows_all(side, end):
    """Whether every leaf from there to the newest head is shown."""
    if side.end() is None:
        return False
    month, leaf = end
    for place in sorted(place for place in side.leaves if place >= end):
        if place != (month, leaf):
            previous = side.heads.get(place[0], {}).get("previous")
            if place[1] != 0 or previous is None or (previous["month"], previous["size"]) != (month, leaf):
                return False
        month, leaf = place[0], place[1] + 1
    return (month, leaf) == side.end()


def is_early(pack, other, name):
    """Whether a receipt of an event is older than its leaf."""
    here, there = pack.events[name].at, other.events[name].at
    return None not in (here, there) and there + CLOCK_STEP_MS < here


def are_results_gone(pack, other):
    """Whether the one with the later end lacks results of events that it shows."""
    if None in (pack.end(), other.end()) or pack.end() == other.end():
        return False
    older, newer = sorted((pack, other), key=Side.end)
    shown = {name for name, told in newer.events.items() if told.happened is not None}
    gone = older.results.keys() - newer.results.keys()
    return any(name[:2] in shown and older.results[name][1] + CLOCK_STEP_MS < newer.made_at for name in gone)


def compared(pack, other):
    found = list(differences(pack, other))
    kinds, lengths = {kind for kind, _ in found}, []
    for word, told in ((length(pack, other), ""), (length(other, pack), "other_")):
        if word == "shorter":
            kinds.add(word)
        elif word and (told, word) != ("other_", "older"):
            lengths.append(told + word)
    if other.made_at is None and any(is_early(pack, other, name) for name in pack.events.keys() & other.events.keys()):
        lengths.append("early_receipts")
    if are_results_gone(pack, other):
        lengths.append("results_gone")
    trees = pack.restores | other.restores
    before = [] if not trees or None in trees else [sum(place is not None and place < min(trees) for _, place in found)]
    return kinds, sorted(lengths), before


def main():
    key, *files = sys.argv[1:]
    with open(key, encoding="ascii") as file:
        key = file.read().strip()
    worst = 0
    for pack, other in zip(files[::2], files[1::2]):
        try:
            with open(pack, "rb") as one, open(other, "rb") as two:
                pack, other = of_pack(one.read(), key), two.read()
            other = of_pack(other, key) if other[:2] == b"PK" else of_receipts(other.decode().lstrip("\ufeff"), key, pack)
            require(pack.contract == other.contract, "another contract")
            kinds, lengths, before = compared(pack, other)
            worst = max(worst, bool(kinds))
            print("contradicted" if kinds else "agrees", "kinds=" + ",".join(sorted(kinds)), "lengths=" + ",".join(lengths),
                  "restores=" + ",".join(map(str, sorted(before))))
        except (Bad, *UNREADABLE) as fault:
            worst = 2
            print(f"not compared: {type(fault).__name__} {fault}")
    return worst


if __name__ == "__main__":
    sys.exit(in_room(main))

#!/usr/bin/env python3
"""A second verifier of evidence packs, written from docs/protocol/evidence.md and sharing no code with the product.

Tests only: usage `verify.py PACK... KEY`; prints a line for each pack, the first fault or what was counted and which
events (of the first twenty) lack their terminal's signature for no reason that a receipt shows, and ends with 0 when everything holds, with 1 otherwise. `against.py`
compares two packs. Needs Python's `cryptography` for the two kinds of signatures and nothing
else. `forms.py` has the forms of the lines, `days.py` what is known of a day.
"""

import base64
import functools
import hashlib
import io
import struct
import sys
import threading
import zipfile
import zlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

import days
from curve import is_strong
from forms import (BATCH, ENROLLED, ENTRY, HEAD, LINKED, RECEIPT, RENAMED, RETIRED_MONTH, RETIRED_NUMBERS, SEAL, Bad, fits,
                   fits_exactly, is_event, parse, read_line, require, texts_of, written)

RANKS = ["pack", "employee", "account", "link", "head", "audit", "terminal", "missing", "retired", "event", "batch", "receipt",
         "judgement", "day", "end"]
LOOK_BACK_MS = 62 * days.DAY_MS
SAME_RANK = {"earlier": "head", "hidden": "event"}


def sha256(data):
    return hashlib.sha256(data).digest()


def stay_of(event):
    session = event.get("session")
    return event["account"]["key"], session and (session["boot"], session["id"], session["logon"])


def decode64(text, length):
    data = base64.b64decode(text, validate=True)
    require(len(data) == length and base64.b64encode(data).decode() == text, "base64")
    return data


@functools.cache
def public_key(key):
    if key.startswith("p256:"):
        point = decode64(key[5:], 65)
        require(point[0] == 4, "form of a point")
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    raw = decode64(key, 32)
    require(is_strong(raw), "weak key")
    return ed25519.Ed25519PublicKey.from_public_bytes(raw)


def check_signature(key, context, payload, signature):
    message = context.encode() + b"\0" + payload.encode()
    raw, public = decode64(signature, 64), public_key(key)
    try:
        if key.startswith("p256:"):
            pair = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            public.verify(pair, message, ec.ECDSA(hashes.SHA256()))
        else:
            require(is_strong(raw[:32]), "weak signature")
            public.verify(raw, message)
    except InvalidSignature:
        raise Bad(f"signature for {context}") from None


def split_envelope(text):
    """The payload's exact text, and the signature: `{"payload":…,"signature":"…"}`."""
    head, tail = '{"payload":', ',"signature":"'
    at = text.rfind(tail)
    require(text.startswith(head) and at > 0 and text.endswith('"}'), "envelope")
    return text[len(head):at], text[at + len(tail):-2]


def opened(text, context, key, form):
    payload, signature = split_envelope(text)
    require(payload[:1] == "{" and payload[-1:] == "}", "white space around a payload")
    check_signature(key, context, payload, signature)
    value = parse(payload)
    require(fits(value, form), f"payload for {context}")
    return value


# --- RFC 6962, 2.1 -------------------------------------------------------------------------------------

def node(left, right):
    return sha256(b"\1" + left + right)


def root_from_path(leaf, index, size, path):
    """RFC 9162, 2.1.3.2, which is how RFC 6962's audit path is checked."""
    require(index < size, "leaf beyond the tree")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        require(sn != 0, "audit path too long")
        if fn & 1 or fn == sn:
            r = node(p, r)
            while fn != 0 and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    require(sn == 0, "audit path too short")
    return r


def check_consistency(old_size, old_root, size, root, proof):
    """RFC 9162, 2.1.4.2."""
    require(0 < old_size <= size, "sizes")
    if old_size == size:
        require(not proof and old_root == root, "consistency")
        return
    if old_size & (old_size - 1) == 0:
        proof = [old_root] + proof
    require(proof, "consistency proof too short")
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        require(sn != 0, "consistency proof too long")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn != 0 and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    require(sn == 0 and fr == old_root and sr == root, "consistency")


def digests(texts):
    return [bytes.fromhex(text) for text in texts]


# --- the pack ------------------------------------------------------------------------------------------

COUNTED = ["events", "hidden", "signed", "receipts", "links", "breaks", "roll_backs", "missing", "entries", "unbacked_keys",
           "unbacked_links", "retired", "odd_times", "marked", "withheld", "cut",
           "sent_otherwise"]

# What two times of the server may differ by without being told of.
CLOCK_STEP_MS = 5 * 60_000


# What comes of reading something that has another form than it says.
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, EOFError, struct.error,
              zlib.error, zipfile.BadZipFile)


class Record:
    def __init__(self, key):
        self.key, self.lines, self.rank = key, 0, 0
        self.trees, self.newest, self.terminal, self.pack = {}, None, None, None
        self.account_links, self.last_entry, self.last_terminal = [], (0, ("", -1)), ""
        self.enrolments, self.changes, self.renamings, self.leaves, self.earlier = {}, {}, [], set(), set()
        self.named, self.employees, self.accounts = set(), set(), set()
        self.retired_months, self.retired_numbers, self.named_retired = {}, set(), {}
        self.times, self.made, self.unsigned, self.signed_at = [], None, [], []
        self.counts = dict.fromkeys(COUNTED, 0)

    def read(self, text):
        self.lines += 1
        kind, line = read_line(text)
        rank = RANKS.index(SAME_RANK.get(kind, kind))
        back = kind == "terminal" and self.rank > rank
        require((self.lines == 1) == (kind == "pack") and (rank >= self.rank or back), "order of lines")
        require(self.terminal or rank <= RANKS.index("terminal") or kind == "end", "line outside a terminal")
        require(self.rank != RANKS.index("end"), "line after the end")
        self.rank = rank
        getattr(self, "on_" + kind)(line)

    def on_pack(self, line):
        require(line["v"] == 2 and line["server_key"] == self.key, "another server")
        require(line["rules"]["completeness"] == 1, "other rules")
        # Days beyond the calendar would have other days' dates.
        require(days.day_of(line["made_at"]) == days.number_of(days.date_of(line["made_at"])), "made on no date")
        self.pack = line
        self.everything = "employee" not in line and "dates" not in line

    def on_employee(self, line):
        add_new(self.employees, line["code"], "employee")

    def on_account(self, line):
        add_new(self.accounts, line["key"], "account")

    def on_link(self, line):
        self.account_links.append(line)

    def check_employee(self):
        """A pack about one employee shows this employee and no other one's link."""
        code = self.pack.get("employee")
        if code is not None:
            others = [link for link in self.account_links if link["employee"] != code]
            require(self.employees == {code} and not others, "not the employee whom the pack is about")

    def on_head(self, line):
        head = opened(line["envelope"], "mngntime/v1/log-head", self.key, HEAD)
        require(head["tree"]["size"] > 0, "head of nothing")
        require(head["v"] == 1 and head["contract"] == self.pack["contract"], "head of another contract")
        before, tree = self.newest, head["tree"]
        require(before or not self.everything or head.get("previous") is None, "not everything: months before")
        if before:
            require(before["closed"] and before["tree"]["month"] < tree["month"], "months")
            require(head.get("previous") and name_of(head["previous"]) == name_of(before["tree"]), "chain of months")
        self.newest = head
        self.signed_at.append(head["signed_at"])
        self.trees[tree["month"]] = (tree["size"], digests([tree["root"]])[0])

    def on_earlier(self, line):
        tree = line["tree"]
        require(tree["month"] == self.newest["tree"]["month"], "earlier tree of another month")
        size, root = self.trees[tree["month"]]
        check_consistency(tree["size"], digests([tree["root"]])[0], size, root, digests(line["proof"]))
        add_new(self.earlier, name_of(tree), "earlier tree")

    def in_log(self, leaf, line, what):
        """That the leaf is in the signed tree of its month, and where."""
        size, root = self.trees[line["month"]]
        found = root_from_path(sha256(b"\0" + written(leaf).encode()), line["leaf"], size, digests(line["proof"]))
        require(found == root, f"{what} is not in the log")
        self.leaves.add((line["month"], line["leaf"]))
        return line["month"], line["leaf"]

    def on_audit(self, line):
        entry = parse(line["json"])
        require(fits_exactly(entry, ENTRY), "form of an entry")
        # Written in one way, but for what stands in its detail.
        outer = written({name: value for name, value in entry.items() if name != "detail"})[:-1]
        require(line["json"] == f'{outer},"detail":{texts_of(line["json"])["detail"]}}}', "text of an entry")
        number, detail = entry["number"], entry["detail"]
        require(entry["v"] == 1 and entry["contract"] == self.pack["contract"], "entry of another contract")
        leaf = {"v": 1, "contract": entry["contract"], "kind": "audit", "number": number,
                "hash": sha256(line["json"].encode()).hex(), "at": entry["at"]}
        place = self.in_log(leaf, line, f"entry {number}")
        require(number > self.last_entry[0] and place > self.last_entry[1], "order of entries")
        self.last_entry = (number, place)
        self.counts["entries"] += 1
        self.times.append((*place, entry["at"]))
        if entry["action"] == "create_contract":
            self.made = entry["at"] if self.made is None else max(self.made, entry["at"])
        if entry["action"] in ("enroll_terminal", "enroll_terminal_again"):
            require(fits(detail, ENROLLED), "form of an enrolment")
            self.enrolments.setdefault(detail["terminal"], []).append((place, entry))
        elif entry["action"] in ("link_account", "unlink_account"):
            require(fits(detail, LINKED), "form of a link")
            self.changes.setdefault(detail["link"], []).append(entry)
        elif entry["action"] == "change_employee":
            require(fits(detail, RENAMED), "form of a change of an employee")
            self.renamings.append((number, detail["code_before"], detail["code"]))
        elif entry["action"] == "retire_month":
            require(fits(detail, RETIRED_MONTH), "form of a retired month")
            require(detail["month"] not in self.retired_months, f"month {detail['month']} was retired twice")
            require(detail["month"] < line["month"], "month that was retired within itself")
            require(detail["events"] <= detail["size"], "events of a retired month")
            require(is_over(detail, entry["at"]), f"month {detail['month']} was retired before its time was over")
            self.retired_months[detail["month"]] = (detail, entry["at"])
        elif entry["action"] == "retire_numbers":
            require(fits(detail, RETIRED_NUMBERS), "form of retired numbers")
            for told in detail["numbers"]:
                self.retired_numbers.add((told["terminal"], told["first"], told["last"], detail["month"], entry["at"],
                                          told["first_at"], told["last_at"]))

    def check_terminal(self, line):
        """The key, its class and the name are those that were noted."""
        noted = [entry for _, entry in self.enrolments.get(line["id"], [])]
        if noted:
            last = noted[-1]["detail"]
            same = all(entry["detail"]["public_key"] == line["public_key"] for entry in noted)
            same = same and (last["key_class"], last["host_name"]) == (line["key_class"], line["host_name"])
            same = same and all(entry["action"] == "enroll_terminal_again" for entry in noted[1:])
            began = noted[0]["action"] == "enroll_terminal_again" or noted[0]["at"] == line["enrolled_at"]
            require(same and began, f"terminal {line['id']} is not as noted")

    def check_key(self):
        """An enrolment stands in the log before the first event, or the key is only the server's word."""
        first = min(self.places.values(), default=("~", 0))
        noted = self.enrolments.get(self.terminal["id"], [])
        late = [place for place, entry in noted if entry["action"] == "enroll_terminal" and place >= first]
        require(not late, f"terminal {self.terminal['id']} was enrolled after its first event")
        self.counts["unbacked_keys"] += not any(place < first for place, _ in noted)

    def check_links(self):
        shown = [link["id"] for link in self.account_links]
        require(len(set(shown)) == len(shown) and self.changes.keys() <= set(shown), "links that were noted")
        for link in self.account_links:
            noted = self.changes.get(link["id"], [])
            made = [entry for entry in noted if entry["action"] == "link_account"]
            self.counts["unbacked_links"] += not made
            if not noted:
                continue
            require(made == noted[:1] or not made, f"link {link['id']} was made twice")
            for entry in noted:
                code, detail = entry["detail"]["employee"], entry["detail"]
                for number, before, after in self.renamings:
                    code = after if number > entry["number"] and code == before else code
                told = (detail["account"], detail["from"], code)
                require(told == (link["account"], link["dates"][0], link["employee"]), f"link {link['id']}")
            last = noted[-1]
            require((last["detail"].get("to"), last["detail"]["void"]) == (link["dates"][1], link["void"]), "link")
            require(not made or [made[0]["at"], made[0]["by"]] == link["made"], "making of a link")
            require(not made or not made[0]["detail"]["void"], "making of a link")
            ended = None if last["action"] == "link_account" else [last["at"], last["by"]]
            require(ended == link["ended"], f"end of link {link['id']}")

    def on_terminal(self, line):
        self.leave()
        require(line["id"] > self.last_terminal, "order of terminals")
        require(not self.everything or line["numbers"]["first"] == 1, "not everything: first numbers")
        self.last_terminal = line["id"]
        public_key(line["public_key"])
        self.check_terminal(line)
        self.counts["marked"] += "marks" in line
        self.came, self.sent, self.arrived = {}, [], set()
        self.terminal, self.missing, self.retired, self.next = line, [], [], line["numbers"]["first"]
        self.hashes, self.places, self.shown, self.signed, self.judged = {}, {}, {}, set(), (0, 0)
        self.events, self.hidden, self.concealed, self.batches, self.days = [], [], set(), set(), []
        self.withheld, self.logons, self.doubted = set(), {}, []
        require(1 <= self.next <= line["numbers"]["last"] + 1 <= 2**63, "numbers")

    def on_missing(self, line):
        numbers = self.terminal["numbers"]
        last = self.missing[-1][1] if self.missing else 0
        require(last < line["first"] <= line["last"] <= numbers["last"], "missing numbers")
        require(line["first"] >= numbers["first"], "missing numbers")
        self.missing.append((line["first"], line["last"]))

    def on_retired(self, line):
        numbers, first, last = self.terminal["numbers"], line["first"], line["last"]
        before = self.retired[-1]["last"] if self.retired else 0
        require(before < first <= last <= numbers["last"] and first >= numbers["first"], "retired numbers")
        require(not any(a <= last and first <= b for a, b in self.missing), "numbers both missing and retired")
        told = (self.terminal["id"], first, last, line["month"], line["retired_at"], *line["happened"])
        month = self.retired_months.get(line["month"])
        noted = told in self.retired_numbers and month is not None and month[1] == line["retired_at"]
        require(noted, f"number {first} is called retired, and no entry says so")
        self.retired.append(line)
        self.counts["retired"] += last - first + 1
        self.named_retired[line["month"]] = self.named_retired.get(line["month"], 0) + last - first + 1

    def absent(self):
        """Ranges of numbers that are not there."""
        return self.missing + [(gone["first"], gone["last"]) for gone in self.retired]

    def pass_missing(self, until):
        while self.next < until:
            found = [last for first, last in self.absent() if first <= self.next <= last]
            require(found, f"number {self.next} left out")
            self.next = found[0] + 1

    def place(self, number, digest, line):
        require(self.next <= number <= self.terminal["numbers"]["last"], f"number {number} out of order")
        self.pass_missing(number)
        require(self.next == number and not any(a <= number <= b for a, b in self.absent()), f"number {number}")
        leaf = {"v": 1, "contract": self.pack["contract"], "terminal": self.terminal["id"], "seq": number,
                "hash": digest.hex(), "received_at": line["received_at"], "resent": line["resent"],
                "clock_offset_ms": line["clock_offset_ms"]}
        self.places[number] = self.in_log(leaf, line, f"event {number}")
        self.hashes[number] = digest.hex()
        self.came[number] = (line["received_at"], line["clock_offset_ms"], line["resent"])
        self.times.append((line["month"], line["leaf"], line["received_at"]))
        self.next = number + 1

    def on_event(self, line):
        event = parse(line["json"])
        require(is_event(line["json"], event), "form of an event")
        number = event["seq"]
        self.place(number, sha256(line["json"].encode()), line)
        if not self.is_shown(event):
            self.doubted.append(number)
        if event["kind"] == "logon":
            self.logons.setdefault(stay_of(event), []).append(event["occurred_at"])
        self.shown[number] = line["json"]
        self.events.append((event, line["received_at"], line["clock_offset_ms"]))
        self.counts["events"] += 1
        before = "0" * 64 if number == 1 else self.hashes.get(number - 1)
        told = days.declared(event)
        if told and told[0] == "rolled_back":
            self.counts["roll_backs"] += 1
        elif before is not None:
            self.counts["links" if before == event["prev"] else "breaks"] += 1

    def is_shown(self, event):
        """Nobody's, or on a date of a link of the employee's; in a pack about everybody, anybody's."""
        code, account = self.pack.get("employee"), event.get("account")
        if code is None or account is None:
            return True
        own = days.day_of(event["occurred_at"])
        dates = [days.date_of_day(day).isoformat() for day in (own, own - 1 if self.ends_a_night(event, own) else own)]
        return any(link["account"] == account["key"] and link["employee"] == code and not link["void"]
                   and any(link["dates"][0] <= day and (link["dates"][1] is None or day <= link["dates"][1])
                           for day in dates)
                   for link in self.account_links)

    def check_doubted(self):
        """What is somebody else's by its own time may be the employee's by the server's, where the clock was years off."""
        if not self.doubted:
            return
        right, self.logons = days.years_off(self.events), {}
        for event, *_ in self.events:
            number = event["seq"]
            event = {**event, "occurred_at": right.get(number, event["occurred_at"])}
            require(number not in self.doubted or self.is_shown(event), f"event {number} is somebody else's")
            if event["kind"] == "logon":
                self.logons.setdefault(stay_of(event), []).append(event["occurred_at"])

    def ends_a_night(self, event, day):
        """A logoff before the boundary whose stay began before that midnight is the end of the evening."""
        midnight = day * days.DAY_MS - days.JAPAN_MS
        night = self.pack.get("night_minutes", 0) * 60_000
        if event["kind"] != "logoff" or event["occurred_at"] - midnight >= night:
            return False
        logons = [at for at in self.logons.get(stay_of(event), []) if midnight - LOOK_BACK_MS <= at <= event["occurred_at"]]
        return bool(logons) and max(logons) < midnight

    def on_hidden(self, line):
        require("employee" in self.pack, f"event {line['seq']} is hidden from nobody")
        self.hidden.append(line["seq"])
        self.concealed.add(line["hash"])
        self.place(line["seq"], digests([line["hash"]])[0], line)
        self.counts["hidden"] += 1

    def on_batch(self, line):
        parts = [self.shown[part] if isinstance(part, int) else part for part in line["frame"]]
        payload = "".join(parts)
        require(payload[:1] == "{" and payload[-1:] == "}", "white space around a batch")
        check_signature(self.terminal["public_key"], "mngntime/v1/batch", payload, line["signature"])
        batch = parse(payload)
        require(fits(batch, BATCH) and batch["v"] == 1, "form of a batch")
        require(sha256(payload.encode()).hex() == line["digest"], "digest of a batch")
        add_new(self.batches, line["digest"], "batch")
        require(batch["terminal"] == self.terminal["id"], "batch of another terminal")
        require(batch["contract"] == self.pack["contract"], "batch of another contract")
        numbers = [part for part in line["frame"] if isinstance(part, int)]
        self.signed.update(numbers)
        # As bytes: an event is what stands there, white space and all.
        texts = [texts_of(item)["event"] for item in texts_of(texts_of(payload)["events"])]
        by_text = {self.shown[number]: number for number in numbers}
        for item, text in zip(batch["events"], texts):
            # What was refused has the number of an event with other bytes.
            number = by_text.get(text)
            if number is not None:
                self.sent.append((number, line["digest"], batch["sent_at"]["wall"], item["resent"]))
        told = {sha256(text.encode()).hex() for text in texts}
        require(not told & self.concealed, "batch that shows what is hidden")

    def on_receipt(self, line):
        receipt = opened(line["envelope"], "mngntime/v1/receipt", self.key, RECEIPT)
        require(receipt["v"] == 1 and receipt["terminal"] == self.terminal["id"], "receipt of another terminal")
        require(receipt.get("contract") in (None, self.pack["contract"]), "receipt of another contract")
        log, numbers = receipt.get("log"), self.terminal["numbers"]
        told = log is None or name_of(log) in self.earlier
        require(told, "receipt that names a tree which is not shown")
        if log is not None:
            self.named.add(name_of(log))
        latest = receipt["received_at"]
        for item in receipt["items"]:
            if not item["stored"] or self.is_retired(item["seq"]):
                continue
            if numbers["first"] <= item["seq"] <= numbers["last"]:
                require(item["seq"] in self.hashes, "receipt of what is said to be missing")
                require(item["hash"] == self.hashes[item["seq"]], "receipt of other bytes")
                place = item.get("log")
                same = place is None or (place["month"], place["leaf"]) == self.places[item["seq"]]
                require(same, "receipt of another place")
                latest = max(latest, self.came[item["seq"]][0])
            else:
                outside = not self.everything or item["seq"] > numbers["last"] and self.is_beyond_heads(item.get("log"))
                require(item["seq"] > 0 and outside, "receipt of what a pack about everything does not have")
        # Answers may cross on the way: no fault, but counted.
        self.counts["odd_times"] += receipt["received_at"] < latest - CLOCK_STEP_MS
        if any(self.is_not_shown(item) for item in receipt["items"]):
            self.withheld.update(item["seq"] for item in receipt["items"] if item["stored"])
        add_new(self.arrived, (receipt["request"], receipt["received_at"]), "receipt")
        self.counts["receipts"] += 1

    def is_retired(self, number):
        return any(gone["first"] <= number <= gone["last"] for gone in self.retired)

    def is_beyond_heads(self, place):
        """A receipt may be of what came after the newest head; one without a place does not say."""
        tree = self.newest["tree"]
        return (place is None or place["month"] > tree["month"]
                or place["month"] == tree["month"] and not self.newest["closed"] and place["leaf"] >= tree["size"])

    def is_not_shown(self, item):
        """What keeps the batch of a receipt out of the pack: an event that is not shown, or was refused and may be anybody's.
        A pack about everything shows all that was not retired."""
        if self.everything:
            return item["stored"] and self.is_retired(item["seq"])
        return item["seq"] not in self.shown if item["stored"] else "employee" in self.pack

    def on_judgement(self, line):
        number = self.judged[1] + 1 if line["seq"] == self.judged[0] else 1
        require(line["seq"] >= self.judged[0] and line["number"] == number, "results")
        require(line["seq"] in self.shown, "result of nothing")
        self.judged = (line["seq"], line["number"])

    def on_day(self, line):
        self.days.append(line)

    def check_days(self):
        dates, made_at = self.pack.get("dates"), self.pack["made_at"]
        told = [{"type": "day", **line} for line in self.days]
        follow = list(days.days(self.terminal, self.events, self.missing, self.hidden, self.retired, dates, made_at))
        wrong = [line["date"] for line, follows in zip(told, follow) if line != follows]
        require(not wrong, f"day {wrong[:1]}")
        require(len(told) == len(follow), "days left out or added")
        begin, first, _ = days.days_told(self.terminal, self.events, dates, made_at)
        # Terminals that have more days than are told.
        self.counts["cut"] += first > begin

    def check_times(self):
        """Times that do not fit the order or the month of the log, or its being made after all that is in it: no fault, but
        counted."""
        before, newest = None, max([at for _, _, at in self.times] + self.signed_at)
        self.counts["odd_times"] += self.pack["made_at"] < newest - CLOCK_STEP_MS
        for month, _, at in sorted(self.times):
            first = days.midnight_of(days.date.fromisoformat(month + "-01"))
            # The last month of the calendar has no end, nor is anything outside of it.
            is_last = month == "9999-12"
            last = None if is_last else days.midnight_of(
                (days.date.fromisoformat(month + "-01") + days.timedelta(days=31)).replace(day=1))
            odd = self.made is not None and at < self.made - CLOCK_STEP_MS
            odd = odd or not is_last and (at < first - CLOCK_STEP_MS or at >= last + CLOCK_STEP_MS)
            odd = odd or before is not None and at < before - CLOCK_STEP_MS
            before = at
            self.counts["odd_times"] += odd

    def on_end(self, line):
        self.leave()
        require(self.newest, "no head")
        self.check_times()
        require(line["lines"] + 1 == self.lines, "number of lines")
        self.check_links()
        self.check_employee()
        require(self.earlier == self.named, "earlier tree that no receipt names")
        for month, (detail, _) in self.retired_months.items():
            tree = self.trees.get(month)
            as_shown = tree is None or tree == (detail["size"], digests([detail["root"]])[0])
            require(as_shown, f"month {month} was retired as another tree")
        if self.everything:
            require(self.named_retired == {month: told["events"] for month, (told, _) in self.retired_months.items()},
                    "not everything: retired numbers")
            for month, (size, _) in self.trees.items():
                there = {leaf for told, leaf in self.leaves if told == month}
                gone = self.named_retired.get(month, 0)
                require(len(there) + gone == size and there <= set(range(size)), "not everything: leaves")

    def check_as_sent(self):
        """`resent` and the clock's offset against the batch that an event came with, where that is here."""
        batches = {}
        for number, digest, wall, resent in self.sent:
            batches.setdefault(number, []).append((digest, wall, resent))
        for number, those in batches.items():
            received_at, offset, resent = self.came[number]
            chosen = [batch for batch in those if (batch[0], received_at) in self.arrived]
            chosen = chosen or [batch for batch in those if days.plus(received_at, -batch[1]) == offset]
            agrees = any((days.plus(received_at, -wall), mark) == (offset, resent) for _, wall, mark in chosen)
            require(agrees or not chosen, f"event {number} is not as it was sent")
            # None of the batches that are here brought it, by what the log says.
            self.counts["sent_otherwise"] += not chosen

    def leave(self):
        if self.terminal:
            self.pass_missing(self.terminal["numbers"]["last"] + 1)
            self.counts["missing"] += sum(last - first + 1 for first, last in self.missing)
            self.counts["signed"] += len(self.signed & self.shown.keys())
            unsigned = [number for number in self.shown if number not in self.signed]
            self.counts["withheld"] += len(self.withheld.intersection(unsigned))
            self.unsigned += [f"{self.terminal['id']}:{number}" for number in unsigned if number not in self.withheld]
            require(self.hashes or self.retired, "terminal without an event")
            self.check_doubted()
            self.check_key()
            self.check_as_sent()
            self.check_days()
        self.terminal = None


def name_of(tree):
    return tree["month"], tree["size"], tree["root"]


def is_over(detail, at):
    """A month is kept for its years, three at least, from when two more months have passed."""
    year, month = map(int, detail["month"].split("-"))
    then = days.date_of(at)
    kept = detail["retention_years"]
    return kept >= 3 and then.year * 12 + then.month >= (year + kept) * 12 + month + 3


def add_new(known, item, what):
    require(item not in known, f"{what} shown twice")
    known.add(item)


# With its end.
LINE_BYTES_MAX = 4 << 20
ENTRIES = ["record.jsonl", "summary.pdf", "README.txt"]


def check_entries(archive, data):
    """These files and nothing else, so that whoever reads from the beginning finds what the list at the end says."""
    listed, place, line = archive.infolist(), 0, archive.start_dir
    require([entry.filename for entry in listed] == ENTRIES, "files of the pack")
    for entry in listed:
        require(entry.header_offset == place, "something between the files")
        header = struct.unpack_from("<4s5H3I2H", data, place)
        (signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length) = header
        place += 30 + name_length
        name, extra = data[place - name_length:place], data[place:place + extra_length]
        if (packed, size) == (2**32 - 1, 2**32 - 1):
            require(extra[:4] == b"\1\0\20\0", "lengths of a file")
            size, packed = struct.unpack_from("<2Q", extra, 4)
        told = (signature, flags, method, name, crc, size, packed)
        listed_as = (b"PK\3\4", 0, zipfile.ZIP_DEFLATED, entry.filename.encode(), entry.CRC, entry.file_size,
                     entry.compress_size)
        same = told == listed_as and (entry.flag_bits, entry.compress_type) == (flags, method)
        require(same, "a file says something else of itself than the list")
        place += extra_length + packed
        lengths = struct.unpack_from("<3H", data, line + 28)
        require(lengths[2] == 0, "a comment on a file")
        line += 46 + sum(lengths)
    end = len(data) - len(archive.comment) - 22
    require(line == end, "a list of another length")
    told = struct.unpack_from("<2I", data, end + 12)
    require(archive.start_dir == place and told == (end - place, place), "something after the files")


def record_of(archive, data):
    """The whole of what is packed there, whatever length the list says."""
    entry = archive.getinfo("record.jsonl")
    name_length, extra_length = struct.unpack_from("<2H", data, entry.header_offset + 26)
    begin = entry.header_offset + 30 + name_length + extra_length
    unpacked = zlib.decompressobj(-15)
    text = unpacked.decompress(data[begin:begin + entry.compress_size])
    require(unpacked.eof and (len(text), zlib.crc32(text)) == (entry.file_size, entry.CRC), "record of another length")
    return text.decode()


def check(data, key):
    archive = zipfile.ZipFile(io.BytesIO(data))
    length = len(archive.comment)
    require(length > 0, "no seal")
    body, comment = data[:-length], data[-length:].decode()
    # One disk, and the number of files twice.
    require(body[-22:-10] == b"PK\5\6" + struct.pack("<4H", 0, 0, 3, 3) and body[-2:] == length.to_bytes(2, "little"), "end of the file")
    seal = opened(comment, "mngntime/v1/evidence-seal", key, SEAL)
    require(fits_exactly(seal, SEAL), "fields of the seal")
    require(seal["bytes"] == len(body) and seal["sha256"] == sha256(body).hex(), "changed since it was sealed")
    record = Record(key)
    check_entries(archive, data)
    text = record_of(archive, data)
    require(text.endswith("\n"), "end of the record")
    for line in text[:-1].split("\n"):
        require(len(line.encode()) < LINE_BYTES_MAX, "a line is too long")
        record.read(line)
    require(record.rank == RANKS.index("end"), "no end")
    same = seal["v"] == 1 and seal["contract"] == record.pack["contract"]
    require(same and seal["sealed_at"] == record.pack["made_at"], "seal of another record")
    return record.counts | {"unsigned": ",".join(record.unsigned[:20]) or "none"}


def in_room(work):
    """What `work` returns, with a stack for JSON as deep as a request is long."""
    found = []
    threading.stack_size(2**29)
    sys.setrecursionlimit(2**20)
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0] if found else 1


def main():
    *packs, key = sys.argv[1:]
    with open(key, encoding="ascii") as file:
        key = file.read().strip()
    bad = 0
    for pack in packs:
        try:
            with open(pack, "rb") as file:
                print("good", *(f"{name}={count}" for name, count in check(file.read(), key).items()))
        except Bad as fault:
            bad = 1
            print(f"bad: {fault}")
        except UNREADABLE as error:
            bad = 1
            print(f"bad: {type(error).__name__} {error}")
    return bad


if __name__ == "__main__":
    sys.exit(in_room(main))

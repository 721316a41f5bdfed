"""The hands of a forger who holds the server's key: a record's lines, signed, numbered, judged and sealed afresh."""

import base64
import copy
import io
import zipfile

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import days
from forms import parse, written
from verify import node, sha256, split_envelope

PURPOSES = {"head": "mngntime/v1/log-head", "receipt": "mngntime/v1/receipt"}
OF_A_TERMINAL = ["missing", "retired", "event", "hidden", "batch", "receipt", "judgement", "day"]


class NoRoom(Exception):
    """The record has nothing to which this could be done."""


class Forger:
    """The lines of a record as JSON objects, and the server's secret key."""

    def __init__(self, text, secret):
        self.lines = [parse(line) for line in text.splitlines()]
        self.secret = ed25519.Ed25519PrivateKey.from_private_bytes(secret)

    def again(self):
        other = copy.copy(self)
        other.lines = copy.deepcopy(self.lines)
        return other

    def public_key(self):
        """As a file with a server's public key has it."""
        public = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(public).decode()

    # --- looking ---

    def all(self, kind):
        return [at for at, line in enumerate(self.lines) if line["type"] == kind]

    def first(self, kind, holds=lambda _: True):
        found = [line for line in self.lines if line["type"] == kind and holds(line)]
        if not found:
            raise NoRoom(kind)
        return found[0]

    def last(self, kind):
        found = self.all(kind)
        if not found:
            raise NoRoom(kind)
        return self.lines[found[-1]]

    @property
    def pack(self):
        return self.lines[0]

    def own_event(self, holds=lambda _: True):
        """A punch of the employee whom the pack is about, and where its line is."""
        require_room("employee" in self.pack)
        for at in self.all("event"):
            event = parse(self.lines[at]["json"])
            if event.get("account") and holds(event):
                return at, event
        raise NoRoom("own event")

    def block(self, at):
        """From the terminal's line to the line after its last one, around line `at`."""
        begin = max(place for place in self.all("terminal") if place <= at)
        end = begin + 1
        while self.lines[end]["type"] in OF_A_TERMINAL:
            end += 1
        return begin, end

    # --- changing ---

    def drop(self, holds):
        before = len(self.lines)
        self.lines = [line for line in self.lines if not holds(line)]
        require_room(len(self.lines) < before)

    def insert_before(self, line, *new):
        at = next(at for at, other in enumerate(self.lines) if other is line)
        self.lines[at:at] = new

    def sign(self, purpose, payload):
        text = payload if isinstance(payload, str) else written(payload)
        signature = self.secret.sign(purpose.encode() + b"\0" + text.encode())
        return f'{{"payload":{text},"signature":"{base64.b64encode(signature).decode()}"}}'

    def sign_anew(self, line, purpose, change):
        """The envelope of a line with a changed payload."""
        payload = parse(split_envelope(line["envelope"])[0])
        text = change(payload)
        line["envelope"] = self.sign(purpose, payload if text is None else text)

    def hide(self, at):
        """An event with everything that would show it, but for the days."""
        event = parse(self.lines[at]["json"])
        begin, end = self.block(at)
        line = {"type": "hidden", "seq": event["seq"], "hash": sha256(self.lines[at].pop("json").encode()).hex()}
        self.lines[at] = {**line, **{k: v for k, v in self.lines[at].items() if k != "type"}}
        shows = lambda other: (other["type"] == "batch" and event["seq"] in other["frame"]
                               or other["type"] == "judgement" and other["seq"] == event["seq"])
        self.lines[begin:end] = [other for other in self.lines[begin:end] if not shows(other)]

    def judge_anew(self):
        """The days as they follow from what is shown now."""
        lines, self.lines = self.lines, []
        for at, line in enumerate(lines):
            if line["type"] == "terminal":
                block = [line]
                for other in lines[at + 1:]:
                    if other["type"] not in OF_A_TERMINAL:
                        break
                    block.append(other)
                self.lines += [other for other in block if other["type"] != "day"]
                self.lines += self.days_of(block)
            elif line["type"] not in OF_A_TERMINAL:
                self.lines.append(line)

    def days_of(self, block):
        events = [(parse(line["json"]), line["received_at"], line["clock_offset_ms"])
                  for line in block if line["type"] == "event"]
        missing = [(line["first"], line["last"]) for line in block if line["type"] == "missing"]
        hidden = [line["seq"] for line in block if line["type"] == "hidden"]
        retired = [line for line in block if line["type"] == "retired"]
        return list(days.days(block[0], events, missing, hidden, retired, self.pack.get("dates"), self.pack["made_at"]))

    # --- sealing ---

    def record(self):
        for line in self.lines:
            if line["type"] == "end":
                line["lines"] = self.lines.index(line)
        return "".join(written(line) + "\n" for line in self.lines)

    def sealed(self, body, change=lambda seal: None):
        """The bytes of a ZIP file without a comment, with the seal as its comment."""
        seal = {"v": 1, "contract": self.pack["contract"], "sealed_at": self.pack["made_at"], "bytes": len(body),
                "sha256": "0" * 64}
        change(seal)
        length = len(self.sign("mngntime/v1/evidence-seal", seal))
        body = body[:-2] + length.to_bytes(2, "little")
        return body + self.sign("mngntime/v1/evidence-seal", {**seal, "sha256": sha256(body).hex()}).encode()

    def archive(self, *files):
        return zipped([("record.jsonl", self.record()), ("summary.pdf", "%PDF-"), ("README.txt", "?")] + list(files))


def require_room(holds):
    if not holds:
        raise NoRoom


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in files:
            # A name may stand twice here.
            archive.writestr(zipfile.ZipInfo(name), text, method)
    return out.getvalue()


def leaf_hashes(forger):
    """Of a pack about everything in one month, in the log's order."""
    hashes, terminal = {}, None
    for line in forger.lines:
        if line["type"] == "terminal":
            terminal = line["id"]
        if line["type"] == "audit":
            hashes[line["leaf"]] = entry_hash(line)
        elif line["type"] == "event":
            hashes[line["leaf"]] = leaf_hash(forger, terminal, line)
    return [hashes[at] for at in range(len(hashes))]


def leaf_hash(forger, terminal, line):
    leaf = {"v": 1, "contract": forger.pack["contract"], "terminal": terminal, "seq": parse(line["json"])["seq"],
            "hash": sha256(line["json"].encode()).hex(), "received_at": line["received_at"], "resent": line["resent"],
            "clock_offset_ms": line["clock_offset_ms"]}
    return sha256(b"\0" + written(leaf).encode())


def ranges_of(size, at):
    """The parts of a tree that the proof of leaf `at` names, from the leaf on, each with the part that both make."""
    begin, end, found = 0, size, []
    while end - begin > 1:
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        found.append(((middle, end) if at < middle else (begin, middle), (begin, end)))
        begin, end = (begin, middle) if at < middle else (middle, end)
    return found[::-1]


def entry_hash(line):
    entry = parse(line["json"])
    leaf = {"v": 1, "contract": entry["contract"], "kind": "audit", "number": entry["number"],
            "hash": sha256(line["json"].encode()).hex(), "at": entry["at"]}
    return sha256(b"\0" + written(leaf).encode())


def put_anew(forger, line):
    """A leaf in its old place: what is above it, its month's head and what the next one says of that are made anew."""
    heads = [forger.lines[at] for at in forger.all("head")]
    payloads = [parse(split_envelope(head["envelope"])[0]) for head in heads]
    at = next(at for at, head in enumerate(payloads) if head["tree"]["month"] == line["month"])
    size, place, made = payloads[at]["tree"]["size"], line["leaf"], {}
    if line["type"] == "audit":
        digest = entry_hash(line)
    else:
        begin, _ = forger.block(forger.lines.index(line))
        digest = leaf_hash(forger, forger.lines[begin]["id"], line)
    made[place, place + 1] = digest
    for (beside, whole), other in zip(ranges_of(size, place), line["proof"]):
        other = bytes.fromhex(other)
        digest = node(digest, other) if beside[0] > place else node(other, digest)
        made[whole] = digest
    for other in forger.lines:
        if "leaf" in other and other["month"] == line["month"]:
            parts = [beside for beside, _ in ranges_of(size, other["leaf"])]
            other["proof"] = [made[part].hex() if part in made else old for part, old in zip(parts, other["proof"])]
    payloads[at]["tree"]["root"] = digest.hex()
    if at + 1 < len(heads):
        payloads[at + 1]["previous"]["root"] = digest.hex()
    for head, payload in zip(heads[at:at + 2], payloads[at:at + 2]):
        head["envelope"] = forger.sign(PURPOSES["head"], payload)


def left_of(hashes):
    return 1 << (len(hashes) - 1).bit_length() - 1


def root_of(hashes):
    """RFC 6962, 2.1."""
    if len(hashes) == 1:
        return hashes[0]
    left = left_of(hashes)
    return node(root_of(hashes[:left]), root_of(hashes[left:]))


def path_of(hashes, at):
    """RFC 6962, 2.1.1."""
    if len(hashes) == 1:
        return []
    left = left_of(hashes)
    if at < left:
        return path_of(hashes[:left], at) + [root_of(hashes[left:])]
    return path_of(hashes[left:], at - left) + [root_of(hashes[:left])]


def subproof(size, hashes, is_whole):
    """RFC 6962, 2.1.2."""
    if size == len(hashes):
        return [] if is_whole else [root_of(hashes)]
    left = left_of(hashes)
    if size <= left:
        return subproof(size, hashes[:left], is_whole) + [root_of(hashes[left:])]
    return subproof(size - left, hashes[left:], False) + [root_of(hashes[:left])]


def write_log_anew(forger):
    """A pack about everything in one month: the tree is built of what is left, and heads and receipts are signed anew."""
    require_room("employee" not in forger.pack and len(forger.all("head")) == 1)
    leaves, terminal = [], None
    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        if line["type"] in ("audit", "event"):
            leaves.append((line["leaf"], line, terminal))
    leaves.sort(key=lambda leaf: leaf[0])
    before, told = [leaf for leaf, *_ in leaves], {}
    for at, (_, line, _) in enumerate(leaves):
        line["leaf"] = at
    hashes = leaf_hashes(forger)
    for at, (_, line, terminal) in enumerate(leaves):
        line["proof"] = [digest.hex() for digest in path_of(hashes, at)]
        if line["type"] == "event":
            told[terminal, parse(line["json"])["seq"]] = at, sha256(line["json"].encode()).hex()
    root = root_of(hashes).hex()
    forger.sign_anew(forger.last("head"), "mngntime/v1/log-head",
                     lambda head: head["tree"].update(size=len(hashes), root=root))
    named, terminal = {}, None

    def receipt_anew(receipt):
        if receipt.get("log"):
            size = sum(place < receipt["log"]["size"] for place in before)
            receipt["log"].update(size=size, root=root_of(hashes[:size]).hex())
            named[size] = dict(receipt["log"])
        items = [item for item in receipt["items"] if not item["stored"] or (terminal, item["seq"]) in told]
        for item in items:
            if item["stored"]:
                item["log"]["leaf"], item["hash"] = told[terminal, item["seq"]]
        receipt["items"] = items

    for line in forger.lines:
        terminal = line["id"] if line["type"] == "terminal" else terminal
        if line["type"] == "receipt":
            forger.sign_anew(line, "mngntime/v1/receipt", receipt_anew)
    forger.lines = [line for line in forger.lines if line["type"] != "earlier"]
    at = forger.lines.index(forger.last("head")) + 1
    proof = lambda size: [digest.hex() for digest in subproof(size, hashes, True)]
    forger.lines[at:at] = [{"type": "earlier", "tree": tree, "proof": proof(size)} for size, tree in sorted(named.items())]
    forger.judge_anew()


def moved(archive, before):
    """An archive behind other bytes, its list of contents saying where its files are now."""
    begin = int.from_bytes(archive[-6:-2], "little")
    listed, at = bytearray(archive[begin:-22]), 0
    while at < len(listed):
        place = int.from_bytes(listed[at + 42:at + 46], "little")
        listed[at + 42:at + 46] = (place + len(before)).to_bytes(4, "little")
        lengths = [int.from_bytes(listed[at + field:at + field + 2], "little") for field in (28, 30, 32)]
        at += 46 + sum(lengths)
    end = archive[-22:-6] + (begin + len(before)).to_bytes(4, "little") + archive[-2:]
    return before + archive[:begin] + bytes(listed) + end

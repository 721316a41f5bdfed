#!/usr/bin/env python3
"""Packs of terminals to which everything happens: what the second verifier says of their days, the first one must say, too.

Tests only: usage `stories.py KEY DIRECTORY FIRST-SEED LAST-SEED`, KEY being the file with the 32 bytes of a server's secret
key. Each seed makes one pack, in which a terminal's events come in an order, with causes, bounds, clocks, holes and hidden
numbers that no PC would think of together; the days are those of `days.py`. And each of `ODD` makes one, `odd-0.zip` and so on, in which
a terminal has signed a batch that is written as no PC of ours writes it and means the same.
"""

import base64
import random
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from days import date_of, plus, years_off
from forger import Forger, path_of, root_of
from forms import written
from verify import in_room, sha256

BEGIN = 1_795_359_600_000  # 2026-11-23 00:00 in Japan.
HOUR = 3_600_000
CAUSES = {
    "service_start": ["first_start", "in_order", "after_crash", "after_power_loss", "after_power_loss"],
    "time_change": ["by_ms:600000", "by_ms:-5000000", "by_ms:+40000", "behind_last_seen_ms:90000", "by_ms:x"],
    "gap": ["agent_absent", "could_not_store:2", "earlier_enrollment:1-3", "not_held:{a}-{b}", "unreadable:{a}-{b}",
            "rolled_back:2-3;after=1", "rolled_back:2-3", "not_held:5-2"],
    "logoff": ["power_loss", "power_loss", "clock_unreliable", None],
}
KINDS = ["service_start"] * 4 + ["service_stop", "shutdown"] * 2 + ["logon", "logoff", "logoff", "lock", "unlock", "suspend",
         "gap", "gap", "time_change", "connect", "boot"]
# What a clock may show: ends of calendars, of time zones, of the numbers themselves, and a battery that is dead.
ABSURD = [-2**63, 2**63 - 1, -70_000_000_000_000, -62_000_000_000_000, -11_644_473_600_000, -620_000_000_000, 0, -32_400_001,
          1_230_768_000_000, 32_503_647_600_000, 253_402_207_200_000, 253_500_000_000_000]
PUBLIC_KEY = "6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw="


def story(chance):
    """Number, event, and how it came: received_at, resent, clock_offset_ms."""
    wall, number, boot, said = BEGIN + chance.randrange(48) * HOUR, chance.choice([1, 1, 4]), 1, []
    received, offset, steps = wall, 0, chance.choice([[1], [1, 1, 1, 2, 5]])
    pauses = chance.choice([[0, 1, 70_000, HOUR, 5 * HOUR, 14 * HOUR], [HOUR, 9 * HOUR, -HOUR, -200_000, -40 * HOUR]])
    for _ in range(chance.randrange(1, 24)):
        kind = chance.choice(KINDS)
        wall += chance.choice(pauses)
        boot += kind == "service_start" and chance.random() < 0.6
        if chance.random() < 0.7:
            offset = chance.choice([0, 0, 0, 1200, 299_999, 300_000, 300_001, -400_000, 30 * HOUR, 400 * 24 * HOUR])
            received = wall + offset + chance.choice([0, 5, HOUR, HOUR + 1, 30 * HOUR])
        event = {"v": 1, "seq": number, "prev": "0" * 64, "boot": f"boot-{max(1, boot - (chance.random() < 0.1))}",
                 "kind": kind, "evidence": chance.choice(["notice", "inferred"]),
                 "occurred_at": wall + chance.choice([0, 0, -HOUR, 500])}
        if chance.random() < 0.4:
            begin = wall + chance.choice([0, -HOUR, -9 * HOUR, -60_000])
            event["bounds"] = [begin, begin + chance.choice([0, 1, HOUR, 30 * HOUR, 60_001])]
        shown = chance.choice(ABSURD) if chance.random() < 0.06 else wall
        if shown != wall:
            event["occurred_at"] = chance.choice([shown, wall, *ABSURD])
            offset = chance.choice([0, plus(received, -shown)])
        event["recorded_at"] = {"wall": shown, "offset": 32400, "biased": 1, "unbiased": 1}
        if kind in ("logon", "logoff"):
            name = chance.choice(["hanako", "taro"])
            event["account"] = {"key": f"S-1-5-21-{name}", "domain": "EXAMPLE", "name": name}
        cause = chance.choice(CAUSES.get(kind, [None]))
        if cause:
            first = max(1, number - chance.randrange(6))
            event["cause"] = cause.format(a=first, b=first + chance.randrange(4))
        said.append((number, event, received, chance.random() < 0.2, offset))
        number += chance.choice(steps)
    return said


def pack_of(chance, secret):
    said = story(chance)
    is_of_one = said[0][0] > 1 or chance.random() < 0.5
    last = max([event["recorded_at"]["wall"] for _, event, *_ in said if event["recorded_at"]["wall"] not in ABSURD] or [BEGIN])
    pack = {"type": "pack", "v": 2, "contract": "demo", "contract_name": "demo", "server_key": "",
            "made_at": last + chance.choice([0, 1, HOUR - 1, HOUR, 30 * HOUR]), "program": "0"}
    if is_of_one:
        pack |= {"employee": "E1", "dates": chance.choice([["2026-11-24", "2026-11-26"], ["2020-01-01", "2099-12-31"]])}
    forger = Forger(written({**pack, "rules": {"judging": 1, "completeness": 1}}), secret)
    forger.pack["server_key"] = forger.public_key()
    if is_of_one:
        forger.lines += [{"type": "employee", "code": "E1", "name": "E1", "active": [None, None]},
                         {"type": "link", "id": "l", "account": "S-1-5-21-hanako", "employee": "E1",
                          "dates": ["2020-01-01", None], "void": False, "made": [0, "x"], "ended": None}]
    terminal = {"type": "terminal", "id": "t", "host_name": "PC", "public_key": PUBLIC_KEY, "key_class": "file",
                "enrolled_at": BEGIN + chance.randrange(60) * HOUR}
    if chance.random() < 0.5:
        terminal["last_contact_at"] = last + chance.randrange(-3, 3) * HOUR
    terminal["numbers"] = {"first": said[0][0], "last": said[-1][0]}
    leaves, events = leaves_and_lines(said, is_of_one)
    tree = {"month": "2026-11", "size": len(leaves), "root": root_of(leaves).hex()}
    head = {"v": 1, "contract": "demo", "tree": tree, "closed": False, "signed_at": pack["made_at"]}
    missing = [{"type": "missing", "first": before[0] + 1, "last": after[0] - 1}
               for before, after in zip(said, said[1:]) if before[0] + 1 < after[0]]
    forger.lines += [{"type": "head", "envelope": forger.sign("mngntime/v1/log-head", head)}, terminal, *missing, *events,
                     {"type": "end", "lines": 0}]
    forger.judge_anew()
    return forger


def front(field):
    """The same object with one more field at its front."""
    return lambda text: "{" + field + "," + text[1:]


UNNAMED = ['"zz":1,"zz":2', '"q":"\\ud800"', '"q":"\\udc00\\ud800"', '"n":' + "9" * 5000, '"n":-1e999', '"n":[-0,1.5E+3]',
           '"d":' + "[" * 3000 + "]" * 3000, '"extra":{"events":[1,{"event":3}],"kind":"logon"}', '"":null']

# What is done to an event's text, and to its batch's, and the terminal's clock when it was sent.
ODD = [(front(field), str, None) for field in UNNAMED]
ODD += [(str, front(field), None) for field in UNNAMED + ['"d":' + '{"d":' * 100_000 + "1" + "}" * 100_000]]
ODD += [(lambda text: text.replace('":', '" :\t ').replace(",", "\n, "), lambda text: text.replace("[{", " [ {\r\n"), None),
        (lambda text: text.replace('"kind"', '"\\u006bind"'), lambda text: text.replace('"events"', '"\\u0065vents"'), None),
        (str, str, -2**63), (str, str, 2**63 - 1)]


def odd_pack(secret, change_event, change_batch, wall):
    """A pack about everything of one terminal, with one event that came with the batch."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
    public = base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    clock = {"wall": BEGIN, "offset": 32400, "biased": 1, "unbiased": 1}
    event = change_event(written({"v": 1, "seq": 1, "prev": "0" * 64, "boot": "b", "kind": "service_start", "evidence": "notice",
                                  "occurred_at": BEGIN, "recorded_at": clock, "cause": "first_start"}))
    wall = BEGIN if wall is None else wall
    batch = change_batch(written({"v": 1, "contract": "demo", "terminal": "t", "sent_at": {**clock, "wall": wall}, "boot": "b",
                                  "waiting": 1, "makeup": "m", "agent": "0", "events": [{"resent": False, "event": None}]}))
    before, after = batch.rsplit("null", 1)
    payload = before + event + after
    leaves, lines = leaves_and_lines([(1, event, BEGIN + 5, False, plus(BEGIN + 5, -wall))], False)
    pack = {"type": "pack", "v": 2, "contract": "demo", "contract_name": "demo", "server_key": "", "made_at": BEGIN + HOUR,
            "program": "0", "rules": {"judging": 1, "completeness": 1}}
    forger = Forger(written(pack), secret)
    forger.pack["server_key"] = forger.public_key()
    tree = {"month": "2026-11", "size": 1, "root": root_of(leaves).hex()}
    head = {"v": 1, "contract": "demo", "tree": tree, "closed": False, "heads": 1, "signed_at": BEGIN + HOUR}
    signature = key.sign(b"mngntime/v1/batch\0" + payload.encode())
    forger.lines += [{"type": "head", "envelope": forger.sign("mngntime/v1/log-head", head)},
                     {"type": "terminal", "id": "t", "host_name": "PC", "public_key": public, "key_class": "file",
                      "enrolled_at": BEGIN, "numbers": {"first": 1, "last": 1}}, *lines,
                     {"type": "batch", "digest": sha256(payload.encode()).hex(),
                      "signature": base64.b64encode(signature).decode(), "frame": [before, 1, after]}, {"type": "end", "lines": 0}]
    forger.judge_anew()
    return forger


def somebody_elses(said):
    """Numbers that a pack about hanako, who came in 2020, does not show: of other times by the server's clock, too, where hers
    was years off, as far as what is shown tells."""
    hidden = {number for number, event, *_ in said if event.get("account", {}).get("name") == "taro"}
    while True:
        right = years_off([(event, received, offset) for number, event, received, _, offset in said if number not in hidden])
        more = {number for number, event, *_ in said if event.get("account", {}).get("name") == "hanako"
                and max(date_of(at).isoformat() for at in (event["occurred_at"], right.get(number, event["occurred_at"])))
                < "2020-01-01"} - hidden
        if not more:
            return hidden
        hidden |= more


def leaves_and_lines(said, is_of_one):
    leaves, lines = [], []
    hidden = somebody_elses(said) if is_of_one else set()
    for number, event, received, resent, offset in said:
        text = event if isinstance(event, str) else written(event)
        came = {"received_at": received, "resent": resent, "clock_offset_ms": offset}
        leaf = {"v": 1, "contract": "demo", "terminal": "t", "seq": number, "hash": sha256(text.encode()).hex(), **came}
        leaves.append(sha256(b"\0" + written(leaf).encode()))
        what = {"type": "hidden", "seq": number, "hash": leaf["hash"]} if number in hidden else {"type": "event", "json": text}
        lines.append({**what, "month": "2026-11", "leaf": len(leaves) - 1, **came})
    for line in lines:
        line["proof"] = [digest.hex() for digest in path_of(leaves, line["leaf"])]
    return leaves, lines


def main():
    key, directory, first, last = sys.argv[1:]
    secret, count = Path(key).read_bytes(), 0
    for seed in range(int(first), int(last) + 1):
        forger = pack_of(random.Random(seed), secret)
        count += len(forger.all("day"))
        Path(directory, f"{seed}.zip").write_bytes(forger.sealed(forger.archive()))
    for at, odd in enumerate(ODD):
        forger = odd_pack(secret, *odd)
        Path(directory, f"odd-{at}.zip").write_bytes(forger.sealed(forger.archive()))
    Path(directory, "key.pub").write_text(forger.public_key() + "\n", encoding="ascii")
    print(f"days={count} odd={len(ODD)}")


if __name__ == "__main__":
    in_room(main)

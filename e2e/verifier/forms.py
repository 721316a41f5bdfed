"""The forms of docs/protocol/evidence.md: which fields a line has, in which order, and what may stand in them."""

import json
import re
from collections import Counter
from datetime import date


class Bad(Exception):
    """Something that cannot be in an honest pack."""


def require(holds, what):
    if not holds:
        raise Bad(what)


class Fields(dict):
    """An object; `doubled` are the fields that stand in it more than once."""
    doubled = frozenset()


def loosely(pairs):
    fields = Fields(pairs)
    if len(fields) < len(pairs):
        names = Counter(name for name, _ in pairs)
        fields.doubled = frozenset(name for name, count in names.items() if count > 1)
    return fields


def whole(digits):
    """A whole number; what no field of ours may be is a float."""
    return int(digits) if len(digits) <= 20 and digits != "-0" else float(digits)


def no_number(word):
    raise Bad(f"{word} is not JSON")


WIRE = json.JSONDecoder(object_pairs_hook=loosely, parse_int=whole, parse_constant=no_number)
SPACE = re.compile("[ \\t\\n\\r]*")
CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")


def parse(text):
    """JSON as it travels on the wire, where anything may stand in fields that have no form (`fits`)."""
    return WIRE.decode(text)


def parse_strictly(text):
    """JSON in which no field stands twice."""
    value = parse(text)
    left = [value]
    while left:
        inner = left.pop()
        require(not getattr(inner, "doubled", None), "a field stands twice")
        left += inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
    return value


def texts_of(text):
    """The exact texts of an array's items, or of an object's fields by their names."""
    skip, at, found = lambda at: SPACE.match(text, at).end(), SPACE.match(text, 1).end(), []
    while text[at] not in "]}":
        name = None
        if text[0] == "{":
            name, at = WIRE.raw_decode(text, at)
            at = skip(skip(at) + 1)
        begin, (_, at) = at, WIRE.raw_decode(text, at)
        found.append((name, text[begin:at]))
        at = skip(at)
        at = skip(at + 1) if text[at] == "," else at
    return dict(found) if text[0] == "{" else [item for _, item in found]


def written(value):
    """The one way in which it is written."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def natural(value):
    return type(value) is int and 0 <= value < 2**64


def small(value):
    return natural(value) and value < 2**32


def byte(value):
    return natural(value) and value < 2**8


def number(value):
    """Of an event."""
    return natural(value) and 0 < value < 2**63


def integer(value):
    return type(value) is int and -2**63 <= value < 2**63


def text(value):
    return type(value) is str and re.search("[\ud800-\udfff]", value) is None


def short(most):
    """A text of so many characters at most, none of which controls anything."""
    return lambda value: text(value) and len(value) <= most and not CONTROL.search(value)


def full(most):
    return lambda value: short(most)(value) and value != ""


def boot(value):
    return text(value) and re.fullmatch("[!-~]{1,64}", value) is not None


def one_of(words):
    return lambda value: text(value) and value in words.split()


def interval(value):
    return fits(value, [integer, integer]) and value[0] <= value[1]


def boolean(value):
    return type(value) is bool


def digest(value):
    return text(value) and re.fullmatch("[0-9a-f]{64}", value) is not None


def day(value):
    return text(value) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and bool(date.fromisoformat(value))


def month(value):
    return text(value) and day(value + "-01")


def none(value):
    return value is None


def either(*forms):
    return lambda value: any(fits(value, form) for form in forms)


def many(form):
    return lambda value: type(value) is list and all(fits(item, form) for item in value)


def fits(value, form):
    """A list has these items, an object these fields, each once, of which one with `?` may be absent and others are ignored,
    whatever stands in them."""
    if isinstance(form, list):
        return type(value) is list and len(value) == len(form) and all(map(fits, value, form))
    if isinstance(form, dict):
        names = {name.rstrip("?"): name for name in form}
        there = isinstance(value, dict) and all(name in value or named.endswith("?") for name, named in names.items())
        there = there and not value.doubled & names.keys()
        return there and all(fits(value[name], form[named]) for name, named in names.items() if name in value)
    return bool(form(value))


def fits_exactly(value, form):
    """The same, with no other fields and in this order."""
    return fits(value, form) and list(value) == [name for name in (n.rstrip("?") for n in form) if name in value]


ACT = [integer, text]
NUMBERS = {"first": natural, "last": natural}
MAYBE_TEXT = either(none, text)
PROOF = many(digest)
TREE = {"month": month, "size": natural, "root": digest}
PLACE = {"month": text, "leaf": natural, "received_at": integer, "resent": boolean, "clock_offset_ms": integer,
         "proof": PROOF}

def true(value):
    return value is True


MARKS = {"conflict?": true, "makeup_changed?": true, "rolled_back_at?": integer, "cloned_at?": integer}

LINES = {
    "pack": {"v": small, "contract": text, "contract_name": text, "server_key": text, "made_at": integer,
             "program": text, "employee?": text, "dates?": [day, day],
             "night_minutes?": lambda value: natural(value) and value <= 720,
             "rules": {"judging": small, "completeness": small}},
    "employee": {"code": text, "name": text, "active": [either(none, text), either(none, text)]},
    "account": {"key": text, "names": many([integer, text, text, either(none, text)])},
    "link": {"id": text, "account": text, "employee": text, "dates": [text, either(none, text)], "void": boolean,
             "made": ACT, "ended": either(none, ACT)},
    "head": {"envelope": text},
    "earlier": {"tree": TREE, "proof": PROOF},
    "audit": {"json": text, "month": text, "leaf": natural, "proof": PROOF},
    "terminal": {"id": text, "host_name": text, "public_key": text, "key_class": text, "enrolled_at": integer,
                 "last_contact_at?": integer, "marks?": MARKS, "numbers": NUMBERS},
    "missing": NUMBERS,
    "retired": {"first": natural, "last": natural, "month": month, "retired_at": integer, "happened": [integer, integer]},
    "event": {"json": text, **PLACE},
    "hidden": {"seq": natural, "hash": digest, **PLACE},
    "batch": {"digest": digest, "signature": text, "frame": many(either(natural, text))},
    "receipt": {"envelope": text},
    "judgement": {"seq": natural, "number": natural, "judged_at": integer, "res?": byte, "why": text, "by": text},
    "day": {"date": day, "span": [integer, integer], "state": text, "late": natural,
            "parts": many([integer, integer, text])},
    "end": {"lines": natural},
}
# Objects in lines whose fields stand in this order, too.
INNER = {"pack": {"rules": LINES["pack"]["rules"]}, "earlier": {"tree": TREE}, "terminal": {"marks": MARKS, "numbers": NUMBERS}}

SEAL = {"v": small, "contract": text, "sealed_at": integer, "bytes": natural, "sha256": digest}
HEAD = {"v": small, "contract": text, "tree": TREE, "closed": boolean, "previous?": either(none, TREE), "heads?": either(none, natural), "signed_at": integer}
ENTRY = {"v": small, "contract": text, "number": natural, "at": integer, "by": text, "action": text, "object": text,
         "detail": lambda value: isinstance(value, dict)}
RETIRED_MONTH = {"month": month, "size": natural, "root": digest, "events": natural, "first_date": day,
                 "last_date": day, "retention_years": byte}
RETIRED_NUMBERS = {"month": month, "numbers": many({"terminal": text, "first": natural, "last": natural,
                                                    "first_at": integer, "last_at": integer})}
ENROLLED = {"terminal": text, "public_key": text, "key_class": text, "host_name": text, "os": text, "makeup": text,
            "agent_version": text, "enrollment_key?": either(none, natural)}
LINKED = {"link": text, "account": text, "employee": text, "from": text, "to?": MAYBE_TEXT, "void": boolean,
          "because?": MAYBE_TEXT, "allowed_by?": MAYBE_TEXT}
RENAMED = {"id": text, "code_before": text, "code": text, "name": text, "kana?": MAYBE_TEXT, "department?": MAYBE_TEXT,
           "active_from?": MAYBE_TEXT, "active_to?": MAYBE_TEXT, "upn?": MAYBE_TEXT, "sid?": MAYBE_TEXT}

KINDS = """logon logoff lock unlock connect disconnect suspend resume boot shutdown time_change service_start service_stop gap
           display_off display_on"""
EVIDENCE = "notice reconciled found_at_start back_filled inferred script"
EVENT_BYTES_MAX = 16 * 1024
MOMENT = {"wall": integer, "offset": lambda value: integer(value) and -2**31 <= value < 2**31, "biased": natural,
          "unbiased": natural}
EVENT = {"v": lambda value: natural(value) and value == 1, "seq": number, "prev": digest, "boot": boot,
         "kind": one_of(KINDS), "evidence": one_of(EVIDENCE), "occurred_at": integer, "bounds?": either(none, interval),
         "recorded_at": MOMENT, "session?": either(none, {"boot": boot, "id": short(256), "logon": short(256)}),
         "account?": either(none, {"key": full(320), "domain": short(320), "name": full(320), "upn?": either(none, short(320))}),
         "remote?": either(none, boolean), "client?": either(none, short(256)), "cause?": either(none, short(256)),
         "supersedes?": either(none, number)}
BATCH = {"v": small, "contract": text, "terminal": text, "sent_at": MOMENT, "boot": text, "waiting": natural, "makeup": text,
         "agent": text, "events": many({"resent": boolean, "event": lambda _: True})}
RECEIPT = {"v": small, "request": text, "terminal": text, "received_at": integer, "refused?": either(none, byte),
           "items": many({"seq": natural, "hash": text, "stored": boolean, "res?": either(none, byte),
                          "log?": either(none, {"month": text, "leaf": natural})}),
           "head": natural, "missing?": many([natural, natural]), "spread_seconds": small, "contact_seconds": small,
           "display_name": text, "log?": either(none, {"month": text, "size": natural, "root": text}),
           "contract?": MAYBE_TEXT}


def is_event(json_text, event):
    """The bytes of an event, and what stands in it, as the wire contract has it."""
    whole = len(json_text.encode()) <= EVENT_BYTES_MAX and fits(event, EVENT)
    whole = whole and (event["kind"] not in ("logon", "logoff") or event.get("account") is not None)
    return whole and (event.get("supersedes") is None or event["supersedes"] < event["seq"])


def read_line(line):
    """The kind and the fields of a line."""
    value = parse_strictly(line)
    require(written(value) == line, "form of a line")
    require(isinstance(value, dict) and list(value)[:1] == ["type"] and value["type"] in LINES, "kind of a line")
    kind = value.pop("type")
    require(fits_exactly(value, LINES[kind]), f"fields of a line of the kind {kind}")
    inner = INNER.get(kind, {})
    require(all(fits_exactly(value[name], form) for name, form in inner.items() if name in value), f"fields within a {kind}")
    return kind, value

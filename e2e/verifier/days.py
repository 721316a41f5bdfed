"""What is known of a terminal's days: the section "Days" of docs/protocol/evidence.md, word for word."""

import re
from datetime import date, timedelta

DAY_MS = 86_400_000
JAPAN_MS = 9 * 3_600_000
LONGEST = 6 * 366
EPOCH = date(1970, 1, 1).toordinal()
# What an event's time must lie in to begin a terminal's days.
RECORDED = range(0, date(2999, 12, 31).toordinal() - EPOCH + 1)
EARLIEST, LATEST = -2**63, 2**63 - 1
WRONG_CLOCK_MS = 300_000
YEARS_MS = 366 * DAY_MS
# 2026-01-01: a server whose clock shows less has lost it itself.
SERVER_CLOCK_FROM = 1_767_225_600_000
BACK_MS = 60_000
LATE_MS = 3_600_000
PAUSE_MS = 3_600_000
AFTER_START = 20

# From the best to the worst: of two about the same time the later one counts.
STATES = {
    "watched": "observed", "shut_down": "observed", "off": "observed", "between_contacts": "observed",
    "agent_stopped": "agent_off", "agent_absent": "agent_off", "retired": "retired",
    "power_lost": "unknown", "records_lost": "unknown", "numbers_missing": "unknown", "clock_doubted": "unknown",
    "silent_since_shutdown": "unknown", "silent": "unknown", "before_first_start": "unknown",
}
REASONS = list(STATES)
WORST = ["observed", "agent_off", "retired", "unknown"]

DECLARED = re.compile(r"(unreadable|not_held|earlier_enrollment|rolled_back):([0-9]+)-([0-9]+)(;after=[0-9]+)?")


def plus(time, milliseconds):
    return max(EARLIEST, min(LATEST, time + milliseconds))


def day_of(time):
    """The day in Japan, counted from 1970-01-01."""
    return (time + JAPAN_MS) // DAY_MS


def number_of(day):
    return day.toordinal() - EPOCH


def date_of_day(number):
    """Before the year 1 and after 9999 the nearest date."""
    return date.fromordinal(max(1, min(number + EPOCH, date.max.toordinal())))


def date_of(time):
    """The date in Japan."""
    return date_of_day(day_of(time))


def midnight_of(day):
    return (day - date(1970, 1, 1)).days * DAY_MS - JAPAN_MS


def declared(event):
    """Word, first and last number of what a gap declares; None when it declares no numbers."""
    found = event["kind"] == "gap" and DECLARED.fullmatch(event.get("cause") or "")
    if not found:
        return None
    word, first, last, after = found.groups()
    holds = 0 < int(first) <= int(last) and (after is not None) == (word == "rolled_back")
    return (word, int(first), int(last)) if holds else None


class Story:
    """An event with its times, and how it came."""

    def __init__(self, event, received_at, offset):
        self.event, self.received_at, self.offset = event, received_at, offset
        self.occurred, self.recorded = event["occurred_at"], event["recorded_at"]["wall"]
        self.bounds, self.cause = event.get("bounds"), event.get("cause") or ""

    def spans_a_step(self):
        return self.bounds is not None and self.bounds[1] > plus(self.event["recorded_at"]["wall"], BACK_MS)


def offsets(stories):
    """How far the PC's clock was off at each event, the last one first."""
    set_by = {}
    for story in reversed(stories):
        came, by = story.received_at, set_by.get(story.received_at, 0)
        yield story, 0 if by is None else plus(story.offset, by)
        if story.event["kind"] == "time_change" and "account" not in story.event:
            amount = re.fullmatch(r"by_ms:([+-]?[0-9]+)", story.cause)
            if story.cause.startswith("behind_last_seen_ms:"):
                set_by[came] = None
            elif amount and by is not None and EARLIEST <= int(amount[1]) <= LATEST:
                set_by[came] = plus(by, int(amount[1]))


def years_off(events):
    """When, by the server's clock, each event happened that a clock years off has stamped: by their numbers."""
    right = {}
    for story, offset in offsets([Story(*event) for event in events]):
        at = story.bounds[1] if story.spans_a_step() else plus(story.occurred, offset)
        is_years = YEARS_MS < abs(offset) < LATEST and story.received_at >= SERVER_CLOCK_FROM
        if is_years and at <= plus(story.received_at, WRONG_CLOCK_MS):
            right[story.event["seq"]] = at
    return right


def set_right(stories):
    """Times by the server's clock, where the PC's was off."""
    for story, offset in offsets(stories):
        offset = offset if abs(offset) > WRONG_CLOCK_MS else 0
        story.recorded = plus(story.recorded, offset)
        story.occurred = plus(story.occurred, offset)
        if story.spans_a_step():
            story.bounds = [story.bounds[1], max(story.recorded, story.bounds[1])]
        elif story.bounds is not None:
            story.bounds = [plus(bound, offset) for bound in story.bounds]
        story.offset = story.offset if offset == 0 else 0


class Timeline:
    """`events` are the shown ones as (event, received_at, clock_offset_ms), all by ascending numbers."""

    def __init__(self, events, missing, hidden, retired, last_contact_at, made_at):
        self.said, self.missing, self.hidden = [], missing, hidden
        stories = [Story(*event) for event in events]
        set_right(stories)
        self.late = [s.recorded for s in stories if s.received_at - plus(s.recorded, s.offset) > LATE_MS]
        losses = [declared(event) for event, _, _ in events]
        self.losses = [loss[1:] for loss in losses if loss and loss[0] != "rolled_back"]
        self.say_missing(stories)
        self.say_retired(stories, retired)
        self.follow(stories, last_contact_at, made_at)
        self.known = self.worst()

    def say(self, begin, end, why):
        if begin < end:
            self.said.append((begin, end, why))

    def is_declared(self, first, last):
        return any(begin <= first and last <= end for begin, end in self.losses)

    def say_missing(self, stories):
        for first, last in self.missing:
            if self.is_declared(first, last) or not stories:
                continue
            before = [s.recorded for s in stories if s.event["seq"] < first][-1:]
            after = [s.recorded for s in stories if s.event["seq"] > last][:1]
            begin, end = (before or after)[0], (after or before)[0]
            self.say(min(begin, end), plus(max(begin, end), 1), "numbers_missing")

    def say_retired(self, stories, retired):
        for gone in retired:
            before = [s.recorded for s in stories if s.event["seq"] < gone["first"]][-1:]
            after = [s.recorded for s in stories if s.event["seq"] > gone["last"]][:1]
            begin, end = (before or gone["happened"][:1])[0], (after or gone["happened"][1:])[0]
            self.say(min(begin, end), plus(max(begin, end), 1), "retired")

    def say_gap(self, story):
        if story.event["kind"] != "gap":
            return
        told = declared(story.event)
        if told and told[0] == "earlier_enrollment":
            return
        begin, end = story.bounds or (story.occurred, plus(story.occurred, 1))
        lost = told or story.cause.startswith("could_not_store:")
        self.say(begin, end, "records_lost" if lost else "agent_absent")

    def follow(self, stories, last_contact_at, made_at):
        boot = stopped = announced = last_sign = cut_off = None
        latest_end = EARLIEST
        for number, story in enumerate(stories):
            self.say_gap(story)
            kind, is_start = story.event["kind"], story.event["kind"] == "service_start"
            if number > 0 and is_start:
                self.say_between(story, last_sign, stopped, announced)
                if plus(last_sign, WRONG_CLOCK_MS) < latest_end:
                    self.say(latest_end, story.occurred, "clock_doubted")
                latest_end = max(latest_end, last_sign)
                self.say_unsaid(story, last_sign)
            if number == 0 or is_start:
                boot, last_sign, stopped, announced = story.event["boot"], story.recorded, False, False
                cut_off = is_start and story.cause == "after_power_loss"
            elif story.event["boot"] == boot:
                is_by_power = story.cause == "power_loss" or cut_off and story.cause == "clock_unreliable"
                if story.event["evidence"] == "inferred" and kind == "logoff" and is_by_power:
                    self.say(*(story.bounds or (0, 0)), "power_lost")
                if not stopped:
                    self.say(last_sign, story.recorded, "watched")
                last_sign = max(last_sign, story.recorded)
                goes_on = kind in ("logon", "unlock", "connect", "suspend")
                announced = kind == "shutdown" or (announced and not goes_on)
                stopped = stopped or kind == "service_stop"
        if stories and stopped:
            self.say(last_sign, made_at, "silent_since_shutdown" if announced else "agent_stopped")
        elif stories:
            heard = min(max(last_sign if last_contact_at is None else last_contact_at, last_sign), made_at)
            self.say(last_sign, heard, "watched")
            self.say(heard, made_at, "between_contacts" if made_at - heard < PAUSE_MS else "silent")

    def say_between(self, start, last_sign, stopped, announced):
        if stopped:
            why = "shut_down" if announced else "agent_stopped"
        else:
            why = "off" if start.cause == "after_power_loss" else "watched"
        self.say(last_sign, start.occurred, why)

    def say_unsaid(self, start, last_sign):
        """What would stand in the events right after a start, of which some are not there."""
        first, beyond = start.event["seq"], start.event["seq"] + AFTER_START
        gone = [(begin, end) for begin, end in self.missing if end >= first][:1]
        if gone and first <= gone[0][0] < beyond and not self.is_declared(*gone[0]):
            self.say(last_sign, start.occurred, "numbers_missing")
        if start.cause == "after_power_loss" and any(first <= number < beyond for number in self.hidden):
            self.say(last_sign, start.occurred, "power_lost")

    def worst(self):
        """One line out of all that was said: begin, end and reason, in order and without holes."""
        edges = [(begin, why, 1) for begin, _, why in self.said] + [(end, why, -1) for _, end, why in self.said]
        edges.sort(key=lambda edge: edge[0])
        known, is_open = [], dict.fromkeys(REASONS, 0)
        for (time, why, change), (until, _, _) in zip(edges, edges[1:]):
            is_open[why] += change
            if time < until:
                worst = [reason for reason in REASONS if is_open[reason]] or ["silent"]
                push(known, time, until, worst[-1])
        return known

    def day(self, begin, end):
        """State, events that were late, and parts."""
        parts = []
        known = self.known or [(end, end, "silent")]
        cut = [(EARLIEST, known[0][0], "before_first_start"), *known, (known[-1][1], LATEST, "silent")]
        for since, until, why in cut:
            if max(since, begin) < min(until, end):
                push(parts, max(since, begin), min(until, end), why)
        after_shutdown = parts[:1] + [part for part in parts[1:] if part[2] != "silent_since_shutdown"]
        states = [STATES[part[2]] for part in after_shutdown] or ["unknown"]
        late = sum(begin <= time < end for time in self.late)
        return max(states, key=WORST.index), late, [list(part) for part in parts]


def push(parts, begin, end, why):
    if parts and parts[-1][2] == why:
        begin = parts.pop()[0]
    parts.append((begin, end, why))


def days_told(terminal, events, dates, made_at):
    """The first day that a terminal has of those asked for, and the first and last one of which its `day` lines tell."""
    stories = [Story(*event) for event in events]
    set_right(stories)
    recorded = [day_of(story.recorded) for story in stories]
    first = min([day_of(terminal["enrolled_at"])] + [day for day in recorded if day in RECORDED])
    made = day_of(made_at - 1)
    begin, end = [number_of(date.fromisoformat(day)) for day in dates] if dates else (first, made)
    begin, end = max(begin, first), min(end, made)
    return begin, max(begin, end - LONGEST + 1), end


def days(terminal, events, missing, hidden, retired, dates, made_at):
    """The `day` lines of a terminal."""
    timeline = Timeline(events, missing, hidden, retired, terminal.get("last_contact_at"), made_at)
    _, first, last = days_told(terminal, events, dates, made_at)
    for day in map(date_of_day, range(first, last + 1)):
        begin = midnight_of(day)
        end = min(begin + DAY_MS, made_at)
        state, late, parts = timeline.day(begin, end)
        yield {"type": "day", "date": day.isoformat(), "span": [begin, end], "state": state, "late": late,
               "parts": parts}

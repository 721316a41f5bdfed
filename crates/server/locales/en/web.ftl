# Texts of the administration pages. Keys and variables are those of ja/web.ftl (a test compares them).
skip = Skip to content
contract = Contract:
nav-label = Main
nav-punches = Punch log
nav-employees = Employees
nav-accounts = Windows users
nav-terminals = Terminals
nav-departments = Departments
nav-administrators = People and roles
lang-label = Language
menu-of = {" "}(menu)
sign-out = Sign out
foot-time = Server time
foot-help = Help
foot-idle = You are signed out after { $n } minutes without activity.
tagline = Logon/logoff attendance record
search = Search
close = Close
cancel = Cancel
reload = Reload
to-start = To the start page
none = None
not-linked = Not linked
outside-link = Outside dates
list-comma = {", "}
shown-terminals = { $shown } of { $total }
next-page = Next 50
previous-page = Previous 50
shown = { $n } shown
seconds = { $n } s
days-off = { $n } days
text-too-long = Use at most { $n } characters, without control characters.
text-unseen = Characters that nobody sees cannot be used: { $signs }.

## Roles
role-administrator = Administrator
role-hr = HR
role-it = IT
role-auditor = Auditor
role-operator = Operator
role-approver = Approver
role-employee = Employee

## Signing in
login-title = Sign in
login-user = User name
login-password = Password
login-failed = Could not sign in.
login-failed-text = Check the user name and password. After several failures, sign-in is closed for a while.

## People without a contract
elsewhere-start = Start
elsewhere-nothing = Your role opens no page here
elsewhere-nothing-text = If you need one, ask the contract’s administrator.

## Failures
oops-next = Next step
oops-reference = Reference
oops-time = Time
oops-other-user = Sign in as someone else
oops-400 = This cannot be accepted
oops-400-text = It was not sent from this page, or it ends in the middle.
oops-400-next = Go back, open the page anew and try again.
oops-413 = Too much was sent
oops-413-text = It is larger than what is accepted. Nothing has been saved.
oops-413-next = A field takes up to 2,000 characters, and up to 500 Windows users can be registered at once. Go back, and shorten or split it.
oops-403 = You cannot open this page
oops-403-text = Your account does not have the right to see this page.
oops-403-next-hr = If you need it, ask your contract’s administrator for the HR role.
oops-403-next-it = If you need it, ask your contract’s administrator for the IT role.
oops-403-next-operator = This page belongs to the people of a contract. Operators work in Contracts and Health, and with commands on the server itself.
oops-403-next-site = This came from another site, so nothing was changed. Open the page here and try again.
oops-403-next-administrator = If you need it, ask the contract’s administrator.
oops-403-next-record = To see this record, ask the contract’s administrator to set your user down as an employee.
oops-404 = Page not found
oops-404-text = The address has changed, or the punch or terminal number is wrong.
oops-404-next = Look for it again from the punch log.
oops-500 = Server error
oops-500-text = This page could not be shown. Punches stay on the PCs until the server has confirmed that it keeps them.
oops-500-next = Wait a moment and reload. If it goes on, send the reference to your administrator.
oops-503 = The server is busy
oops-503-text = This page cannot be shown right now. Punches are kept on the PCs and sent by themselves later.
oops-503-next = Wait a moment and reload.
oops-away = The database cannot be reached
oops-away-text = This page cannot be shown right now. Punches are kept on the PCs and sent by themselves later. If you were saving something, it is not known yet whether it was saved.
oops-away-next = Wait a moment and reload. Before you save again, look whether it was saved. If it goes on, send the reference to your administrator.

## Punch log
punches-title = Logon/logoff punch log
punches-caption = Punch log, newest first
csv-utf8 = CSV (UTF-8 with BOM)
csv-shift-jis = CSV (Shift_JIS)
csv-shift-jis-text = A character that Shift_JIS cannot hold becomes 〓; the last column names it (such as U+20BB7).
csv-replaced = Replaced characters
strip-label = At a glance
strip-today = Punches today
strip-errors = Errors waiting
strip-accounts = Users with punches waiting
strip-terminals = Silent terminals
strip-logoffs =
    { $n ->
        [one] { $n } logoff
       *[other] { $n } logoffs
    }
strip-since = since { $date }
strip-wait =
    { $n ->
        [one] { $n } punch waits
       *[other] { $n } punches wait
    }
strip-hours =
    { $n ->
        [one] over { $n } hour
       *[other] over { $n } hours
    }
strip-per = today, per 30 min
strip-24 = 24h
strip-picture = Punches today over the day. Most: { $count } between { $from } and { $to }.
strip-picture-empty = No punches yet today.
filter-summary = Filters
filter-label = Punch log filters
filter-period = Period
filter-employee-hint = Code or name
filter-clear = Clear
filter-errors-only = Show error data only
filter-errors = errors only
filter-all-time = all dates
filter-bad = Check the filters.
filter-bad-date = “{ $text }” is no date.
filter-bad-period = “{ $text }” is no period.
period-today = Today
period-yesterday = Yesterday
period-week = This week
period-month = This month
period-last-month = Last month
period-with-dates = { $name } ({ $dates })
period-drop = remove the period
filter-dates-reversed = The end date lies before the start date.
filter-inferred-only = Show estimated punches only
filter-inferred = estimated only
filter-bad-how = "{ $text }" means nothing for how. inferred is estimated punches only.
nomatch-how = Show all, not only estimated ones
filter-bad-kind = “{ $text }” is no kind of punch.
filter-bad-page = The place in the list cannot be read.
filter-no-employee = No employee matches “{ $text }”.
filter-employees = Several employees match “{ $text }”. Use the employee code.
filter-alike = “{ $text }” may mean { $n } employees. Choose one.
filter-no-account = No Windows user matches “{ $text }”.
filter-accounts = Several Windows users match “{ $text }”. Write it as DOMAIN\user.
filter-no-terminal = No terminal matches “{ $text }”.
filter-no-terminal-of-theirs = No terminal in the punches you may see matches “{ $text }”.
filter-terminals = Several terminals are called “{ $text }”. Choose which one.
date-from = From
date-to = To
count =
    { $n ->
        [one] { $n } punch
       *[other] { $n } punches
    }
count-punches =
    { $n ->
        [one] { $n } stored punch
       *[other] { $n } stored punches
    }
count-errors-more = { $n } errors or more
count-errors =
    { $n ->
        [one] { $n } error
       *[other] { $n } errors
    }
count-in-period = { $count }, { $period }
col-at = Punched
col-received = Received
col-kind = Kind
col-domain = Domain
col-user = User
col-employee = Employee
col-code = Employee code
col-name = Name
col-kana = Reading
col-upn = UPN
col-department = Department
col-account = Windows user
col-terminal = Terminal
col-error = Error
col-res = res
col-message = Message
col-how = How it came
col-not-before = Not before
col-not-after = Not after
col-sequence = Number
col-present-from = Counts as coming to work
col-present-not-after = At the latest (came to work)
col-stamped = Time of the PC's clock (over a year off)
col-first-today = First logon today
col-last-seen = Last received by the server
col-waiting-punches = Waiting
col-acts = Action
col-state = Status
col-last-contact = Last contact
col-waiting = Waiting
col-version = Version
col-key = Key kept in
short-received = rec.
kind-all = All
kind-logon = Logon
kind-logoff = Logoff
how-notice = Immediate
how-resent = Re-sent
how-late = Delayed
how-future = In the future
how-clock = Server's clock
how-stamped = PC's clock: { $time }
how-clock-why = The PC's clock was more than a year off, so this stands at, and is judged by, the time that follows from the server's clock and from what the PC recorded of settings of its own. What the PC wrote is kept unchanged in the raw event. Check the PC's date and time (its battery).
how-reconciled = Reconciled
how-found = Found at start
how-back-filled = Back-filled
how-inferred = Estimated
how-script = Script
how-unattended = Unattended
unattended-since = Nobody made this logon: Windows signs the last user on by itself after an update, for example. What counts as coming to work is the first unlock, at { $time }.
unattended-still = Nobody made this logon: Windows signs the last user on by itself after an update, for example. The session has not been unlocked yet.
maru = ○ error
maru-title = See what is wrong
pick = Select:
pick-all = Select all rows shown
pick-none = Clear selection
picked = selected
bulk-hint = Tick rows to link their users to employees in one go.
link-selected = Register the selected Windows users
nomatch = No punches match
nomatch-all = Include punches without error
nomatch-period = Include all dates
notasked = Not searched yet
notasked-text = Correct the conditions as described above, or choose one of those offered.
punches-blank = No punches yet
punches-blank-text = Enrol the first PC and its logons and logoffs appear here.

## One punch
punch-title = Punch detail
drawer-page = Open as page
punch = Punch
punch-failed = Punch failed
accepted = Accepted
detail-means = What it means
detail-remedy = What to do
detail-actor = Who does it
detail-link-count =
    { $n ->
        [one] { $n } punch will be judged again
       *[other] { $n } punches will be judged again
    }
detail-waiting-count = Waiting punches of this user: { $n }
link-this = Register this Windows user
remedy-none = Nothing needs doing.
remedy-5 = Check the contract and the contract code in the configuration of { $host }. Stored punches are judged again once the contract can be used.
remedy-6 = Unblock { $host } under “Terminals”. Its stored punches are judged again at once.
remedy-7 = Link { $account } to an employee. { $count } of it will be judged again at once. Nothing needs doing on the PC.
remedy-7-left = { $account } is linked to { $who } ({ $period }), who left on { $border }; this punch is of { $date }. If somebody has taken over the PC or the user, hand it over to them. If the last day is wrong, correct it.
remedy-7-not-yet = { $account } is linked to { $who } ({ $period }), who began on { $border }; this punch is of { $date }. If the first day is wrong, correct it. If somebody else used it until then, link it to them.
remedy-7-ended = The link of { $account } to { $who } ended on { $border } ({ $period }); this punch is of { $date }. If the same person goes on using it, extend the link. If somebody has taken over, hand it over to them.
remedy-7-later = The link of { $account } to { $who } begins on { $border }; this punch is of { $date }. If the same person used it before, widen the period. If it was somebody else, link it to them.
remedy-7-clock = When this punch was received, the PC's clock was off by { $offset }. If its date is not the day on which it happened, another link mends nothing: look at the clock's offset under Terminals and set the PC's date and time. The punch stays as the PC recorded it; what really happened can be added as a remark on the day.
remedy-7-years = This punch is dated more than a year from when it was received: most likely the PC's clock (its battery) had stopped, and another link mends nothing. Set the PC's date and time. The punch stays as the PC recorded it; what really happened can be added as a remark on the day.
waits-clock-ahead = Punches dated later than they were received. Before linking, look at the clock of the PC under Terminals.
waits-left = Punches from after they left on { $date }.
waits-not-yet = Punches from before they began on { $date }.
waits-ended = Punches from after the link, which ended on { $date }.
waits-later = Punches from before the link, which begins on { $date }.
cause-left = left { $date }
cause-not-yet = began { $date }
cause-ended = linked until { $date }
cause-later = linked from { $date }
way-hand-over = Hand over to somebody else
way-same = Link to the same person
way-last-day = Correct the last day
way-first-day = Correct the first day
filter-cause = Cause of the error
filter-bad-cause = There is no cause “{ $text }”.
cause-all = All
cause-outside = Outside the dates (left, link ended …)
cause-unlinked = User not linked
cause-contract = Contract code
cause-terminal = Terminal
cause-reenrolment = Terminal waits for re-enrolment
cause-failure = Server error
remedy-8 = On { $host }, as administrator: stop the service, run the enrolment command (mngntime-agent enroll), start the service. Its stored punches are judged again.
remedy-9 = The PC sends it again by itself. If it goes on, tell whoever runs the server.
actor-nobody = Nobody
actor-hr = HR (anyone who can use this screen)
actor-it = The contract’s IT administrator
actor-operator = Whoever runs the server
history = History of judgements
history-note = The punch itself is never edited.
history-at = Time
history-result = Result
history-why = Cause
history-by = By
why-received = Received
why-judged-late = Judged again (after a server failure)
why-account-linked = Judged again (user registered)
why-account-unlinked = Judged again (user unlinked)
why-employee-changed = Judged again (employee changed)
why-terminal-unblocked = Judged again (terminal unblocked)
why-terminal-enrolled = Judged again (terminal enrolled again)
why-contract-changed = Judged again (contract changed)
why-boundary-changed = Judged again (end of nights changed)
why-link-changed = Link changed (same result)
history-moved = { $from } → { $to }
whose-nobody = no employee
whose-another = another employee
by-server = Server
by-command-line = Command on the server
by-login = user “{ $login }”
raw = Raw event
raw-note = as the terminal signed it
offset = Clock offset
offset-ahead = (terminal ahead)
offset-behind = (terminal behind)
offset-warning = Over 60 seconds. Check the time synchronization of the terminal.
receipt = Receipt
receipt-ok = Signature verified
receipt-ok-note = Checked when this page was made: the signature of this server’s key, and the event’s hash and place in the log.
receipt-absent = No receipt found
receipt-absent-note = The server has no receipt of this time of receipt that calls this event stored.
receipt-wrong = Receipt does not fit
receipt-wrong-note = The receipt was not signed by this server’s key, or names another hash, time or place in the log than the event has.
receipt-todo = Make an evidence file, verify it, and tell the operator of the server. The PC keeps its own copy of the receipt.
receipt-todo-own = Make an evidence file and tell human resources. The PC keeps its own copy of the receipt.
receipt-evidence = Make an evidence file
receipt-at = Received
receipt-digest = Hash
account-key = SID

## Registering users
link-title = Register Windows users
link-sub =
    { $n ->
        [one] { $n } user in the selected rows
       *[other] { $n } users in the selected rows
    }
link-nothing = No rows are selected.
link-nothing-text = Tick the rows of the users to register, then press the button again.
link-invalid =
    { $n ->
        [one] Nothing has been registered yet. Mend { $n } place.
       *[other] Nothing has been registered yet. Mend { $n } places.
    }
link-waiting = Punches waiting
link-punches = { "" }
link-first = First
link-last = Last
link-to = Employee
link-existing = Existing employee
link-new = New employee
link-employee-hint = Employee code or name
link-field-employee = Employee
link-choose-employee = Choose an employee.
link-code-taken = { $code } belongs to { $name }. Choose “Existing employee”, or use another code.
link-shared = Used on { $n } PCs. If it is a shared account, leave it out.
link-period = Valid
date-to-open = To (empty: no end)
link-no-start = Enter a start date.
link-open-end = Leave the end empty for no end.
link-skip = Leave out this time
link-overlaps = Part of this period is linked to an employee already. Change the dates, or use “Register it as a hand-over” below.
link-taken = Part of this period is linked to { $who } ({ $period }).
link-hand-over = Register it as a hand-over
link-stays-before = The link of { $who }, who is not employed in this period, ends on { $last }.
link-stays-after = The link of { $who }, who is not employed in this period, begins on { $first } instead.
link-stays-both = The link of { $who }, who is not employed in this period, ends on { $last } and begins again on { $first }.
link-stays-not = The link of { $who }, who is not employed in this period, is taken back.
link-refused = Could not be registered. Check the input.
link-sum =
    { $n ->
        [one] { $value } punch waits. The next page says whether it is judged again.
       *[other] { $value } punches wait. The next page says how many are judged again.
    }
link-preview = Check
link-judges =
    { $n ->
        [one] { $value } punch will be judged again.
       *[other] { $value } punches will be judged again.
    }
link-done =
    { $users ->
        [one] { $users } user
       *[other] { $users } users
    } registered, { $punches ->
        [one] { $punches } punch
       *[other] { $punches } punches
    } judged again.
link-done-all = No punches are waiting any more.
link-done-left =
    { $n ->
        [one] { $n } punch is still waiting.
       *[other] { $n } punches are still waiting.
    }
link-done-see = See these punches
confirm-title = Confirm
confirm-back = Back to the form
confirm-caption = What will be registered
confirm-punches = Punches judged again
confirm-judged = judged again
confirm-skipped = Left out
confirm-left =
    { $n ->
        [one] {" "}The other { $n } stays an error.
       *[other] {" "}The other { $n } stay errors.
    }
confirm-nothing = There is nobody to register.
confirm-save = Register

## Employees
employees-count = { $n } employed
employees-search = Code, name or department
employees-active = Employed
employees-alone = Without user
employees-gone = Left
employees-caption = Employees
employees-none = No employees here
employees-none-text = Employees can also be added while registering users from the punch log.
found-elsewhere = { $n } in “{ $where }”
employee-add-title = Add an employee
employee-add = Add
employee-from = First day
employee-dates-reversed = The last day lies before the first day.
employee-added = { $who } has been added.
employee-taken = { $code } is taken already.
upn-help = Optional. The sign-in name in the directory (userPrincipalName), such as hanako@example.co.jp
upn-wrong = Enter it as name@domain.
sid-help = Optional. objectSid in the directory. With a UPN or SID, this employee is suggested for the Windows user that has it.
sid-wrong = Enter S-1- and then numbers with hyphens, such as S-1-5-21-1004-330-1104.
directory-held = Employee { $code } has this { $field }. If this is the same person, remove it there first.
employee-code-missing = Enter an employee code.
employee-name-missing = Enter a name.

## Accounts
accounts-note = Told apart by SID, so a renamed user stays linked.
accounts-search = User or employee
accounts-all = All
accounts-waiting = Punches waiting
accounts-limited = With an end
accounts-ended = Unlinked
accounts-caption = Windows users
accounts-by-sid-on = Users whose SID is entered at an employee are linked by themselves about a minute after their first punch. Those that somebody has to look at stay here.
accounts-by-sid-off = Users whose SID is entered at an employee can be linked by themselves, without a confirmation (now off).
accounts-by-sid-turn-on = Turn it on in the settings
accounts-none = No Windows users here
accounts-none-text = A user appears here with its first punch.
accounts-none-search = No Windows user fits “{ $text }”.
accounts-none-waiting = No user has punches that wait.
accounts-none-limited = No user has a link with a last day.
accounts-none-ended = No user has links that are all over.
accounts-none-suggested = For no user an employee is suggested.
accounts-none-here = No user stands on this page.
accounts-show-all = Show all
accounts-search-clear = Clear the search
accounts-search-all = Search all users
link-short = Register
unlink = Unlink
unlink-last-day = Last day
unlink-text = Punches from the next day on get res=7. Earlier punches stay as they are.
unlink-failed = Not unlinked.
unlink-no-date = Enter the last day.
unlink-before-start = The last day lies before the link’s first day.

## Terminals
terminals-count = { $n } in use
terminals-enroll = Enrol a terminal
terminals-search = Name, OS, version or id
terminals-caption = Terminals
terminals-none = No terminals here
terminals-none-text = Try another search.
terminals-blank = No terminals enrolled yet
terminals-blank-text = Run the enrolment command on a PC and it appears here.
state-ok = Healthy
state-expected = Enrolled, not heard yet
state-late = Late
state-silent = Silent
state-silent-week = Silent for 7 days
state-silent-month = Silent for 30 days
state-blocked = Blocked
state-retired = Retired
state-conflict = Conflict
conflict-title = Other content came under the same number: a copied or tampered PC.
col-numbers = Numbers
standing-cloned = Two PCs
standing-rolled-back = Rolled back
standing-missing = Numbers missing
numbers-none = None yet
numbers-complete = 1–{ $head }, all there
numbers-missing = 1–{ $head }, { $missing } missing
numbers-settled = 1–{ $head }, { $missing } missing (looked into)
note-cloned = Two PCs send in turns as this terminal ({ $at }). The records of both are stored.
note-cloned-cure = On the copy, stop the service, remove device.key from its state folder, run { $command } as administrator and start the service: it becomes a terminal of its own. Then clear the mark of this one.
note-rolled-back = The PC’s records have gone back to an earlier state ({ $at }, times: { $often }). What the server has stays, and nothing recorded since is lost.
note-rolled-back-cure = If you know of a restored backup or snapshot, clear the mark. If you do not, or the number keeps rising, find out whether a copy of this PC is running.
note-conflict-cure = Run status and fsck on the PC. A version that heals itself sends the content again under a new number.
note-missing = { $count } numbers between { $first } and { $last } are not on the server.
note-missing-declared-cure = The PC says that it does not have them either. Unless the server or the PC was restored, run fsck on the PC and find out whether journal files were removed. Then clear the mark.
note-missing-open-cure = The PC is being asked for { $undeclared } of them. If they are still missing after its next contact, run fsck on it and find out whether journal files were removed.
makeup-title = Its make-up differs from the enrolled one. Enrol it again.
key-tpm = TPM
key-software = Software (not exportable)
key-file = File
terminal-never = Never
ago =
    { $days ->
        [0] ({ $hours } h ago)
       *[other] ({ $days } d { $hours } h ago)
    }
block-text = Punches from { $host } get res=6. They are stored, and judged again when you unblock it.
unblock-text = Punches from { $host } count again. Those sent while it was blocked are judged again.
block-do = Block
unblock-do = Unblock
clear-conflict-text = Once you have looked into the PC, clear the mark. It comes back when the same happens again.
clear-conflict-do = Clear the mark
block-key = The enrolment key stands in the PC’s configuration. A PC whose agent is set up anew becomes another terminal with it; one with this name or make-up begins as blocked. To keep this PC out, replace or revoke the key.
block-key-link = Enrolment keys
block-reason = Reason (optional)
block-reason-help = Stands on the terminal’s page and in the audit log.
block-reason-failed = Nothing was blocked: the reason cannot be kept.
retire-blocked-text = It is blocked now. Taken back into use it is blocked again; while it is retired, a PC of its name may be enrolled like any other.
terminal-unretired-blocked = { $host } is blocked, as it was before it was retired.
terminal-unretired-blocked-text = It stands in the list and the counts again. Choose “Unblock” to have its punches count.
bulk-stays = { $host } ({ $state }: stays so)
bulk-already = “{ $state }” before already: { $n }.
bulk-left-retired =
    { $n ->
        [one] { $n } is retired and was left so.
       *[other] { $n } are retired and were left so.
    }
bulk-came-blocked =
    { $n ->
        [one] { $n } is blocked, as it was before it was retired.
       *[other] { $n } are blocked, as they were before they were retired.
    }
state-in-use = In use
next-blocked-other = It is blocked; its punches are stored. An administrator or IT administrator can unblock it.
next-retired-other = It is retired. An administrator or IT administrator can take it back into use.
next-namesake-blocked = A terminal of this name is blocked: { $other }. If the same PC was enrolled again, block this one, too, and replace or revoke the enrolment key. If not, rename one of the PCs.
next-namesake-goes-on = Another terminal of this name is not blocked: { $other }. If it is the same PC, block it, too, and replace or revoke the enrolment key.
next-held = It was enrolled as blocked, because its name or make-up is that of a blocked terminal: { $other }. Its punches are stored. If this PC may be used, retire the other one and choose “Unblock”. If not, replace or revoke the enrolment key.
next-held-other = It was enrolled as blocked, because its name or make-up is that of a blocked terminal: { $other }. Its punches are stored. An administrator or IT administrator decides whether this PC may be used.
past-because = { $who }: { $why }
past-held = same name or make-up as blocked terminal { $id }
terminal-blocked = { $host } has been blocked.
terminal-blocked-text = Its punches get res=6 from now on. They are stored.
terminal-unblocked = { $host } has been unblocked.
terminal-cleared = The mark of { $host } has been cleared.
rejudged =
    { $n ->
        [one] { $n } punch judged again.
       *[other] { $n } punches judged again.
    }

## The fleet, one terminal, enrolment keys, roll-out
show-in-use = All but retired
mark-duplicate = Duplicate, rolled back or in conflict
mark-missing = Numbers missing
mark-old = Old version
mark-clock = Clock off
mark-spool = Spool growing
mark-makeup = Enrol again
mark-same-name = Same name
mark-namesakes = Same name ({ $n } more)
namesakes-label = Terminals of the same name
sort-label = Order
sort-attention = Needing attention first
sort-name = Name
sort-contact = Longest silent first
sort-waiting = Most waiting first
board-label = State of the terminals
board-contact = Contact
board-marks = To look into
col-os = OS
col-note = Note
col-marks = To look into
col-offset-seconds = Clock (s ahead)
col-enrolled = Enrolled
col-head = Highest number
col-missing = Numbers missing
col-id = Terminal id
nav-keys = Enrolment keys
picked-terminals = chosen
pick-to-bulk = To what can be done with the selection
bulk-block = Block…
bulk-retire = Retire…
bulk-export = CSV of the chosen
bulk-nothing = No terminal was chosen.
bulk-nothing-text = Choose some rows and try again.
bulk-block-title =
    { $n ->
        [one] Block { $n } terminal?
       *[other] Block { $n } terminals?
    }
bulk-block-text = Punches from these terminals get res=6. They are stored, and judged again when you unblock them.
bulk-retire-title =
    { $n ->
        [one] Retire { $n } terminal?
       *[other] Retire { $n } terminals?
    }
bulk-retire-text = Retired terminals are left out of the list and the counts. Their records stay. Should one ever send again, its punches are stored and get res=6.
bulk-activate-title =
    { $n ->
        [one] Use { $n } terminal again?
       *[other] Use { $n } terminals again?
    }
bulk-activate-text = Punches from these terminals count again. Those sent meanwhile are judged again.
bulk-blocked =
    { $n ->
        [one] { $n } terminal has been blocked.
       *[other] { $n } terminals have been blocked.
    }
bulk-retired =
    { $n ->
        [one] { $n } terminal has been retired.
       *[other] { $n } terminals have been retired.
    }
bulk-activated =
    { $n ->
        [one] { $n } terminal is in use again.
       *[other] { $n } terminals are in use again.
    }
confirm-terminals = Terminals concerned
back = Back
block-title = Block { $host }?
unblock-title = Unblock { $host }?
retire-title = Retire { $host }?
retire-text = { $host } is left out of the list and the counts. Its records stay. Should it ever send again, its punches are stored and get res=6.
retire-do = Retire
unretire-title = Use { $host } again?
unretire-text = Punches from { $host } count again. Those sent meanwhile are judged again.
unretire-do = Use again
clear-title = Clear the marks of { $host }?
reenroll-title = Let { $host } enrol again?
reenroll-text = For 7 days { $host } may be enrolled again once, even with an enrolment key that has ended. Only the PC that holds the terminal’s key can.
reenroll-do = Allow to enrol again
reenroll-allowed = { $host } may be enrolled again.
reenroll-allowed-text = Until { $until }: run the enrolment command (enroll) on the PC as administrator.
reenroll-failed = Not allowed.
reenroll-failed-text = The terminal is blocked or retired. Unblock it first.
terminal-overtaken = { $host } has another state by now, so nothing was changed.
terminal-overtaken-text = See on this page how it is now, and do what is needed.
reenroll-fact = May be enrolled again
reenroll-until = until { $until }, once
terminal-retired = { $host } has been retired.
terminal-retired-text = Its records stay. Choose “Retired” to see it.
terminal-unretired = { $host } is in use again.
note-saved = The note has been saved.
note-failed = The note has not been saved.
note-save = Save the note
note-help = Up to 500 characters. Nothing about a person’s performance or health.
next-retired = It is retired. Choose “Use again” to take it back.
next-duplicate = Look into the PC as told below, then choose “Clear the mark”.
next-makeup = On the PC, as administrator, stop the service, run { $command } enroll and start the service. If its enrolment key has ended, choose “Allow to enrol again” first.
next-missing = Find out why numbers are missing as told below, then choose “Clear the mark”.
next-spool = Run { $command } doctor on the PC: it says where sending stops.
next-never = It has never been heard of since its enrolment. Run { $command } doctor on the PC to see whether the service runs.
next-silent = Check the PC’s power and network. If it is no longer used, retire it.
next-again = A PC called “{ $host }” was enrolled again on { $at } as another terminal. If it is the same PC, retire this one.
next-namesake-newer = Another terminal of this name is in use: { $other }. If it is the same PC, retire this one, which was enrolled first. If not, rename one of the PCs.
next-namesake-older = Another terminal of this name is in use: { $other }. If it is the same PC, retire that one, which was enrolled first. If not, rename one of the PCs.
next-blocked = It is blocked; its punches are stored. Choose “Unblock” to use it.
next-clock = Mend the PC’s time synchronisation (w32tm /resync, or timedatectl).
next-late = Wait for its next contact. Without one it counts as silent after { $hours } hours.
next-old = Update the agent to version { $version }.
makeup-fact = Make-up
makeup-same = As enrolled
waiting-events =
    { $n ->
        [one] { $n } event
       *[other] { $n } events
    }
gap-open = The PC is being asked for them
gap-not-held = The PC says that it does not have them either
gap-unreadable = The PC says that its records of them cannot be read
gap-earlier = Numbers of an earlier enrolment; nothing is lost
gap-settled = {" "}(looked into)
gaps-caption = Numbers that are not on the server
gaps-more = The newest 30 ranges are shown.
incident-cloned = Two PCs sent in turns (last at { $at })
incident-rolled-back = Records went back, times: { $often } (last at { $at })
past-title = Enrolments, versions and blocks
past-enrolled = Enrolled
past-enrolled-again = Enrolled again
past-version = New version
clear-help = Once you have looked into it. It comes back when the same happens again.
reenroll-help = Lets a PC whose make-up changed enrol again once without a key, for 7 days.
block-help = Its punches are stored and get res=6.
unblock-help = Punches sent meanwhile are judged again.
retire-help = Takes a PC that is no longer used out of the list and the counts.
unretire-help = Takes the PC back into the list and the counts.
punches-link = Punches
contacts-title = Contacts
contacts-sub = The last 30 days
contacts-words = Heard of on { $heard } of { $days } days.
contacts-none = No contact
contacts-before = Before enrolment
contacts-words-since = Heard of on { $heard } of the { $days } days since it was enrolled.
offsets-title = Clock
offsets-words = At most { $most }. Days beyond 60 s (▲): { $off }.
offsets-scale = Dashed lines: ±60 s. The picture reaches ±{ $most }.
offsets-up = ahead
offsets-down = behind
days-table = Table of the days
col-span = First to last contact
col-contacts = Contacts
col-waiting-max = Most waiting
col-range = Numbers
col-count = Count
col-why = Why
col-what = What
facts-title = About this terminal
keys-sub = What lets a PC become a terminal. A key is shown once, when it is made.
keys-none = There are no enrolment keys
keys-none-text = Make one, and PCs can be enrolled.
keys-refused = { $n } { $n ->
    [one] PC was
   *[other] PCs were
} not let in
keys-refused-text = They gave an enrolment key that opens nothing any more (last 30 days). Make a key with another number of PCs or last day and hand it out: the PCs try again by themselves.
keys-refused-key = Key that was used
keys-refused-at = Last try
key-label = Label
key-no-label = (no label)
key-state-open = Valid
key-state-revoked = Revoked
key-state-expired = Expired
key-state-used-up = Used up
key-unlimited = no limit
key-no-end = No end
col-made = Made
col-expires = Ends
col-uses = PCs / limit
col-last-used = Last used
key-new = Make a key
key-expires-field = Last day (empty: no end)
key-uses-field = PCs it is for (empty: no limit)
key-new-help = Only new PCs count. Enrolling again does not.
key-make = Make
key-failed = No key has been made.
key-failed-text = Mend what is marked below.
key-too-many = A contract may have { $n } keys, revoked ones included. Ask whoever runs the server.
key-expires-past = This day is over.
key-uses-bad = Enter a number from 1 to { $n }.
key-rotate = Replace
key-revoke = Revoke
rotate-title = Replace enrolment key #{ $n }
rotate-text = A new key is made. The old one ends after the time you choose; meanwhile put the new one into what you roll out.
rotate-do = Make the new key
key-overlap = The old key holds for
key-overlap-none = no time: it ends at once
key-overlap-days =
    { $n ->
        [one] { $n } more day
       *[other] { $n } more days
    }
revoke-title = Revoke enrolment key { $key }?
revoke-text = No PC can be enrolled with it any more, or enrolled again. Terminals that are enrolled go on. This cannot be undone.
revoke-do = Revoke
key-revoked = Enrolment key #{ $n } has been revoked.
key-revoked-text = Terminals that are enrolled go on.
key-made = Enrolment key #{ $n } has been made
key-once = This key is shown now and never again.
key-once-text = Write it down before you leave this page. The server does not keep it.
key-old-ends = The old key holds until { $at }.
key-where = Where it goes
key-where-sub = One of these ways is enough
key-noted = I have written it down
rollout-sub = One PC, or thousands
rollout-many = Roll it out to many PCs
rollout-packages = Get the packages
rollout-unreadable = The server’s directory of packages cannot be read. Tell whoever runs the server.
rollout-elsewhere = The packages are here:
rollout-none = No packages have been put on this server yet. Ask whoever runs the server to do it.
rollout-none-where = For them: put the .msi and .deb of a release into the directory of this server setting, and they appear here:
rollout-key = Have an enrolment key
rollout-key-text = Best make one for each roll-out, with an end and a number of PCs.
rollout-key-make = Enrolment keys
rollout-key-ask = You get the key from an IT administrator.
rollout-values = This contract’s values
rollout-values-sub = One of these ways is enough
snippet-msi = Windows: silent installation
snippet-config = Configuration file
snippet-config-where = Windows: %ProgramData%\MngnTime\config.toml. Linux: /etc/mngntime/config.toml
snippet-policy = Policy (ADMX, registry)
snippet-policy-where = Set by GPO or Intune below this key. It wins over the configuration file.
col-value-name = Name
col-value-type = Type
col-value = Value
col-file = File
col-size = Size
rollout-gpo = Roll out by Group Policy
gpo-share = Put the MSI on a share that Domain Computers can read.
gpo-admx = Unpack MngnTime-…-PolicyDefinitions.zip into the central store (PolicyDefinitions with MngnTime.admx and its .adml files). It lies beside the MSI.
gpo-object = Make a GPO on a pilot OU and set server URL, contract code and enrolment key under Administrative Templates, MngnTime.
gpo-software = Under Software Installation, assign the MSI by its UNC path (\\server\share\…).
gpo-pilot = See enrolments and punches of 5 to 20 PCs first, then link the GPO further.
rollout-linux = Linux
rollout-linux-text = Write the configuration file before the restart; the service enrols by itself.
rollout-check = Check
rollout-check-text = PCs appear under Terminals as they enrol. On one that does not, run this: it says where it stops.

## First steps
steps-install = Install the agent on a PC
steps-install-text = Windows: run the MSI (MngnTime-…-x64-en-US.msi). Linux: install the package.
steps-downloads = Downloads
steps-config = Write the server into the configuration file
steps-key = enrolment key
steps-key-help = An IT administrator makes it under Terminals, Enrolment keys.
steps-enroll = Run the enrolment command as administrator
steps-file = FILE
steps-logon = Log off and log on once
steps-logon-text = The punch appears here within seconds. If it does not, run this on the PC: it says where it stops.

# Days of a terminal
days-link = Day by day
days-title = Records of { $host }
days-sub = The last 31 days. No record does not mean no work.
days-none = There are no records of these days yet.
col-date = Date
col-day-state = Records
col-day-late = Arrived late
col-day-parts = Time without records
day-observed = Complete
day-agent-off = Agent was off
day-retired = Deleted by the retention rule
day-unknown = Partly unknown
day-late = { $n ->
    [one] { $n } record
   *[other] { $n } records
}
day-whole = All day
why-agent-stopped = the agent had been stopped
why-agent-absent = the agent was not running
why-retired = deleted when the retention period had ended
why-power-lost = the power went during this time
why-records-lost = records were lost
why-numbers-missing = record numbers are missing
why-clock-doubted = the clock of the PC was wrong, when it ran is not known
why-silent-since-shutdown = nothing heard since the shutdown
why-silent = nothing heard
why-before-first-start = before the agent was installed

## Departments
departments-count =
    { $n ->
        [one] { $n } department
       *[other] { $n } departments
    }
departments-caption = Departments, each after the one it stands below
departments-none = No departments yet
departments-none-text = Register them with “Add a department”. Those that stand in a file of employees can be registered together when the file is taken in.
col-department-code = Department code
col-parent = Stands below
department-top = Top
department-below = Stands below (empty: top)
department-add-title = Add a department
department-added = { $what } has been added.
department-rename = Rename
department-rename-do = Rename
department-renamed = It is now { $what }.
department-move = Move
department-move-do = Move
department-move-text = What stands below moves along. What approvers see changes at once.
department-moved = The department has been moved.
department-unchanged = The department has not been changed.
department-ring = A department cannot stand below itself or below one of its own.
department-unknown = There is no department “{ $text }”.
department-several = Several departments are called “{ $text }”. Use the department code.
department-unknown-near = There is no department “{ $text }”. Near to it: { $near }.
department-several-these = Several departments are called “{ $text }”. Give the code: { $these }.
department-is-closed = Department “{ $text }” was closed on { $date }.
department-within = { $name } ({ $above })
department-path = { " › " }
department-make = Register it as a new department
department-over = closed { $date }
department-ends = until { $date }
department-close = Close
department-open = Reopen
department-close-title = Close a department
department-open-title = Closed department
department-people = Employees of this department
department-close-people =
    { $n ->
        [one] { $n } is employed
       *[other] { $n } are employed
    }
department-close-nobody = Nobody is in this department.
department-close-empty = Nobody who is employed is in it.
department-close-more =
    { $n ->
        [one] { $n } more is not shown.
       *[other] { $n } more are not shown.
    }
department-close-stay =
    { $n ->
        [one] { $n } person who is employed stays in it.
       *[other] { $n } people who are employed stay in it.
    }
department-close-below =
    { $n ->
        [one] { $n } department below it stays open.
       *[other] { $n } departments below it stay open.
    }
department-close-text = From the day after, it cannot be chosen for employees or approvers any more. It stays in records, history and searches, and can be opened again at any time.
department-close-since = Closed on { $date }.
department-last = Last day
department-last-missing = Enter the last day.
department-close-do = Close it
department-close-change = Change the last day
department-open-do = Open it again
department-closed = { $what } has been closed on { $date }.
department-reopened = { $what } is open again.
department-code-missing = Enter a department code.

## People who sign in
people-count =
    { $n ->
        [one] { $n } person
       *[other] { $n } people
    }
people-caption = People who can sign in
people-search = User or name
people-none = Nobody matches
people-none-text = Type a part of the user name or the name.
person-role = Role
person-reach = Department, employee
person-department = Department (approvers)
person-department-help = An approver sees the records of whoever is in this department, or in one below it, now: also their days before they came. Who has left is seen by the approver of the new department.
person-employee-help = Type the employee code or the name. The employee whose own record this person sees. Required for the role “Employee”.
person-add-title = Add a person
person-add = Add and make a link
person-add-text = They choose the password themselves. Adding shows the link for them, once.
person-change-title = Role and dates
person-save = Save
person-sign-in-title = Signing in
person-link-text = Makes a link for choosing a password, also for somebody who has forgotten it. The link before stops working. Once the password is chosen, their open pages end and their API tokens are revoked.
person-link-do = Make a link
person-disable-text = They can no longer sign in, and their open pages end at once. Their API tokens are revoked and do not come back when they are enabled. Records stay.
person-disable-do = Disable
person-enable-text = Lets them sign in again.
person-enable-do = Enable
person-changed = { $who } has been changed.
person-disabled-now = { $who } has been disabled.
person-enabled-now = { $who } can sign in again.
person-unchanged = Nothing has been changed. Check the input.
person-own-role = You cannot change your own role and dates. Ask another administrator.
person-last-title = Nothing has been changed: this is the last administrator
person-last = Nobody else administers this contract and can sign in without an end. Make somebody else an administrator first.
person-last-means = This person has no password: without these nobody could manage the people who sign in. Send a set-up link first, so that they choose a password, or make somebody else administrator.
operator-own-role = You cannot change your own dates. Ask another operator.
operator-last-title = They are the last operator, so nothing was changed
operator-last-means = This person has no password: without these no operator could sign in any more. Send a set-up link first (mngntime admin setup-link), so that they choose a password, or add another operator.
operator-last = Nobody else can sign in as an operator without an end. Add another operator first, and let them choose a password.
people-of-server = The server’s operators. Who signs in to a contract is up to its own administrators.
person-role-missing = Choose a role.
person-department-missing = Enter the approver’s department.
person-employee-missing = Enter the employee.
person-login-wrong = A user name has 1 to { $n } characters, without space and “:”.
person-login-sign = A user name needs a letter or a digit, and cannot begin with “=”, “+”, “-” or “@”.
person-login-mixed = There are Cyrillic or Greek letters among the Latin ones, which look the same. Type it in Latin letters.
person-login-reserved = “{ $text }” is what the audit log calls the server itself, so it cannot be a user name.
person-active = Active
person-waits = paused after failures until { $time }
person-waiting = Link not used yet
person-no-link = Link expired
person-early = Not yet
person-over = Time over
person-disabled = Disabled
setup-link-made = The link for { $who }. It cannot be shown again once you leave this page.
setup-link-text = Works once, until { $until }.
setup-title = Choose a password
setup-who = Choose the password of { $name }.
setup-password = New password
setup-again = Once more
setup-length = At least { $n } characters
setup-different = The two passwords differ.
setup-do = Choose
setup-done = The password is set.
setup-done-text = Sign in with it.
setup-gone = This link cannot be used
setup-gone-text = It has expired or has been used. Ask the contract’s administrator for a new one.
col-department-name = Department name
person-from = First day (empty: any)
person-until = Last day (empty: open)
setup-wrong-length = It needs at least { $n } characters and at most 1024 bytes.

## Second factors, sessions and tokens
login-wait = Sign-in is closed for a while.
login-wait-text = There were too many failures. Try again in about { $n } { $n ->
        [one] minute
       *[other] minutes
    }.
second-title = Confirm your sign-in
second-who = { $name }, please confirm that it is you.
second-code = 6-digit code of your authenticator
second-code-help = Type the digits that your authenticator shows.
second-recovery-help = Without it, type one of your recovery codes.
second-recovery-only-help = When your passkey cannot be used. Each code counts once.
second-no-passkey = This browser cannot use passkeys. Type a recovery code.
second-no-way = This browser cannot use passkeys. Open the page in a browser with JavaScript on the PC or phone that has your passkey.
second-lost = If you have lost your passkey, ask an administrator to remove your two-step sign-in.
second-do = Confirm
second-back = Sign in as somebody else
second-wrong = That could not be confirmed.
second-wrong-text = The code is wrong or has been used. Wait for the next one and type it.
second-advice = You have signed in with a password alone.
second-advice-provider = You have signed in with another provider alone.
second-advice-text = A second factor is recommended for administrators.
second-advice-link = Set it up
second-on = You sign in with a second factor.
second-off = You sign in with a password alone.
second-off-provider = You sign in with another provider alone.
second-must = Your role must have a second factor.
second-off-text = With an authenticator, nobody else gets in even if they learn your password.
second-off-provider-text = With an authenticator, nobody else gets in even if they get hold of your account there.
second-none = password alone
second-last = It cannot be removed.
second-last-text = Your role must have a second factor. Add another one first.
last-way = It has been kept: there is no other way to sign in.
only-way-text = It cannot be removed: you have no other way to sign in. Add a passkey first, or ask an administrator for a set-up link and choose a password.
recovery-code = Recovery code
recovery-used = You have used a recovery code. { $n } { $n ->
        [one] is
       *[other] are
    } left.
recovery-used-text = Make new ones before none is left.
recovery-title = Recovery codes
recovery-text = For when you have neither authenticator nor passkey; each works once.
recovery-left = { $n ->
        [0] None is left. Make new ones.
       *[other] { $n } left
    }
recovery-make = Make new codes
recovery-make-ask = All the codes that you have now work no more. Ten new ones are shown.
recovery-make-sure = Make them
recovery-once = They cannot be shown again once you leave this page.
recovery-once-text = Print or copy them and keep them away from the PC.
recovery-replaced = Earlier codes work no more.
recovery-kept = I have kept them
print = Print
security-title = My sign-in
sure-title = Is it you?
sure-text = Give your password again before you change anything.
sure-text-second = Confirm with both steps again before you change anything.
sure-passkey = Confirm with a passkey
sure-do = Confirm
sure-done = Confirmed. You can change things for 30 minutes.
sure-first = Confirm first that it is you.
sure-first-text = It has been a while since you signed in. Confirm, then do it again.
sure-by-signing-in = To change anything, sign out and in again.
password-title = Password
password-text = Changing it ends your other sessions.
password-now = Current password
password-do = Change
password-tokens = Revoke all my API tokens, too ({ $n })
password-wrong = The password is wrong.
password-same = That is the password you have. Choose another one.
password-changed = Your password has been changed. Other sessions have ended.
totp-title = Authenticator
totp-text = Six digits that an app on your phone makes every 30 seconds.
totp-start = Set up
totp-renew = Set up anew
totp-step-1 = 1. Scan it
totp-step-2 = 2. Confirm with a code
totp-scan = Scan this drawing with your authenticator (Microsoft Authenticator, Google Authenticator and others).
totp-type = If you cannot scan it, type this:
totp-drawing = QR code for the authenticator; the text beside it says the same.
totp-ends-others = Setting it up ends your other sessions.
totp-do = Set up
totp-wrong = The code is wrong. Check that the clocks of PC and phone are right, and type the next code.
totp-set-up = The authenticator is set up. Other sessions have ended.
totp-removed = The authenticator has been removed.
set-up = Set up
not-set-up = Not set up
since = since { $time }
remove = Remove
never = never
session-second-yes = Yes
session-second-no = No
sessions-title = Where you are signed in
sessions-text = End what you do not know, and change your password.
sign-in-this = This sign-in
sign-in-before = The one before
sign-in-failures = { $n } failed { $n ->
    [one] try
   *[other] tries
 } before it
sessions-end-others = End all others
sessions-idle = After { $n } minutes without activity you are signed out, even before that time.
sessions-ended = Your other sessions have ended.
session-device = Browser
session-address = Address
session-since = Signed in
session-seen = Last used
session-ends = Ends by itself
session-second = Second factor
session-this = This one
session-end = End
session-ended = The session has ended.
device-unknown = Unknown browser
tokens-title = Tokens for programs
tokens-text = They read through the API what you may see, and change nothing. With a second factor, the API takes no password.
token-name = What for
token-name-help = Such as “payroll import”
token-name-wrong = Use 1 to { $n } characters.
token-too-many = You can have { $n } tokens. Remove one that is not used.
token-not-made = No token has been made.
token-needs-second = Your role must have a second factor: until you have set one up no token can be made, and those of before read nothing.
token-days = For
token-make = Make a token
token-made = The token “{ $name }”. It cannot be shown again once you leave this page.
token-made-text = Programs send it after Authorization: Bearer
token-made-at = Made
token-ends = Ends
token-ended = (ended)
token-used = Last used
token-removed = The token has been removed.
days = { $n } days
require-title = Roles that must have a second factor
require-text = People without one can do nothing else until they set one up.
require-saved = Saved which roles must have a second factor.
person-means = Second factor: { $means }
passkeys-count = { $n } { $n ->
        [one] passkey
       *[other] passkeys
    }
person-reset-text = For somebody who has lost them: removes second factors, recovery codes and tokens, and ends their sessions. Make sure first that it is them who asks.
person-reset-do = Remove second factors
person-end-text = Ends all sessions. They can sign in again.
person-end-do = End sessions
person-means-reset = The second factors of { $who } have been removed.
person-sessions-ended = The sessions of { $who } have ended.
person-tokens = API tokens: { $n }
person-tokens-text = Revokes all API tokens of this person. Programs that use them can read no more at once.
person-tokens-do = Revoke all API tokens
person-tokens-ended = Revoked the API tokens of { $who }.
passkey-title = Passkeys
passkey-text = Sign in by fingerprint, face or PIN, without a password.
passkey-sign-in = Sign in with a passkey
passkey-stopped = It was stopped or took too long. Try again.
passkey-refused = This passkey could not sign you in.
passkey-not-added = The passkey could not be added. Try again.
passkey-too-many = You have { $n } passkeys, and that is all you can have. Remove those that you do not use.
passkey-known = A passkey of this device or key has been added before.
passkey-not-you = That passkey could not confirm that it is you.
passkey-added = The passkey has been added. Other sessions have ended.
passkey-removed = The passkey has been removed.
passkey-rename = Rename
passkey-renamed = The passkey has its new name.
passkey-unnamed = Passkey without a name
passkey-name = Name of the passkey
passkey-name-help = Such as “office PC” or “key ring”
passkey-add = Add a passkey
passkey-needs-script = Adding a passkey needs JavaScript.
passkey-no-name = This server is not reached by a host name, so there are no passkeys (setting public_url).
provider-sign-in = Sign in with { $name }
provider-failed = Could not sign in.
provider-failed-text = The provider gave no answer that can be used. Try again, or sign in with a password.
provider-busy-text = The provider is busy or does not answer. Sign in with a password, or try again in a minute.
provider-cancelled = The sign-in was cancelled.
provider-cancelled-text = It was stopped at the other provider. Try again, or sign in with your password.
provider-unknown = This account cannot sign in here.
provider-unknown-text = It belongs to nobody who uses MngnTime here. Ask the contract’s administrator.
provider-title = Other provider
provider-text = You can sign in with this account instead of a password.
provider-removed = The link to the other provider has been removed.
recovery-needs-second = You can make them once you have an authenticator or a passkey.
# Days of a person
nav-days = Days
days-choose = Choose a person to see the record of the month, day by day.
days-note = No record does not mean no work.
days-active-note = "Logged on" is the time logged on, neither locked nor asleep (several PCs at once count once). It is not working time.
days-bad-month = There is no month "{ $text }".
days-bad-text = The current month is shown.
days-cut = There is too much record for this time, so some of it was not read. Time that was not read counts as unknown.
month-before = Previous month
month-after = Next month
month-current = This month
person-before = Previous person
person-after = Next person
days-first-today = First logon today
days-punched-dates = Days with punches
days-error-dates = Days with errors
days-inferred =
    { $n ->
        [one] 1 punch
       *[other] { $n } punches
    }
days-first-from = First logon, from
days-first-to = First logon, to
days-first-level = First logon is known
days-last-from = Last logoff, from
days-last-to = Last logoff, to
days-last-level = Last logoff is known
days-res = Errors (res)
days-notes = Notes
days-unlinked = Not linked
days-of-month = Employed that month
days-nobody = No employee has the code “{ $code }”.
days-nobody-text = The code is another one (upper and lower case count), or the employee is none of those whom you may see. If somebody has a code like it, they stand in the list below.
days-left-before = Left before
days-outside =
    { $n ->
        [one] 1 day outside of employment
       *[other] { $n } days outside of employment
    }
days-dates =
    { $n ->
        [one] 1 day
       *[other] { $n } days
    }
month-choose = Month
month-show = Show
month-recorded =
    { $n ->
        [one] Logged on: { $n } day
       *[other] Logged on: { $n } days
    }
month-continued =
    { $n ->
        [one] (1 of them only continued from the day before)
       *[other] ({ $n } of them only continued from the day before)
    }
month-nights-cut = { $n } nights go on beyond the day boundary ({ $time }) and are split between two days. With a boundary at { $later }, each would stay whole, on the day on which it began.
month-nights-cut-change = Change the boundary in the settings
month-unknown =
    { $n ->
        [one] (1 of them with unknown time)
       *[other] ({ $n } of them with unknown time)
    }
total = Total
total-continued =
    { $n ->
        [one] 1 day only continued from the day before
       *[other] { $n } days only continued from the day before
    }
total-estimated =
    { $n ->
        [one] 1 day with an estimate
       *[other] { $n } days with estimates
    }
total-unknown =
    { $n ->
        [one] 1 day with unknown time
       *[other] { $n } days with unknown time
    }
total-note = This is not working time.
col-picture = Picture of the day
col-time = Time
col-from-to = From–to
col-duration = Length
col-band = State
col-events = Events behind it
day-link = Record of this day
day-first = First logon
day-last = Last logoff
day-active = Logged on and not locked
day-active-short = Logged on
day-night-note = The time of the night that goes on from the day before is counted on that day.
day-active-note = Not working time. Several PCs at once count once.
day-unclear = Beyond that, state not known: { $time }
day-no-time = No record
day-not-come = A record of a day that has not come
day-continued = Continued
day-since = Logged on since { $time }
day-open = Logged on
day-goes-on = Goes on
day-goes-on-until = Until the logoff at { $time }
day-until-brief = until { $time }
day-night-only = Only the end of the night before (counted there)
day-night-only-brief = Night before
day-others-go-on = A session on another PC goes on beyond this day.
day-session-goes-on = Another session on the same PC goes on beyond this day.
day-may-be-earlier = There is time without a record before it.
day-may-be-later = There is time without a record after it.
day-logon-missing = The logon is not on record; this event is the first.
day-may-be-earlier-brief = Unknown before
day-may-be-later-brief = Unknown after
day-others-go-on-brief = Another PC goes on
day-session-goes-on-brief = Another session there goes on
day-logon-missing-brief = Logon not on record
silence-brief = No logon on record
day-not-yet = To come
day-quiet = Nothing missing
day-now = ongoing
day-from-before = Continued
day-remote = Remote
day-remote-from = Remote { $client }
day-to-month = The whole month
day-ways = Other days
day-before = Previous day
day-after = Next day
day-picture = The day as a picture
day-picture-note = The tables below say the same.
day-bands = The day in stretches
day-events = Events
day-events-more =
    { $n ->
        [one] There is { $n } more.
       *[other] There are { $n } more.
    }
lane-empty = No logon on record on this day.
level-exact = Exact
level-estimated = Estimated
level-unknown = Not on record
silence-not-yet = This day has not come yet.
silence-no-account = No Windows user is linked to this person on this date.
silence-no-account-short = No user
silence-before-first-link = Before the first Windows user was linked to this person.
silence-before-employment = Before the first day of employment.
silence-after-employment = After the last day of employment.
day-before-employment = Not employed yet
day-after-employment = Employed no more
day-recorded-before = Before employment
day-recorded-after = After employment
day-outside-punches = punches res=7
day-outside-note = This day lies outside of the employment, so its punches are nobody's. If the dates are wrong, HR changes those of the employee, and the punches are judged anew.
silence-no-terminal = There is no record of a PC that this person used.
silence-before-first-start = Before the record of the PC begins.
silence-watched = No logon on record on the PCs in use.
silence-agent-off = No logon on record. For some time nothing was recorded.
silence-retired = What was recorded on this day was deleted when its retention period had ended. That does not mean no work.
silence-unknown = No logon on record. Some of the time is unknown.
bandkey-label = What the bands mean
statekey-label = What the states mean
band-active = Logged on
band-display-off = Display off
band-locked = Locked
band-unattended = Nobody there
band-disconnected = Disconnected
band-asleep = Asleep
band-unclear = Lock unclear
band-unwatched = Not recorded
band-found = Found at start
band-estimated = Estimated
event-title = Event
event-cause = Cause
because-first-start = First start
because-in-order = The run before ended in order
because-after-power-loss = After a loss of power
because-after-crash = After a crash
because-shutdown = Shutdown
because-power-loss = Loss of power
because-bugcheck = The system crashed
because-unknown = Unknown
because-away = While the agent was stopped
because-user-present = Woken by a person
because-sleep = Sleep
because-presumed-fast-startup = Sleep, or a shutdown with fast startup
because-fast-startup = Fast startup
because-hibernation = Hibernation
because-display-off = Sleep behind a dark display
because-clock-unreliable = The PC’s clock is not reliable
because-agent-absent = No agent was running
because-log-limit = Limit of reading the system’s log
because-unattended = Nobody there (automatic sign-on)
because-unattended-logon = Nobody there: locked right after the logon
because-presence-begins = First use after a logon with nobody there
because-unreadable = Numbers that cannot be read any more
because-not-held = Numbers that the PC does not have
because-earlier = Numbers used before the enrolment
because-rolled-back = Numbers of a PC that was set back
because-not-stored = Events that could not be stored
event-number = Event { $n }
event-late = Late
event-unreadable = Unreadable event
event-lock = Lock
event-unlock = Unlock
event-connect = Connect
event-disconnect = Disconnect
event-suspend = Sleep
event-resume = Wake-up
event-boot = Boot
event-shutdown = Shutdown
event-time-change = Clock set
event-service-start = Recording started
event-service-stop = Recording stopped
event-gap = Records missing
event-display-off = Display off
event-display-on = Display on

## Audit log
nav-audit = Audit log
nav-settings = Settings
nav-health = Health
nav-contracts = Contracts
nav-me = My record
yes = Yes
no = No
years-japanese = Show dates with Japanese years
years-common = Show dates with common years
audit-of-contract = Who saw, changed and exported what in this contract
audit-of-server = What belongs to no contract. What is done to a contract stands in that contract's log.
audit-filter-label = Conditions for the audit log
audit-caption = Audit log, newest first
audit-who = Who
audit-what = What
audit-object = Object
audit-object-hint = Employee code, department code …
audit-object-raw = Object (as recorded)
audit-by = Not a user
audit-by-anybody = Not chosen
audit-by-raw = Who (as recorded)
audit-who-twice = Choose either a user name or “Not a user”, not both.
audit-bad-by = There is no choice “{ $text }”.
audit-detail = Details
audit-place = Evidence log
audit-number = Number
audit-month = Month
audit-leaf = Leaf
audit-signed = Signed (○)
audit-is-signed = Signed
audit-unsigned = Waiting for signature
audit-none = No entries match
audit-bad-action = There is no action “{ $text }”.
audit-note = The audit log cannot be changed or deleted. Each entry stands in the evidence log (month#leaf) in one order with the punches and is signed within a minute. Looking at somebody's record is noted once per person, page and hour.
audit-person = Person
audit-contract = Contract
did-sign-in = Signed in
did-sign-out = Signed out
did-view-record = Looked at an employee's record
did-view-list = Looked at a list of punches or employees
did-export-punches = Downloaded the punch log
did-read-punches = Read the punch log by program
did-export-days = Downloaded days
did-export-own-record = Downloaded their own record
did-export-evidence = Exported an evidence pack
did-export-audit = Downloaded the audit log
did-make-backup = Made a backup
did-restored-from-backup = Put the server's data back from a backup
did-link-account = Linked a Windows user
did-unlink-account = Ended a link
did-add-employee = Added an employee
did-change-employee = Changed an employee
did-set-employee-department = Changed an employee's department
did-add-remark = Added a remark
did-withdraw-remark = Withdrew a remark
did-read-remark = Marked a remark as read
did-add-department = Added a department
did-rename-department = Renamed a department
did-move-department = Moved a department
did-close-department = Closed a department
did-reopen-department = Reopened a department
did-enroll-terminal = Enrolled a terminal
did-enroll-terminal-again = Enrolled a terminal again
did-block-terminal = Blocked a terminal
did-unblock-terminal = Unblocked a terminal
did-retire-terminal = Retired a terminal
did-unretire-terminal = Took a terminal back into use
did-note-terminal = Changed a terminal’s note
did-allow-reenrollment = Allowed a terminal to enrol again
did-export-terminals = Downloaded the terminals
did-export-accounts = Downloaded the Windows users
did-export-employees = Downloaded the employees
did-rotate-enrollment-key = Rotated an enrolment key
did-revoke-enrollment-key = Revoked an enrolment key
did-clear-conflict = Cleared a terminal's marks
did-add-enrollment-key = Added an enrolment key
did-revoke-enrollment-keys = Revoked all enrolment keys
did-create-administrator = Added a person
did-change-administrator = Changed a person
did-disable-administrator = Disabled a person
did-enable-administrator = Enabled a person
did-make-setup-link = Made a set-up link
did-use-setup-link = Used a set-up link
did-set-password = Changed a password
did-set-hold = Set a hold
did-release-hold = Released a hold
did-retire-month = Deleted a month whose retention period had ended
did-retire-numbers = Numbers of the records that are deleted
did-empty-month = Finished deleting a month
field-reason = Reason
field-allowed-by = Automatic links switched on by
field-month = Month
field-first-date = First day
field-last-date = Last day
settings-retires = Delete after the retention period
did-change-settings = Changed the settings
did-redate-nights = Put dates right for another end of nights
did-create-contract = Made the contract
did-change-contract = Changed the contract
did-rename-contract = Renamed the contract
field-before = { $what } before
field-code = Code
field-code-before = Code before
field-name = Name
field-active-from = First day
field-active-to = Last day
field-void = Void
field-os = OS
field-count = Count
field-page = Page
field-place = Place
field-events = Events
field-backup-made-at = Backup made
field-log-month = Month of the signed log
field-conditions = Conditions
audit-search = Saved search
audit-terminals = Terminal list
audit-file = File
audit-lines = { $n ->
    [one] 1 line
   *[other] { $n } lines
}
field-uses-max = PCs it may enrol
field-followed-by = Next key
field-ends-at = Old key ends
field-lines = Lines
field-written = Written
field-moved = Punches with another date
field-judged = Punches judged otherwise
field-left-for = Given up for the end of nights
field-roles = Roles that need it
field-codes = Made
field-left = Left
field-issuer = Provider
field-shared = Shown to everybody
field-failures = Failed attempts
field-counted-only = Only counted
field-tries = Tries that failed
field-how = Shown by
field-ended = Ended
field-tokens = Revoked tokens
field-form = Form
page-day = Day
page-event = Event detail
page-month = Month
page-account = Page of a Windows user
page-employee = Page of an employee
audit-show = Shown

## Settings
retention-title = Retention and deletion
retention-sub = Records are kept for { $years } from when the wages of their month were paid (two months later at most).
retention-next = Months whose retention period ends next
retention-next-none = No month has events yet.
retention-month = Month of receipt
retention-what = What happens
retention-more = And { $n } more.
retention-next-later = May be deleted from { $date }
retention-next-due = The retention period has ended: it is deleted with the next daily look. A month with events of a later date (of a PC whose clock was ahead) stays until theirs has ended
retention-next-over = The retention period ended on { $date }
retention-next-open = Still open (may go from { $date })
retention-next-held = Kept by a hold (without one until { $date })
retention-gone-title = Months deleted when their retention period had ended
retention-gone = Deleted on { $date }
retention-going = Being deleted since { $date }
retention-holds = Holds (legal hold)
retention-holds-none = There are no holds.
retention-whom = About
retention-days = Days
retention-set = Set
retention-everybody = The whole contract
retention-all-days = All days
retention-stands = Stands
retention-released-by = Released { $who }
retention-release = Release
retention-release-text = Once released, months whose retention period has ended are deleted with the next daily look.
retention-release-do = Release the hold
retention-on = On
retention-off = Off (nothing is deleted)
retention-text = When on, events, punches and results of months whose retention period has ended are deleted month by month. The audit log says so, and it cannot be undone. Employees, links, remarks and the audit log are not deleted.
retention-sure = I mean it: records older than { $years } may be deleted
retention-sure-missing = Tick the box to say that this is meant.
retention-switch-on = Switch deletion on
retention-switch-off = Switch deletion off
retention-is-on = Records whose retention period has ended are deleted from now on.
retention-is-off = No records are deleted.
retention-held = The hold is set.
retention-released = The hold is released.
retention-hold-title = Set a hold
retention-hold-help = Every month with a day in the period is kept whole, also for one employee. Without dates, all months are kept.
retention-hold-employee = Employee code (empty: the whole contract)
retention-hold-do = Set the hold
retention-no-employee = There is no employee with the code “{ $code }”.
retention-reason-missing = Enter a reason.
settings-sub = Settings of this contract. Every change stands in the audit log.
settings-own = Settings
settings-operator = Set by the operator
settings-operator-help = Ask the operator of the server to change these.
settings-read-only = You can only look
settings-name = Name
settings-name-missing = Enter a name.
settings-day = A night ends at
settings-day-help = A logon that goes on over midnight belongs to the day before when it ends before this time, and is written 25:30 (00:00–12:00). A logon that begins after midnight belongs to its own date, before this time, too.
settings-day-asks = Change the end of nights from { $old } to { $new }?
settings-day-asks-text = What has been recorded so far follows, and punches that get another date are judged again by the links and employment of that date. Months concerned: { $months }, since { $since }. In them, logons that went on over midnight and ended between { $from } and { $to } move to another day, and with them its last logoff. Other days, the punches themselves, the dates of remarks and files that were taken before stay as they are. It cannot be changed from one date on only.
settings-day-asks-lately = { $n ->
    [0] In the last 31 days there is no logoff between these times.
    [one] In the last 31 days there is one logoff between these times; it moves if it went on over midnight.
   *[other] In the last 31 days there are { $n } logoffs between these times; those that went on over midnight move.
}
settings-day-agree = I know that days of the past will be shown differently
settings-day-wrong = Enter a time from 00:00 to 12:00, such as 05:00.
settings-years = Japanese years
settings-years-help = Dates in headings show the year of the era. Everybody can choose for themselves.
settings-links-by-sid = Link users whose SID is entered, automatically
settings-links-by-sid-help = About a minute after a Windows user's first punch, it is linked to the employee who was entered with its SID. A match of the UPN alone, a user that has been linked before and a local user of a PC are left to people, as before.
settings-retention = Records are kept for
settings-retention-years = { $n } years
settings-retention-help = The law asks for five years (three for the time being). Shown to employees. A shorter period switches deletion off again.
settings-language = Default language
settings-language-browser = As the browser asks
settings-language-help = For people who have not chosen a language.
settings-idle = Sign out after inactivity
settings-idle-never = Never
settings-idle-minutes = { $n } minutes
settings-idle-help = Whoever opens no page and saves nothing for this long is signed out. Three minutes before that (five, from 30 minutes on) the page says so and asks whether to go on. This holds for everybody of the contract, employees too, and at once for people who are signed in. Rows that come into the punch log by themselves are no activity.
settings-choice-wrong = Choose one of the values in the list.
settings-saved = Settings saved.
settings-redating = The dates of earlier punches are being put right for the end of nights. Until that is done, numbers of days and results may still be those of before.
settings-saved-text = They count from the next page on.
settings-option = Logon punch option
settings-contact = PCs make contact every

## Contracts
contract-code = Contract code
contract-active = Active
contract-suspended = Suspended
contracts-count =
    { $n ->
     [one] { $n } contract
   *[other] { $n } contracts
    }
contracts-search = Name or contract code
contracts-caption = Contracts
contracts-none = No contracts match
contracts-none-text = Change the conditions, or add a contract.
contract-people = People
contract-events = Events
contract-since = Since
contract-edit = Change
contract-option-check = With the logon punch option
contract-option-text = Without it punches get res=5. They are kept, and judged again when it is back.
contract-suspend = Suspend
contract-resume = Resume
contract-suspend-text = All punches of { $code } will get res=5. They are kept, and judged again afterwards.
contract-suspend-do = Suspend the contract
contract-resume-text = { $code } is used again. Punches of the meantime are judged again.
contract-resume-do = Resume the contract
contract-suspended-now = { $code } is suspended.
contract-resumed = { $code } is active again.
contract-changed = { $code } was changed.
contract-unchanged = The contract was not changed.
contract-add-title = Add a contract
contract-add-do = Add and make a key
contract-add-help = The enrolment key is shown once, right after adding. Then invite the contract's first administrator.
contract-invite = Invite the first administrator
contract-invite-short = Invite administrator
contract-invite-text = Nobody who can sign in administers this contract yet. The link for the person is shown once; they choose their own password. The contract's audit log tells of it.
contract-administered = Contract { $code } has an administrator already.
contract-administered-text = Whom else it has is for them to say, under “People and roles”.
contract-code-help = Stands in the configuration of the PCs. It cannot be changed later.
contract-code-wrong = This cannot be a contract code: check its characters and length.
contract-made = Contract { $code } was added.
contract-key-once = This is its enrolment key. It cannot be shown again once you leave this page.
quarantine-link = Quarantine: { $n }
quarantine-title = Quarantine
quarantine-kept = { $n } kept
quarantine-counted = { $n } more only counted
quarantine-full = { $n } % full
quarantine-empty = Empty it
quarantine-empty-text = Deletes what is listed, on all pages, and begins to count anew. The contracts' lists of PCs that were refused are emptied with it. What comes afterwards is kept. This is noted in the audit log.
quarantine-empty-do = I have looked at it: delete
quarantine-emptied = { $n } { $n ->
    [one] message was
   *[other] messages were
} deleted from the quarantine.
quarantine-caption = Quarantined messages, newest first
quarantine-none = Nothing in quarantine
quarantine-none-text = What comes from unknown contracts and terminals is listed here for 30 days.
quarantine-note = Nothing here has become a punch of any contract. The PCs still hold it and send it again once their configuration or enrolment is mended.
quarantine-reason = Reason
quarantine-claimed-contract = Claimed contract code
quarantine-claimed-terminal = Claimed terminal
quarantine-length = Bytes
quarantine-contract = Unknown contract
quarantine-terminal = Unknown terminal
quarantine-signature = Wrong signature
quarantine-unreadable = Unreadable event
quarantine-bytes = Other bytes under a number
quarantine-enrollment = Refused enrolment

## Health
health-caption = State of the system
health-what = Part
health-figures = Figures
health-ok = Fine
health-unseen = Not seen from here
health-late = Look into it
health-bad = Act now
health-all-well = Everything is fine
health-some =
    { $n ->
     [one] { $n } part needs attention
   *[other] { $n } parts need attention
    }
health-unknown = Cannot be read
health-ingest = Ingest
health-ingest-figures = Last minute { $minute } · hour { $hour } · day { $day } events{ $since }
health-since = {" "}(since the start { $n } minutes ago)
health-heard = Last contact { $at }
health-quiet = no PC was heard of for { $n } minutes or more
health-quiet-do = Check the network, the firewall and the proxy. Punches stay on the PCs and come when there is a way. When no PC is running, at night or on a holiday, there is nothing to do.
health-punches-since = Punches since { $at }: { $n }
health-punches-today = Punches of today: { $n }
health-punches-yesterday = Punches of yesterday: { $n }
health-ingest-do = Nothing has come for an hour. Check the network, the proxy, and server_url on the PCs.
health-failed-do = Look for the cause in the server's log. The PCs send again by themselves.
health-errors = Errors (events judged in 24 hours)
health-errors-own = Errors (punches of today and yesterday)
health-errors-more = refused { $refused } · other bytes { $bytes }
health-errors-do = Open the punch log with errors only, and see what to do.
health-errors-tell = Tell an administrator or HR. The punch log with errors only says what to do.
health-bytes-do = Other bytes came under taken numbers. Ask the contract's IT to look at the marks of its terminals.
health-quarantine = Quarantine
health-quarantine-figures = { $kept } kept ({ $percent } % full) · { $counted } only counted
health-quarantine-do = Look at the quarantine on the page of contracts: a wrong contract code or key on many PCs, or somebody who fills it. Then empty it.
health-queue = Writer's queue
health-queue-figures = { $waiting } of { $room }
health-queue-do = The disk does not keep up. Look at its load and room.
health-terminals = Terminals
health-standings-figures = { $active } active · { $odd } with remarkable numbers
health-terminals-of = { $what }: { $n }
health-in-use = In use: { $n }
health-waiting = Events waiting: { $n }
health-silent-do = See the silent PCs under Terminals.
health-numbers = Numbers and clocks
health-odd-do = See the marks and clocks under Terminals.
health-log = Evidence log
health-log-figures = Last signed { $last } · { $waiting } waiting
health-log-broken-do = What is stored has changed. Leave the server running and compare it with a backup.
health-log-late-do = Signing is more than ten minutes late. Look for “sign the log” in the server's log.
health-storage = Storage
health-database = Database { $size } ({ $growth } a day)
health-free = { $free } of { $total } free
health-free-node = This node's data directory: { $free } of { $total } free
health-database-elsewhere = the database server's disk is not seen from here
health-days-left = about { $n } days left
health-days-unknown = days left: known after some days
health-disk-node-do = Add disk space to this node or move other files away. Evidence packs are made there. Room for the database is looked after at the database server.
health-disk-do = Add disk space or move other files away. When it is full, punches stay on the PCs.
health-backup = Backup
health-backup-never = None yet
health-backup-elsewhere = Made with PostgreSQL's own means, and not seen from here
health-backup-elsewhere-do = Back PostgreSQL up with pg_basebackup and WAL archiving (or pg_dump), and server-key with it. See “The server on PostgreSQL: Backup” in the operating guide.
health-backup-do = Run mngntime backup every day, and keep it on another machine.
health-certificate = Certificate
health-certificate-none = Not used by this server (proxy or plain HTTP)
health-until = Valid until { $time }
health-certificate-do = Put a new certificate in the place of tls_certificate. No restart is needed.
health-clock = Server's clock
health-ahead = the log's newest month { $month } lies ahead of the clock
health-clock-do = Check the clock and its time service. The order of what is written stays.
health-version = Version
health-logs = Evidence logs of the contracts
health-logs-note = The first 50, those that need attention first
health-leaves = Leaves
health-unsigned = Unsigned
health-signed-at = Last signed

## Own record
me-recorded = What is recorded
me-month = Record of { $month }
me-month-choose = Choose a month
me-month-field = Month
me-month-do = Show
me-before = Month before
me-after = Month after
me-none = Nothing is recorded in this month
me-none-text = Logons and logoffs on PCs are listed here.
me-first = First logon
me-last = Last logoff
me-json = JSON, with all events and remarks
me-events-csv = All events, CSV (UTF-8)
me-events-shift-jis = All events, CSV (Shift_JIS)
me-incomplete = Only part of this month is shown; the files hold everything.
me-begins = A logon that goes on over midnight belongs to the day before when it ends before { $time }, and is written 25:30.
me-days = Days
me-retention = Records are kept for { $n } years. An evidence pack of them is made under Download.
remark = Remark
remark-badge = The employee said something about this day
remark-note = Changes no punch
remark-add-title = Add a remark
remark-add-text = Where the record differs from what happened, say why. No punch is changed. HR and your approver see it.
remark-add = Add
remark-added = Your remark was added.
remark-added-text = HR and your approver see it.
remark-times = Interval
remark-from = From
remark-to = To
remark-times-help = After midnight count on, such as 25:30.
remark-times-wrong = Enter a beginning and a later end, such as 09:00 and 25:30, up to noon of the next day ({ $limit }).
remark-text = What happened
remark-text-missing = Say what happened.
remark-future = This day has not come yet.
remark-times-future = This time has not come yet. Enter an end that is over.
remark-too-old = This day is more than { $n } years ago; a record of attendance is kept that long.
remark-too-many = At most { $n } remarks for one day.
remark-made = written { $time }
remark-made-by = Written by { $who } { $time }
remark-withdraw = Withdraw
remark-withdraw-text = The remark stays, marked as withdrawn with the time.
remark-withdraw-do = Withdraw the remark
remark-withdrawn = The remark is withdrawn.
remark-withdrawn-text = It stays, with the time.
remark-withdrawn-at = Withdrawn { $time }
remark-read-at = Read by { $who } { $time }
remark-read-do = Mark as read
remark-answer = Answer
remark-answer-do = Write an answer (optional)
remark-answer-help = The employee sees it on “My record” once you mark the remark as read. It cannot be changed later.
remark-not-read = The remark is not marked as read.
remark-overtaken = The answer was not saved.
remark-overtaken-text = Somebody else has marked the remark as read before, or it was withdrawn. Look at it among all remarks.
remark-read-now = The remark is marked as read.
remark-read-text = The remark stays in the record, with who read it and when.
remarks-title = Remarks
remarks-open-title = Unread remarks
remarks-open = Unread
remarks-all = All, with those that were read
remarks-sub = What employees have said about their own record, the newest first
remarks-none = There are no unread remarks
remarks-none-ever = There are no remarks yet
remarks-none-text = What employees say on “My record” appears here.
remarks-open-line = Unread remarks: { $n }
days-remarked = With remarks
days-remarks-open = Remarks: { $n }, unread: { $open }
days-remarks-elsewhere = Unread remarks about days of other months: { $n }
days-remarks-of =
    { $n ->
        [one] { $n } remark
       *[other] { $n } remarks
    }
recorded-sub = All that the agent on PCs and this server record about you.
recorded-is = What PCs record
recorded-is-text = For each event
recorded-kind = What happened
recorded-kind-text = A logon, a logoff, one of the kinds below
recorded-when = When
recorded-when-text = The time, or an interval where only that is known; and the PC's clocks
recorded-account = Whose account
recorded-account-text = The account's id (SID), domain, user name and sign-in name (UPN)
recorded-session = Which session
recorded-session-text = The OS's session number, and which run of the OS
recorded-remote = Remote or not
recorded-remote-text = Whether it was a remote session, and from where
recorded-cause = Cause
recorded-cause-text = In fixed words, such as a power loss
recorded-evidence = How it is known
recorded-evidence-text = By the OS's notice, found afterwards, or estimated
recorded-chain = Number and checksum
recorded-chain-text = A number and the checksum of the event before, so that gaps and changes show
recorded-pc = Of the PC
recorded-pc-text = Its name, OS, agent version, and a checksum of its machine ids
recorded-kinds = Kinds
recorded-ways = Ways of knowing
recorded-here = What these pages record
recorded-here-text = Administrators and auditors of the contract see the audit log
here-person = Your entry
here-person-text = Employee code, name, kana, department, dates of employment, UPN and SID of the company's directory, which Windows accounts are yours and since when. Login, display name, role and its dates. Lines of a file to be taken in, until it is taken in or dropped
here-sign-in = Signing in and out
here-sign-in-text = When, how, from which address, with which browser, and how many tries failed before (audit log)
here-failures = Failed sign-ins
here-failures-text = How many and when (gone after a day). Every ten, how many and from which address (audit log). After fifty from one address, how many and which (the operators' audit log)
here-sessions-text = Address, the browser's description of itself, when it was opened and last used. Gone within twelve hours after it is over.
here-means = What you sign in with
here-means-text = Hashes of password, set-up link, recovery codes and tokens, the encrypted secret of the authenticator, public keys and names of passkeys, your name at another provider, when they were made and last used. Making and changing them (audit log)
here-remarks = Remarks
here-remarks-text = The day, from when to when, your words, when you wrote and withdrew them, who read them and when, their answer (in the audit log, too, and in evidence packs about you and the CSV file of days)
here-acts = What you do
here-acts-text = Downloads, evidence packs, changes, looks at other people's records (audit log). Saved searches and the columns you chose
here-looks = Who came near your record
here-looks-text = Who looked at it, opened lists, downloaded or read by program, changed your entry or your accounts; when, on which page, by which conditions, and what (audit log; looks once an hour; what is noted by employee stands on “Who looked at my record”)
here-kept = How long
here-kept-text = Your entry, remarks and the audit log are never deleted. Backups, evidence packs and downloaded files keep a copy of their time.
recorded-never = What is never recorded
recorded-never-text = No setting turns this on
never-keys = Keys pressed, text typed
never-windows = Windows and their titles
never-programs = Programs and files used
never-addresses = Web pages you visit, and their addresses
never-screen = The screen, camera, microphone
never-place = Where you are
recorded-see = See for yourself
recorded-see-text = Your PC prints its part of this list:
recorded-command = Command
## Inbox, accounts, employees
count-more = { $n } or more
shown-people = { $n } shown
accounts-waiting-sum = { $punches } punches of { $users } users are no employee’s yet.
accounts-waiting-one = { $punches } punches wait.
waiting-since = since { $date }
reason-directory = Matches the directory
reason-directory-sid = Matches the directory (SID)
reason-directory-upn = Matches the directory (UPN)
suggested-voided = { $reason }; a link of the two was taken back as wrong from the beginning
suggested-other-sid = { $reason }; another SID than entered
reason-code = Same as the employee code
reason-earlier = A user of this name is linked
reason-reading = Reads like the kana
reason-renamed = Fits an earlier name of this user
reason-code-within = The employee code is part of the name
reason-initial = Family name and initial fit
suggested = Perhaps
suggested-note = Suggestions can be checked many at once (up to { $n } users, then the next ones). Nothing is saved before you confirm.
suggested-first = These are the first { $n } users with a suggestion. Once they are saved, you can go on with the next.
suggested-further = Check the next suggestions
suggested-all = Review “{ $reason }”
suggested-because = Suggested: { $reason }
suggested-none = There is no suggestion for this reason any more.
link-change = Change
link-same-name =
    { $n ->
        [one] Another user has the same name and another SID. Make sure which one is meant.
       *[other] { $n } other users have the same name and other SIDs. Make sure which one is meant.
    }
same-names =
    { $n ->
        [one] Another user has the same name and another SID. They are different users.
       *[other] { $n } other users have the same name and other SIDs. They are different users.
    }
link-history = History of links
link-history-note = Nothing is removed. Undoing is another dated link.
link-history-none = Not linked to anybody yet.
link-made = Made
link-ended = Changed
link-now = In force
link-later = Not yet
link-over = Over
link-void = Void
account-facts = About this Windows user
account-first = First received by the server
account-last = Last received by the server
account-names = Names it has had
assign-title = Link for a period
assign-text = For a hand-over leave the last day empty. For a secondment give one: afterwards the user belongs to the first employee again.
unlink-preview = See what it changes
link-by-sid = Server (its SID is the one entered at the employee)
void-text = If the link was wrong from the beginning, all of it can be made void.
void-preview = See what voiding changes
change-assign = Linked to { $who } ({ $period }).
change-end = The last day of the link becomes { $date }.
change-void = The whole link becomes void.
change-not-employed = { $who } is employed { $period }. Punches outside of that are errors.
change-nothing = No punch gets another result.
change-moved =
    { $n ->
        [one] One punch passes to another employee.
       *[other] { $n } punches pass to another employee.
    }
changed-moved =
    { $n ->
        [one] One punch has passed to another employee.
       *[other] { $n } punches have passed to another employee.
    }
change-rejudged =
    { $n ->
        [one] One punch is judged again.
       *[other] { $n } punches are judged again.
    }
change-cured =
    { $n ->
        [one] One error goes away.
       *[other] { $n } errors go away.
    }
change-errors =
    { $n ->
        [one] With this change one punch becomes an error again.
       *[other] With this change { $n } punches become errors again.
    }
change-caption = Employees whose record changes
change-gains = Punches gained
change-loses = Punches lost
change-days =
    { $n ->
        [one] 1 day
       *[other] { $n } days
    }
change-save = Change
account-changed = The link of { $account } was changed.
confirm-changed-days = Days that change
confirm-days = { $span } ({ $days } days)
confirm-outside = { $n } outside employment
confirm-beyond = { $n } outside the link's dates
confirm-keeps = { $n } waiting
employee-to = Last day
employee-facts = About this employee
employee-period = Employed
employee-accounts = Windows users over time
employee-accounts-none = No Windows user is linked.
employee-month = This month’s punches
employee-days = Days of this month
employee-dates-change = Employed { $before } → { $after }
employee-open = without dates
employee-dates-warning = Punches that become errors belong to nobody’s record. Link a PC or user that is still in use to whoever has taken over.
employee-punches = All punches
employee-change-title = Change this employee
employee-change-text = When the days of employment change, punches of linked users are judged again.
employee-changed = { $who } was changed.
employee-unchanged = Nothing was changed. Please check what you typed.
import-open = Import CSV

## Imports
import-accounts-title = Import links of Windows users
import-employees-title = Import employees
import-file = CSV file
import-limits = UTF-8 or Shift_JIS, up to { $lines } lines and { $kilobytes } KB. The first line may be in English or Japanese.
import-columns = First line
import-template = Template:
master-file = What is registered
master-file-text = What is registered now, in the same columns. Mend it and upload it: only what you have changed is changed.
waiting-file = Those that wait
waiting-file-text = The users that wait (up to { $n } lines), with their first days. Fill in employee codes and upload the file. Codes of sure suggestions are filled in: check them.
waiting-file-list = Download these, fill in employee codes, and import the file:
import-next = What comes next
import-next-text = You see what would happen to each line. Nothing is written before you confirm.
import-check = Check the file
import-unread = The file could not be read.
import-empty = Choose a CSV file. An empty one cannot be read.
import-too-large = The file is too large. Split it into files of up to { $n } KB.
import-spreadsheet = This is a spreadsheet’s own file (.xlsx, .xls), which cannot be read. In Excel, save it as “CSV UTF-8 (Comma delimited)” and choose that file.
import-encoding = The file is neither UTF-8 nor Shift_JIS. Save it again as one of these.
import-column = The first line has no column “{ $name }”. Use the first line of the template.
import-column-twice = The first line has two columns that mean “{ $name }”. Leave one of them.
import-column-nameless = column { $n } (no name)
import-columns-read = Columns that are read: { $names }
import-columns-left = Columns that are not read: { $names }
import-columns-unknown = Not read: { $names }
import-columns-unknown-text = What stands in these columns is not stored. If it should be, name them as the template does and choose the file again.
import-separator = The cells of this file lie between other signs than commas. In Excel, save it as “CSV UTF-8 (Comma delimited)”.
import-erases =
    { $n ->
        [one] { $n } value would be deleted
       *[other] { $n } values would be deleted
    }
import-alike =
    { $n ->
        [one] { $n } line has a code that differs from a registered one in upper and lower case only
       *[other] { $n } lines have codes that differ from registered ones in upper and lower case only
    }
import-alike-text = If they are the same people, write the codes as they are registered. As they stand, other employees are added.
import-too-many = The file has too many lines. Split it into files of up to { $n } lines.
import-quotes = A quote (") in line { $n } is out of place. Close the quotes around a cell, and double those within one.
import-again = Choose another file
import-report = What the file would do
import-read-as = Read as { $encoding }.
import-sums = { $total } lines: { $new } new, { $changed } changed, { $same } unchanged, { $wrong } wrong.
import-shown = { $first } to { $last } of { $all } lines
import-show-wrong = Wrong
import-show-written = New or changed
import-show-erasing = Deleting values
import-show-same = Unchanged
import-show-all = All
import-no-such-line = There is no such line.
import-judges-none = No punch gets another result.
import-cures =
    { $n ->
        [one] The import takes the error away from { $n } punch.
       *[other] The import takes the error away from { $n } punches.
    }
import-breaks =
    { $n ->
        [one] The import makes { $n } punch an error (outside employment).
       *[other] The import makes { $n } punches errors (outside employment).
    }
import-departments = Departments that are not there yet
import-departments-text = The file names departments that are not registered. If that is a slip, mend the file and choose it again. If they are new, tick the box: they are registered at the top of the tree, and then the file is taken in.
import-departments-near = (near to it: { $near })
import-departments-lines =
    { $n ->
        [one] { $n } line
       *[other] { $n } lines
    }
import-departments-judges =
    { $n ->
        [one] With them, { $n } more punch gets another result.
       *[other] With them, { $n } more punches get another result.
    }
import-departments-make = Register new departments that stand in this file: { $n }
import-line = Line
import-content = Content
import-fate = Result
import-take = Import
import-take-right = Import the right lines only
import-taken = Imported: { $new } new, { $changed } changed, { $same } unchanged.
import-not-taken = Nothing has been imported yet.
import-not-taken-text = Choose a file without wrong lines, or import the right lines only.
import-partly = Some lines could not be taken in.
import-partly-text = After you had looked at the file, somebody changed what they say. The other lines are taken in. Look at the rest.
line-new = Will be added
line-new-values = Will be added: { $values }
line-alike = (differs from { $code } in upper and lower case only)
line-handed-over = Will be handed over. { $what }
line-bad-date = “{ $text }” is no date. Write it as 2026-04-01.
line-few =
    { $cells ->
        [one] The line has { $cells } cell; the first line has { $columns } columns. Put a comma for an empty cell, too.
       *[other] The line has { $cells } cells; the first line has { $columns } columns. Put a comma for an empty cell, too.
    }
line-many = The line has { $cells } cells, the first line only { $columns } columns. Put a value with a comma in it into quotes (").
line-replaced = Shift_JIS could not hold { $text }; 〓 stands in their place. Use a file in UTF-8, or mend 〓 and empty the cell “Replaced characters”.
line-unchanged = Is there already
line-no-account = No Windows user fits. Only users with punches can be linked.
line-several-accounts = Several Windows users fit. Give the SID.
line-no-employee = No employee has the code { $code }.
line-overlaps = Linked to employee { $code } on some of these days already. It can be taken over only on days on which that employee is not employed: from the day after their last one, or until the day before their first one. Correct the dates.
line-contradicts = Contradicts line { $n }.
line-missing = “{ $column }” is empty.
line-text = “{ $column }”: { $problem }

## Searches, columns, files
searches = Saved searches
search-save = Save this search
search-name = Name
search-share = Show it to everybody of the contract
search-save-do = Save
search-shared = (shared)
search-delete = Delete “{ $name }”
search-saved = “{ $name }” was saved.
search-replaced = “{ $name }” now has these conditions.
search-replaced-text = What was saved under this name before is gone.
search-before = Show the conditions before
search-unsaved = Nothing was saved.
search-too-many = At most { $n } searches can be saved. Delete one that is not used.
search-deleted = The saved search was deleted.
columns = Columns
columns-shown = Columns shown
columns-do = Show these
download = Download
xlsx = Excel
did-lock-out = Locked out after failed sign-ins
did-empty-quarantine = Emptied the quarantine
did-refuse-address = Refused an address after failed sign-ins
did-set-up-totp = Set up one-time codes
did-remove-totp = Removed one-time codes
did-make-recovery-codes = Made recovery codes
did-use-recovery-code = Used a recovery code
did-add-passkey = Added a passkey
did-remove-passkey = Removed a passkey
did-rename-passkey = Renamed a passkey
did-make-api-token = Made an API token
did-revoke-api-token = Revoked an API token
did-revoke-api-tokens = Revoked all API tokens
did-link-provider = Linked another sign-in
did-unlink-provider = Unlinked another sign-in
did-end-sessions = Ended sessions
did-reset-second-factors = Reset second factors
did-require-second-factor = Changed who needs a second factor
did-import-links = Imported links of Windows users
did-import-employees = Imported employees
did-save-search = Saved a search
did-delete-search = Deleted a search
csv-download = {" "}download
evidence-title = Evidence pack
evidence-link = Make an evidence pack…
evidence-make-title = Choose the dates
evidence-text = A sealed file (ZIP) with the record of these dates and the signatures and proofs by which alterations are found. Other people's events are in it only with their contents left out.
evidence-links = It has the punches of the Windows users that are linked to this employee on these dates, and none without a link. HR links them under Windows users; the first date may lie in the past.
evidence-limit = At most { $n } days, both ends included. For more, the server's operator runs mngntime export evidence.
evidence-make = Make it
evidence-dates-missing = Fill in both dates.
evidence-too-long = At most { $n } days.
evidence-running = The evidence pack of { $period } is being made
evidence-running-text = This takes up to some minutes, depending on the record. It goes on when you close this page.
evidence-look-again = See whether it is ready
evidence-busy = Another evidence pack is being made
evidence-busy-text = Only one is made at a time. Make this one when that one is finished.
evidence-ready = The evidence pack of { $period } is ready
evidence-until = You can take it until { $time }. After that it is deleted from the server, taken or not.
evidence-take = Take the evidence pack
evidence-key = The server's public key
evidence-key-text = Hand the public key over by another way than the pack. Whoever gets both checks with this command.
evidence-check = Command for checking
evidence-kilobytes = { $n } kB
evidence-failed = The evidence pack could not be made
evidence-failed-font = The server has no font with Japanese letters. Ask its operator to add one (such as fonts-noto-cjk).
evidence-failed-contradicts = What is stored contradicts what was signed. Tell the server's operator now, and change nothing.
evidence-failed-other = The server failed. Make it again; if that happens twice, tell the server's operator the time.
evidence-gone = The evidence pack is no longer there
evidence-gone-text = Its time is over or the server was started again. Make it again.
link-code-twice = { $code } is the code of { $name } in a row above. For the same person write the same name, for another person choose another code.
link-new-again = same new employee as above
department-name-missing = Enter a name for the department.
assign-failed = Nothing was linked.
line-changes = Will be changed: { $changes }
line-empty = (none)
import-directory = With UPN or SID as your directory exports them, these people are suggested for the Windows users that have them (“Matches the directory”).
import-absent = A column that the file lacks is left unchanged; an empty cell in a column that is there clears that field.

# Dates and questions of people who sign in
person-auditor-until = An auditor needs a last date. Enter the day on which the audit ends.
person-until-help = Auditors need one. For other roles it may be left empty.
person-endless = no last date
person-endless-text = This auditor has no last date. Enter the day on which the audit ends under "Last day" below and save.
person-role-choose = Choose one
person-reset-ask = All second factors of { $who } (authenticator app, passkeys, recovery codes) and their API tokens are removed. This cannot be undone.
person-reset-sure = Remove all of them
person-disable-ask = { $who } can no longer sign in from now on, and pages they have open stop working.
person-disable-sure = Disable
remove-sure = Remove for good
totp-remove-ask = Six-digit codes of the authenticator app no longer sign you in. What the phone has registered becomes void.
provider-remove-ask = The tie to the other sign-in is cut. Sign in with the password from then on.
provider-remove-ask-passkey = The tie to the other sign-in is cut. Sign in with a passkey from then on.
passkey-remove-ask = The passkey "{ $name }" no longer signs you in.
token-remove-ask = Programs that use the API token "{ $name }" can no longer read from now on.
second-off-first = Other pages open once it is set up.
first-page = First page
live-on = New punches appear by themselves.
live-paused = Nothing is updated while rows are selected.
live-full = There are many rows now, so nothing more is updated.
live-lost = The server cannot be reached, so nothing is updated.
live-new = New punches shown: { $number }
live-later = Only the first page is updated by itself.
live-again = Show the newest
filter-unknown = There is no condition "{ $name }".
filter-bad-errors = "{ $text }" means nothing for errors. 1 is errors only.
remark-faults = { $n ->
    [one] The remark is not saved. One place needs mending.
   *[other] The remark is not saved. { $n } places need mending.
}
faults-go = Go there
setup-common = This password is one that many people use, or is much like the login. Choose one that is hard to guess.
day-before-record = before the record began

## On paper
paper-conditions = Conditions: { $what }
paper-everything = all
paper-comma = {" / "}
paper-printed = Printed by { $who } { $at } (JST)
paper-rows-all = All { $n } rows
paper-rows-first = The first { $n } rows; more follow
paper-rows-middle = { $n } rows from the middle; more before and after
paper-rows-last = The last { $n } rows; more before
print-view = For printing (all that match)
print-sub = Every punch that matches, newest first, in one table.
print-all = End of the list: { $n } in all
print-cut = Cut off after { $n } punches; there are more. Choose a shorter period, or use Excel or CSV.
filter-bad-print = “print={ $text }” cannot be used.

## Choosing of several
choose-employee = Choose an employee
choose-more = { $n } more; type on to narrow them down.
choose-terminal = Choose a terminal
choose-more-terminals = There are more: see the list of terminals.
terminal-heard = last contact { $at }
accounts-suggested = With suggestions
accounts-candidates =
    { $n ->
        [1] Look at one person
       *[other] Choose from { $n } people
    }
accounts-same = same name: { $n } more
suggested-looked-at = Suggestions were looked for among the first { $n } waiting users. Search, or register these and come back, for the rest.
filter-bad-show = “{ $text }” is nothing that can be shown here.

## Who looked at my record
looks-title = Who looked at my record
looks-sub = Newest first
looks-none = Nobody has looked at it yet
looks-none-text = When somebody opens a page of your record, it stands here.
looks-own = You
looks-all = See all
looks-note = Who saw a page of your punches, your days or your entry (once an hour), downloaded what is yours alone, or read your remarks; by the names they sign in with. If your employee code has changed, only what came after.
looks-lists = Who opened a list of everybody, downloaded everybody’s records as one file or read them by a program is not noted by employee and does not stand here. It is in the audit log.

## A session that will be over
stay-idle = You will be signed out soon
stay-idle-text = Nothing has been done for a while. To go on, press “Stay signed in”. What you have typed stays as it is.
stay-day = Your sign-in will expire soon
stay-day-text = It lasts twelve hours from when you showed who you are. Confirm that in another tab, and you can go on here. What you have typed stays.
stay-over = You have been signed out
stay-over-text = What you have typed is still on this page. Sign in in another tab, then come back here and send it.
stay-other = Somebody else is signed in
stay-other-text = This page is that of { $who }, and nothing can be sent from it any more. Keep what you need of it, then open the start page.
stay-minutes = Minutes until you are signed out: about #
stay-seconds = Seconds until you are signed out: about #
stay-mark = Signing out soon
stay-on = Stay signed in
stay-confirm = Confirm in another tab
stay-sign-in = Sign in in another tab
stay-leave = Open the start page
stay-away = Back to this page

## A session that is over, and the first start
session-over = Your session is over. Please sign in again.
session-idle = You were signed out because nothing was done for a while. Please sign in again.
session-ended-elsewhere = This sign-in was ended: in another browser, by a new password or second factor, or by an administrator. Please sign in again.
second-over = The time for confirming (10 minutes) is over, or it was ended. Please sign in again from the start.
session-over-form = What you sent has not been saved. After signing in you come back to the page you were on.
live-over = Your session is over, so nothing is updated any more.
live-sign-in = Sign in
first-start = Nobody can sign in yet.
first-start-text = When the server started, it printed a link (setup-link=…) on its standard output, by which the first operator chooses a password. Look into the server's log (such as journalctl -u mngntime). Each start makes a new link.
link-there-already = This has already been saved.
import-taken-already = This file has already been taken in.
import-taken-already-text = The same form was sent twice. The second time nothing was changed.

## Terminals and forms: smaller things
state-ok-marked = In contact
bulk-all = All { $n } that match
bulk-too-many = At most { $n } can be changed at once.
bulk-too-many-text = Nothing was changed. Narrow the list down and try again.
bulk-changed = The list holds other terminals than those you were asked about. Nothing is changed yet.
bulk-changed-text = It was { $before } then and is { $now } now. Press again if these are the ones.
confirm-more = and { $n } more
filter-bad-sort = “{ $text }” is no order of this list.
filter-left-out = It has been left out.
filter-bad-encoding = “{ $text }” is no encoding of these files; they come in utf-8 or shift_jis.
employee-code-wrong = “{ $text }” alone is no code.
snippet-local = The server's address is { $url }. On another PC that means the PC itself, so this cannot be handed out as it is. Set public_url to the address that PCs reach the server by.
picked-people = selected
let-in-picked = Let the selected see their own records…
let-in-all = Let all in this list see their records…
let-in-title = Let employees see their own records
let-in-text =
    { $n ->
     [one] This employee becomes a user who sees nothing but their own record. Who is a user already is not changed. The user name is the employee code, or “code@contract” where somebody else has it.
    *[other] These { $n } employees become users who see nothing but their own records. Who is a user already is not changed. The user name is the employee code, or “code@contract” where somebody else has it.
    }
let-in-more = and { $n } more
let-in-once = You get a set-up link for each of them, in one CSV file, once. The server does not keep the links and cannot show them again. They count for { $n } hours. Hand them out.
let-in-again = Make new links for those who have never set up a password (the links before count no more)
let-in-do = Make users and get the links as CSV
let-in-link = Set-up link
let-in-until = Link ends
let-in-result = Result
let-in-made = Hand the link out
let-in-there = Is a user already (not changed)
let-in-no-login = The employee code cannot be a user name: add them under People and roles
let-in-nameless =
    { $n ->
     [one] One of them has a code that cannot be a user name (with a space or a colon in it, beginning with =, +, - or @, too long, or the like). Unless they are a user already, they get no link: add them under People and roles.
    *[other] { $n } of them have a code that cannot be a user name (with a space or a colon in it, beginning with =, +, - or @, too long, or the like). Unless they are users already, they get no link: add them under People and roles.
    }
let-in-apostrophe = (the apostrophe in front of the user name keeps spreadsheets from running it and is not typed when signing in)
let-in-after = This page stays as it is when the file comes. Go back to see how many links were made, and until when they count.
let-in-given = Set-up links made at { $at } and given as a CSV file: { $n }
let-in-given-text = They count until { $until }. If you have no file, select the same employees, tick that new links are to be made, and try again.
let-in-given-log = See it in the audit log
let-in-left =
    { $n ->
     [one] One employee could not be done: see the column Result of the file, and try again.
    *[other] { $n } employees could not be done: see the column Result of the file, and try again.
    }
let-in-failed = Not done: try again
let-in-none = Nobody has become a user.
let-in-none-text = All of them are users already, or have a code that cannot be a user name. New links are chosen on the page that asks.
let-in-nobody = Select employees, then try again.
let-in-too-many = At most { $n } at once: narrow the list by a search, then try again.

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
tagline = Logon/logoff attendance record
search = Search
close = Close
cancel = Cancel
reload = Reload
to-start = To the start page
none = None
not-linked = Not linked
list-comma = {", "}
shown-terminals = { $shown } of { $total }
next-page = Next 50
shown = { $n } shown
seconds = { $n } s
text-too-long = Use at most { $n } characters, without control characters.

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
login-failed-text = Check the user name and password. After 5 failures in a row, sign-in is closed for 15 minutes.

## People without a contract
elsewhere-title = Running the server
elsewhere-head = There is nothing for operators on these pages
elsewhere-text = Punches are seen only by the people of their contract. Operators work with commands on the server itself.
elsewhere-contracts = Make and suspend contracts and enrolment keys
elsewhere-people = Make a contract’s administrators
elsewhere-start = Start
elsewhere-nothing = Your role opens no page here
elsewhere-nothing-text = If you need one, ask the contract’s administrator.

## Failures
oops-next = Next step
oops-reference = Reference
oops-time = Time
oops-other-user = Sign in as someone else
oops-400 = This cannot be accepted
oops-400-text = The input is too large, or did not come from a page of ours.
oops-400-next = At most 500 users can be handled at once. Go back and try again with fewer.
oops-403 = You cannot open this page
oops-403-text = Your account does not have the right to see this page.
oops-403-next-hr = If you need it, ask your contract’s administrator for the HR role.
oops-403-next-it = If you need it, ask your contract’s administrator for the IT role.
oops-403-next-operator = This page belongs to the people of a contract. Operators work with commands on the server itself.
oops-403-next-site = This came from another site, so nothing was changed. Open the page here and try again.
oops-403-next-administrator = If you need it, ask the contract’s administrator.
oops-403-next-record = To see this record, ask the contract’s administrator to set your user down as an employee.
oops-404 = Page not found
oops-404-text = The address has changed, or the punch or terminal number is wrong.
oops-404-next = Look for it again from the punch log.
oops-500 = Server error
oops-500-text = This page could not be shown. Receiving and storing punches is not affected.
oops-500-next = Wait a moment and reload. If it goes on, send the reference to your administrator.
oops-503 = The server is busy
oops-503-text = This page cannot be shown right now. Punches are kept on the PCs and sent by themselves later.
oops-503-next = Wait a moment and reload.

## Punch log
punches-title = Logon/logoff punch log
punches-caption = Punch log, newest first
csv-utf8 = CSV (UTF-8 with BOM)
strip-label = At a glance
strip-today = Punches today
strip-errors = Errors waiting
strip-accounts = Windows users not linked
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
filter-dates-reversed = The end date lies before the start date.
filter-bad-kind = “{ $text }” is no kind of punch.
filter-bad-page = The place in the list cannot be read.
filter-no-employee = No employee matches “{ $text }”.
filter-employees = Several employees match “{ $text }”. Use the employee code.
filter-no-account = No Windows user matches “{ $text }”.
filter-accounts = Several Windows users match “{ $text }”. Write it as DOMAIN\user.
filter-no-terminal = No terminal matches “{ $text }”.
filter-terminals = Several terminals are called “{ $text }”. Choose one in the list of terminals.
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
col-first-today = First today
col-last-seen = Last punch
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
how-reconciled = Reconciled
how-found = Found at start
how-back-filled = Back-filled
how-inferred = Inferred
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
link-this = Register this Windows user
remedy-none = Nothing needs doing.
remedy-5 = Check the contract and the contract code in the configuration of { $host }. Stored punches are judged again once the contract can be used.
remedy-6 = Unblock { $host } under “Terminals”. Its stored punches are judged again at once.
remedy-7 = Link { $account } to an employee. { $count } of it will be judged again at once. Nothing needs doing on the PC.
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
by-server = Server
by-command-line = Command on the server
raw = Raw event
raw-note = as the terminal signed it
offset = Clock offset
offset-ahead = (terminal ahead)
offset-behind = (terminal behind)
offset-warning = Over 60 seconds. Check the time synchronization of the terminal.
receipt = Receipt
receipt-ok = Signature verified
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
link-overlaps = Part of this period is linked to an employee already. Change the dates or unlink first.
link-refused = Could not be registered. Check the input.
link-sum =
    { $n ->
        [one] Registers { $n } user and judges { $value } punches again.
       *[other] Registers { $n } users and judges { $value } punches again.
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
link-done-all = No punches of unregistered users remain.
link-done-left =
    { $n ->
        [one] { $n } punch of unregistered users remains.
       *[other] { $n } punches of unregistered users remain.
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
        [one] {" "}{ $n } keeps its error.
       *[other] {" "}{ $n } keep their error.
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
employee-add-title = Add an employee
employee-add = Add
employee-from = First day
employee-added = { $who } has been added.
employee-taken = { $code } is taken already.
employee-code-missing = Enter an employee code.
employee-name-missing = Enter a name.

## Accounts
accounts-note = Told apart by SID, so a renamed user stays linked.
accounts-search = User or employee
accounts-all = All
accounts-waiting = Not linked
accounts-limited = With an end
accounts-ended = Unlinked
accounts-caption = Windows users
accounts-none = No Windows users here
accounts-none-text = A user appears here with its first punch.
link-short = Register
unlink = Unlink
unlink-last-day = Last day
unlink-text = Punches from the next day on get res=7. Earlier punches stay as they are.
unlink-failed = Not unlinked.
unlink-no-date = Enter the last day.
unlink-before-start = The last day lies before the link’s first day.

## Terminals
terminals-count = { $n } enrolled
terminals-enroll = Enrol a terminal
terminals-search = Name, OS or version
terminals-all = All
terminals-caption = Terminals, those needing attention first
terminals-none = No terminals here
terminals-none-text = Try another search.
terminals-blank = No terminals enrolled yet
terminals-more = Enrol a PC as a terminal
terminals-blank-text = Run the enrolment command on a PC and it appears here.
state-ok = Healthy
state-late = Late
state-silent = Silent
state-blocked = Blocked
state-retired = Retired
state-conflict = Conflict
conflict-title = Other content came under the same number: a copied or tampered PC.
col-numbers = Numbers
standing-odd = Numbers amiss
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
makeup = Make-up changed
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
block = Block
unblock = Unblock
block-text = Punches from { $host } get res=6. They are stored, and judged again when you unblock it.
unblock-text = Punches from { $host } count again. Those sent while it was blocked are judged again.
block-do = Block
unblock-do = Unblock
clear-conflict-text = Once you have looked into the PC, clear the mark. It comes back when the same happens again.
clear-conflict-do = Clear the mark
terminal-blocked = { $host } has been blocked.
terminal-blocked-text = Its punches get res=6 from now on. They are stored.
terminal-unblocked = { $host } has been unblocked.
terminal-cleared = The mark of { $host } has been cleared.
rejudged =
    { $n ->
        [one] { $n } punch judged again.
       *[other] { $n } punches judged again.
    }

## First steps
steps-install = Install the agent on a PC
steps-install-text = Windows: run the MSI (MngnTime-…-x64-en-US.msi). Linux: install the package.
steps-downloads = Downloads
steps-config = Write the server into the configuration file
steps-key = enrolment key
steps-key-help = You get the enrolment key from whoever runs the server.
steps-enroll = Run the enrolment command as administrator
steps-file = FILE
steps-logon = Log off and log on once
steps-logon-text = The punch appears here within seconds. If it does not, run this on the PC: it says where it stops.

# Days of a terminal
days-link = Day by day
days-title = Records of { $host }
days-sub = The last 31 days. No record does not mean no work.
days-back = Back to the terminals
days-none = There are no records of these days yet.
col-date = Date
col-day-state = Records
col-day-late = Arrived late
col-day-parts = Time without records
day-observed = Complete
day-agent-off = Agent was off
day-unknown = Partly unknown
day-late = { $n ->
    [one] { $n } record
   *[other] { $n } records
}
day-whole = All day
why-agent-stopped = the agent had been stopped
why-agent-absent = the agent was not running
why-power-lost = the power went during this time
why-records-lost = records were lost
why-numbers-missing = record numbers are missing
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
departments-none-text = A department written into an employee becomes one here.
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
department-code-missing = Enter a department code.

## People who sign in
people-count =
    { $n ->
        [one] { $n } person
       *[other] { $n } people
    }
people-caption = People who can sign in
person-role = Role
person-reach = Department, employee
person-department = Department (approvers)
person-department-help = An approver sees the records of this department and of all below it.
person-employee-help = The employee whose own record this person sees. Required for the role “Employee”.
person-add-title = Add a person
person-add = Add and make a link
person-add-text = They choose the password themselves. Adding shows the link for them, once.
person-change-title = Role and dates
person-save = Save
person-sign-in-title = Signing in
person-link-text = Makes a link for choosing a password, also for somebody who has forgotten it. The link before stops working.
person-link-do = Make a link
person-disable-text = They can no longer sign in, and their open pages end at once. Records stay.
person-disable-do = Disable
person-enable-text = Lets them sign in again.
person-enable-do = Enable
person-changed = { $who } has been changed.
person-disabled-now = { $who } has been disabled.
person-enabled-now = { $who } can sign in again.
person-unchanged = Nothing has been changed. Check the input.
person-own-role = You cannot change your own role and dates. Ask another administrator.
person-role-missing = Choose a role.
person-department-missing = Enter the approver’s department.
person-employee-missing = Enter the employee.
person-login-wrong = A user name has 1 to { $n } characters, without space and “:”.
person-active = Active
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

## Inbox, accounts, employees
count-more = { $n } or more
shown-people = { $n } shown
accounts-waiting-sum = { $punches } punches of { $users } users wait to be linked to employees.
accounts-waiting-one = { $punches } punches wait.
waiting-since = since { $date }
reason-code = Same as the employee code
reason-earlier = A user of this name is linked
reason-reading = Reads like the kana
suggested = Perhaps
suggested-note = Suggestions can be reviewed together; nothing is saved before you confirm.
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
account-first = First punch
account-names = Names it has had
assign-title = Link for a period
assign-text = For a hand-over leave the last day empty. For a secondment give one: afterwards the user belongs to the first employee again.
unlink-preview = See what it changes
void-text = If the link was wrong from the beginning, all of it can be made void.
void-preview = See what voiding changes
change-assign = Linked to { $who } ({ $period }).
change-end = The last day of the link becomes { $date }.
change-void = The whole link becomes void.
change-not-employed = { $who } is employed { $period }. Punches outside of that are errors.
change-nothing = No punch gets another result.
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
employee-to = Last day
employee-facts = About this employee
employee-period = Employed
employee-accounts = Windows users over time
employee-accounts-none = No Windows user is linked.
employee-month = This month’s punches
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
import-limits = UTF-8 or Shift_JIS, up to { $lines } lines and { $kilobytes } KB
import-columns = First line
import-template = Download a template
import-next = What comes next
import-next-text = You see what would happen to each line. Nothing is written before you confirm.
import-check = Check the file
import-unread = The file could not be read.
import-empty = Choose a CSV file. An empty one cannot be read.
import-too-large = The file is too large. Split it into files of up to { $n } KB.
import-encoding = The file is neither UTF-8 nor Shift_JIS. Save it again as one of these.
import-column = The first line has no column “{ $name }”. Use the first line of the template.
import-too-many = The file has too many lines. Split it into files of up to { $n } lines.
import-quotes = The quotes in line { $n } are not closed.
import-again = Choose another file
import-report = What the file would do
import-read-as = Read as { $encoding }.
import-sums = { $total } lines: { $new } new, { $changed } changed, { $same } unchanged, { $wrong } wrong.
import-left-out = { $n } more lines are not shown.
import-line = Line
import-content = Content
import-fate = Result
import-take = Import
import-take-right = Import the right lines only
import-taken = Imported: { $new } new, { $changed } changed, { $same } unchanged.
import-not-taken = Nothing has been imported yet.
import-not-taken-text = Choose a file without wrong lines, or import the right lines only.
line-new = Will be added
line-changed = Will be changed
line-unchanged = Is there already
line-no-account = No Windows user fits. Only users with punches can be linked.
line-several-accounts = Several Windows users fit. Give the SID.
line-no-employee = No employee has the code { $code }.
line-overlaps = Linked to employee { $code } on some of these days already.
line-contradicts = Contradicts line { $n }.
line-missing = “{ $column }” is empty.
line-text = “{ $column }” is too long or has characters that cannot be used.

## Searches, columns, files
newer =
    { $n ->
        [one] Show 1 new punch
       *[other] Show { $n } new punches
    }
searches = Saved searches
search-save = Save this search
search-name = Name
search-share = Show it to everybody of the contract
search-save-do = Save
search-shared = (shared)
search-delete = Delete “{ $name }”
search-saved = “{ $name }” was saved.
search-unsaved = Nothing was saved.
search-too-many = At most { $n } searches can be saved. Delete one that is not used.
search-deleted = The saved search was deleted.
columns = Columns
columns-shown = Columns shown
columns-do = Show these
download = Download
xlsx = Excel

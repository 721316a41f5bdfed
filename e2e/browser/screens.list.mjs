// Every screen of the administration web, one line each. A new page is a new line here.
//
//   name   of the screenshots
//   path   its address, or
//   from + link   the address in the first match of `link` on the page `from` (an address, or the name of a screen above it)
//   as     who looks for that link, when it is not the same for everybody who sees the screen
//   given  the name of an address that the test hands over
//   sees   roles that may see it, the one that looks closest first; every other role gets 403. Or one of OUTSIDE
//   hides  roles that may see such pages, but not this one: it is of a department that is not theirs (404)
//   status what the server answers to those roles (200 when absent)
//   print  whether people print it: it is then also looked at on A4
//   moves  what it shows grows while the others are looked at
//   long   there are more rows than the contract full of hostile names has
//   act    what to do before looking: a selector to click
//   fill   what to fill in on that page, of forms.mjs: the page that comes of it is looked at
//   filled what the server answers to that (200 when absent)
//   writes what is filled in changes what others show: it is looked at after all others
import {
  employeesFile, employeesWrongFile, firstStep, handOver, invite, linkNew, linkNobody, linksFile, newKey, upload,
} from './forms.mjs';

export const ROLES = ['administrator', 'hr', 'it', 'approver', 'auditor', 'employee', 'operator'];
// Nobody is signed in; the administrator of a contract in which nothing has happened yet.
export const OUTSIDE = ['nobody', 'newcomer'];

const attendance = 'administrator hr approver auditor';
const whole = 'administrator hr auditor';
const hides = 'approver';
const people = 'administrator hr';
const terminals = 'administrator it hr auditor';

export const SCREENS = [
  { name: 'login', path: '/login', sees: 'nobody' },
  { name: 'login-second', path: '/login', fill: firstStep, sees: 'nobody' },
  { name: 'punches-blank', path: '/punches', sees: 'newcomer' },
  { name: 'employees-blank', path: '/employees', sees: 'newcomer' },
  { name: 'accounts-blank', path: '/accounts', sees: 'newcomer' },
  { name: 'terminals-blank', path: '/terminals', sees: 'newcomer' },
  { name: 'punches', path: '/punches', sees: attendance, print: true },
  { name: 'punches-month', path: '/punches?period=month', sees: attendance },
  { name: 'punches-estimates', path: '/punches?how=inferred', sees: attendance },
  { name: 'punches-periods', path: '/punches?period=year', sees: attendance },
  { name: 'punches-later', from: '/punches', link: 'a[rel=next]', sees: attendance, long: true },
  { name: 'punches-columns', path: '/punches', act: '.pagehead__acts summary', sees: attendance },
  { name: 'punches-unknown', path: '/punches?res=99', sees: attendance },
  { name: 'punches-errors', path: '/punches?errors=1', sees: attendance },
  { name: 'punches-outside', path: '/punches?cause=outside', sees: attendance },
  { name: 'punches-nomatch', path: '/punches?to=2000-01-01&errors=1', sees: attendance },
  { name: 'punches-bad', path: '/punches?from=2026-13-45', sees: attendance },
  { name: 'punch-drawer', from: '/punches?errors=1', link: 'tr[data-href] a[data-row]', sees: attendance },
  { name: 'punch', from: '/punches?errors=1', link: '.c-err a.maru', sees: whole, hides, print: true },
  { name: 'employees', path: '/employees', sees: attendance, print: true },
  { name: 'employees-none', path: '/employees?q=nobody-has-this-name', sees: attendance },
  { name: 'employee', from: '/employees', link: 'tbody th a', sees: attendance },
  { name: 'evidence', from: 'employee', link: '.pagehead__acts a[href$="/evidence"]', sees: whole },
  { name: 'accounts', path: '/accounts', sees: whole, print: true },
  { name: 'accounts-none', path: '/accounts?q=nobody-has-this-name', sees: whole },
  { name: 'account', from: '/accounts', link: 'tbody th a', sees: whole },
  { name: 'accounts-import', path: '/accounts/import', sees: people },
  { name: 'let-in', path: '/employees/self-service?do=all', sees: 'administrator' },
  { name: 'employees-import', path: '/employees/import', sees: people },
  { name: 'employees-report', path: '/employees/import', fill: upload(employeesFile), sees: people },
  { name: 'employees-report-wrong', path: '/employees/import', fill: upload(employeesWrongFile), sees: people },
  { name: 'employees-unread', path: '/employees/import', fill: upload('a,b'), filled: 422, sees: people },
  { name: 'accounts-report', path: '/accounts/import', fill: upload(linksFile), sees: people },
  { name: 'link', from: '/accounts', link: 'a[href^="/accounts/link?"]', sees: people },
  { name: 'link-preview', from: '/accounts', link: 'a[href^="/accounts/link?"]', fill: linkNew, sees: people },
  { name: 'link-refused', from: '/accounts', link: 'a[href^="/accounts/link?"]', fill: linkNobody, filled: 422, sees: people },
  { name: 'link-suggested', from: '/accounts', link: 'a[href^="/accounts/suggested?"]', sees: people, long: true },
  { name: 'account-change', from: '/accounts', link: 'tbody th a', fill: handOver, sees: people },
  { name: 'people', path: '/days', sees: attendance },
  { name: 'people-no-month', path: '/days?month=zzz', sees: attendance },
  { name: 'month', from: '/days', link: 'tbody th a', sees: attendance, print: true },
  { name: 'day', from: 'month', link: '.rows--month tr:has(.b-active) .m-date a', sees: attendance, print: true },
  { name: 'remarks', path: '/days/remarks', sees: attendance },
  { name: 'people-remarked', path: '/days?show=remarks', sees: attendance },
  { name: 'event', from: 'day', link: '.lane__pic a:has(use)', sees: whole, hides },
  { name: 'event-approver', from: 'day', link: '.lane__pic a:has(use)', as: 'approver', sees: 'approver administrator hr auditor' },
  { name: 'departments', path: '/departments', sees: whole },
  { name: 'department-close', from: '/departments', link: 'a[href$="/close"]', sees: people },
  { name: 'administrators', path: '/administrators', sees: 'administrator auditor operator' },
  { name: 'administrators-none', path: '/administrators?q=nobody-has-this-name', sees: 'administrator auditor operator' },
  { name: 'administrator', from: '/administrators', link: 'tbody th a', sees: 'administrator', hides: 'operator' },
  { name: 'administrator-ask', from: '/administrators', link: 'tbody tr:nth-child(2) th a', act: 'details.ask summary', sees: 'administrator', long: true },
  { name: 'setup', given: 'setup', sees: 'nobody' },
  { name: 'setup-gone', path: '/setup/x', sees: 'nobody', status: 404 },
  { name: 'terminals', path: '/terminals', sees: terminals, print: true },
  { name: 'terminal', from: '/terminals', link: '.rows--fleet a[data-row]', sees: terminals, print: true },
  { name: 'terminal-block', from: 'terminal', link: 'a[href$="/block"]', sees: 'administrator it' },
  { name: 'keys', path: '/terminals/keys', sees: 'administrator it' },
  { name: 'key-made', path: '/terminals/keys', fill: newKey, writes: true, sees: 'administrator it' },
  { name: 'key-rotate', from: 'keys', link: 'a[href$="/rotate"]', sees: 'administrator it' },
  { name: 'key-revoke', from: 'keys', link: 'a[href$="/revoke"]', sees: 'administrator it' },
  { name: 'terminals-silent', path: '/terminals?show=silent', sees: terminals },
  { name: 'terminals-same-name', path: '/terminals?show=same-name', sees: terminals },
  { name: 'terminals-none', path: '/terminals?q=nobody-has-this-name', sees: terminals },
  { name: 'enroll', path: '/terminals/enroll', sees: terminals },
  { name: 'days', from: 'terminal', link: 'main a[href$="/days"]', sees: terminals, print: true },
  { name: 'contracts', path: '/contracts', sees: 'operator' },
  { name: 'contracts-none', path: '/contracts?q=nobody-has-this-name', sees: 'operator' },
  { name: 'contracts-ask', path: '/contracts', act: 'details.ask summary', sees: 'operator' },
  { name: 'contract-invite', from: '/contracts', link: 'a[href$="/administrator"]', sees: 'operator' },
  { name: 'contract-invited', from: '/contracts', link: 'a[href$="/administrator"]', fill: invite, writes: true, sees: 'operator' },
  { name: 'quarantine', path: '/contracts/quarantine', sees: 'operator' },
  { name: 'health', path: '/health', sees: 'administrator it auditor operator' },
  { name: 'audit', path: '/audit', sees: 'administrator auditor operator', print: true, moves: true },
  { name: 'audit-none', path: '/audit?to=2000-01-01', sees: 'administrator auditor operator' },
  { name: 'audit-unknown', path: '/audit?act=xx', sees: 'administrator auditor operator' },
  { name: 'settings', path: '/settings', sees: 'administrator auditor' },
  { name: 'retention', path: '/settings/retention', sees: 'administrator auditor' },
  { name: 'me', path: '/me', sees: 'employee', print: true },
  { name: 'me-unknown', path: '/me?month=2026-13', sees: 'employee' },
  { name: 'me-days', path: '/me/days', sees: 'employee', print: true },
  { name: 'me-day', from: 'me-days', link: '.rows--month tr:has(.b-active) .m-date a', sees: 'employee', print: true },
  { name: 'me-event', from: 'me-day', link: '.lane__pic a:has(use)', sees: 'employee' },
  { name: 'me-evidence', path: '/me/evidence', sees: 'employee' },
  { name: 'me-looks', path: '/me/looks', sees: 'employee', print: true, moves: true },
  { name: 'me-recorded', path: '/me/recorded', sees: 'employee' },
  { name: 'security', path: '/me/security', sees: 'administrator hr it approver auditor employee operator' },
  { name: 'no-permission', path: '/punches', sees: 'it', status: 403 },
  { name: 'missing', path: '/punches/x/1', sees: whole, status: 404 },
];

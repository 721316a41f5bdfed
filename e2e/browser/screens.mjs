// Looks at every screen of a running server, as every role, in every form it can have.
//
//   MNGNTIME_URL      address of the server, such as http://127.0.0.1:8080
//   MNGNTIME_PEOPLE   JSON: {"administrator": ["login", "password"], …} for each of ROLES in screens.list.mjs,
//                     for `newcomer`, the administrator of a contract in which nothing has happened yet, and for
//                     `guarded`, who gets a second factor here
//   MNGNTIME_HOSTILE  JSON: [login, password] of the administrator of a contract full of hostile names
//   MNGNTIME_GIVEN    JSON: {"setup": "/setup/…"}, addresses that only the server's commands tell
//   OUT               directory for pictures and the report (default: ./out); what is in it is overwritten
//   CHROMIUM          browser to run (default: /usr/bin/chromium-headless-shell, which is Chromium without the window around the
//                     page: a look takes half as long)
//   DOCS              directory of ui.md, when its figures and pictures are to be brought up to date
//   ONLY              names of screens, to look at a few while working on them
//   FORMS             `all`: each screen in all eight forms; otherwise in the four in which every language meets every
//                     width and every colour scheme, every width every scheme
//
// Needs punches with errors, an account without an employee and a terminal in the people's contract. Prints what is wrong, a line
// each, then `N screens, N looks, N faults`; ends with a status other than 0 when there are faults.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { content, listen, look, print, tab, weigh } from './looks.mjs';
import { OUTSIDE, ROLES, SCREENS } from './screens.list.mjs';
import { publish, sheet } from './sheet.mjs';
import { step, totp } from './totp.mjs';
import { fillIn, formsWithoutScript, hostileContract, keyboard, liveRows, sameWithoutScript, wrongSignIn } from './walks.mjs';

const need = (name) => {
  const value = process.env[name];
  if (!value) { console.error(`${name} is not set`); process.exit(2); }
  return value;
};
const base = need('MNGNTIME_URL').replace(/\/$/, '');
const people = JSON.parse(need('MNGNTIME_PEOPLE'));
const hostile = JSON.parse(need('MNGNTIME_HOSTILE'));
const given = JSON.parse(need('MNGNTIME_GIVEN'));
const out = path.resolve(process.env.OUT ?? 'out');
const only = process.env.ONLY?.split(/[ ,]+/);
const allForms = process.env.FORMS === 'all';
const SIZES = { 1440: { width: 1440, height: 1000 }, 390: { width: 390, height: 844 } };
const LANGUAGES = ['ja', 'en'];
// As many as there are cores here; a third one hides the waiting of the two.
const AT_ONCE = 3;
// A first visit over the wire, in bytes.
const WEIGHT_MAX = 100 * 1024;

const faults = [];
const looks = [];
const report = (where, found) => found.forEach((fault) => { faults.push({ where, fault }); console.log(`FAIL ${where}: ${fault}`); });
const screens = SCREENS.filter((screen) => !only || only.includes(screen.name));
const seenBy = (screen) => screen.sees.split(' ');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const open = async (state, language, width, options = {}) => {
  const context = await browser.newContext({ viewport: SIZES[width], locale: language, storageState: state, colorScheme: 'light', ...options });
  // A page that does not come within this is a fault.
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await listen(page);
  return page;
};

const signIn = async ([login, password]) => {
  const page = await open(undefined, 'ja', 1440);
  await page.goto(`${base}/login`);
  await page.fill('#user', login);
  await page.fill('#pass', password);
  await Promise.all([page.waitForNavigation(), page.click('.card button[type=submit]')]);
  if (new URL(page.url()).pathname === '/login') throw new Error(`${login} cannot sign in`);
  report(`sign-in.${login}`, page.complaints);
  const state = await page.context().storageState();
  await page.context().close();
  return state;
};

const visit = async (page, screen) => {
  page.expected = screen.status ?? 200;
  const answer = await page.goto(base + screen.path);
  const found = answer.status() === page.expected ? [] : [`status ${answer.status()} instead of ${page.expected}`];
  if (screen.act) await page.locator(screen.act).first().click();
  if (screen.fill) found.push(...await fillIn(page, screen, { employee: EMPLOYEE, people }));
  return found;
};

// Everybody who signs in to the screens' contract knows this one.
const EMPLOYEE = 'E0001';

// From now on a password alone does not open anything to them.
const guard = async (state) => {
  const page = await open(state, 'ja', 1440);
  await page.goto(`${base}/me/security`);
  await Promise.all([page.waitForNavigation(), page.click('form[action="/me/security/totp/start"] button')]);
  await page.fill('#code', totp(await page.locator('.cmd code').textContent(), step()));
  await Promise.all([page.waitForNavigation(), page.press('#code', 'Enter')]);
  report('security-codes.ja.1440', await look(page, 'security-codes.ja.1440', out));
  await page.context().close();
};

const schemes = (language, width) => {
  if (allForms) return ['light', 'dark'];
  return (language === 'ja') === (width === 1440) ? ['light'] : ['dark'];
};

// Tabs that nobody needs just now, by what they are good for. One costs as much as the page in it: whoever is signed in goes
// on in it to the next screen, as people do, with what the browser has kept.
const free = {};
const borrow = async (role, language, width) => {
  const kind = `${role}.${language}.${width}`;
  const page = free[kind]?.pop() ?? await open(states[role], language, width);
  noteLeftovers(page);
  return Object.assign(page, { kind });
};
const giveBack = (page, name) => { (free[page.kind] ??= []).push(Object.assign(page, { seen: name })); };
const noteLeftovers = (page) => report(`after ${page.seen}`, page.complaints.splice(0));
const closeFree = async () => {
  for (const page of Object.values(free).flatMap((pages) => pages.splice(0))) {
    noteLeftovers(page);
    await page.context().close();
  }
};

// A browser that has kept nothing.
const first = async (role, language, width) => {
  const page = await open(states[role], language, width);
  await (await page.context().newCDPSession(page)).send('Network.setCacheDisabled', { cacheDisabled: true });
  return page;
};

// One screen, one language, one width; more where it is cheapest.
const lookAt = async (screen, role, language, width, more) => {
  const name = [screen.name, role !== seenBy(screen)[0] && role, language, width].filter(Boolean).join('.');
  const isKept = !more.weigh && role !== 'nobody';
  const page = await (isKept ? borrow : first)(role, language, width);
  try {
    const weight = more.weigh && weigh(page);
    const found = await visit(page, screen);
    const bytes = more.weigh ? await weight() : undefined;
    if (bytes > WEIGHT_MAX) found.push(`a first visit is ${bytes} bytes`);
    if (await page.getAttribute('html', 'lang') !== language) found.push(`the page is not in ${language}`);
    if (language === 'ja' && width === 390) screen.content = await content(page);
    found.push(...await look(page, name, out, more.schemes));
    if (more.tab) found.push(...await tab(page));
    if (more.print) found.push(...await print(page, screen.name, out));
    looks.push({ screen: screen.name, name, role, language, width, bytes, faults: found.length, schemes: more.schemes });
    report(name, found);
    if (isKept) giveBack(page, name);
  } catch (error) {
    report(name, [`cannot be looked at: ${error.message.split('\n')[0]}`]);
  } finally {
    if (page.seen !== name) await page.context().close();
  }
};

// The address in a link of another page, found once.
const resolve = async (screen) => {
  screen.path ??= given[screen.given];
  if (screen.path) return;
  const page = await borrow(screen.as ?? seenBy(screen)[0], 'ja', 1440);
  await page.goto(base + (SCREENS.find((other) => other.name === screen.from)?.path ?? screen.from));
  const link = page.locator(screen.link).first();
  screen.path = await link.count() > 0 ? await link.getAttribute('href') : undefined;
  if (!screen.path) report(screen.name, [`${screen.from} has no ${screen.link}`]);
  giveBack(page, screen.name);
};

// Every other role is told that it may not, and gets nothing of the page.
const refusals = async (role) => {
  const page = await open(states[role], 'ja', 1440);
  const asked = screens.filter((screen) => screen.path && !screen.status && !screen.act && !screen.fill && screen.path !== '/');
  for (const screen of asked.filter((screen) => !OUTSIDE.includes(screen.sees))) {
    const sees = seenBy(screen).includes(role);
    const wanted = sees ? 200 : screen.hides === role ? 404 : 403;
    const answer = await page.request.get(base + screen.path, { maxRedirects: 0 });
    if (answer.status() !== wanted) report(`${screen.name}.${role}`, [`status ${answer.status()} instead of ${wanted}`]);
  }
  await page.context().close();
};

const jobs = (writes) => {
  const list = [];
  for (const screen of screens.filter((screen) => screen.path && Boolean(screen.writes) === writes)) {
    const [first, ...others] = seenBy(screen);
    for (const language of LANGUAGES) {
      for (const width of Object.keys(SIZES).map(Number)) {
        const more = {
          schemes: schemes(language, width),
          weigh: language === 'ja' && width === 1440,
          tab: language === 'ja' && (allForms || width === 1440),
          print: screen.print && language === 'ja' && width === 1440,
        };
        list.push(() => lookAt(screen, first, language, width, more));
      }
    }
    // Other roles have other buttons: one look each.
    for (const role of others) list.push(() => lookAt(screen, role, 'ja', 1440, { schemes: ['light'] }));
  }
  if (!writes) list.push(...ROLES.map((role) => () => refusals(role)));
  return list;
};

const all = async (list) => {
  const worker = async () => { while (list.length > 0) await list.shift()(); };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await closeFree();
};

const states = { nobody: undefined };
const began = Date.now();
await mkdir(out, { recursive: true });
try {
  for (const role of [...ROLES, 'newcomer']) states[role] = await signIn(people[role]);
  await guard(await signIn(people.guarded));
  states.hostile = await signIn(hostile);
  for (const screen of SCREENS) await resolve(screen);
  await all(jobs(false));
  const walk = { base, open, states, screens, report, out, people };
  const walks = (steps) => all(steps.map((step) => async () => {
    try { await step(walk); } catch (error) { report(step.name, [`does not get to its end: ${error.message.split('\n')[0]}`]); }
  }));
  // Those that only look, then those that change something.
  await walks([sameWithoutScript, wrongSignIn, liveRows]);
  await all(jobs(true));
  await walks([hostileContract, formsWithoutScript, keyboard]);
  const run = { looks, faults, screens, sizes: Object.keys(SIZES), languages: LANGUAGES, roles: ROLES, allForms };
  await sheet(browser, out, run);
  if (process.env.DOCS && allForms && faults.length === 0 && !only) await publish(process.env.DOCS, out, run);
} finally {
  await browser.close();
}
console.log(`${screens.length} screens, ${looks.length} looks, ${faults.length} faults, ${Math.round((Date.now() - began) / 1000)} s`);
process.exit(faults.length === 0 ? 0 : 1);

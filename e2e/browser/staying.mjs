// The question before a session ends, in a real browser: several tabs, keyboard alone, a half-filled form, the end, and
// signing in again.
//
//   MNGNTIME_URL       address of a server whose contract signs out after ONE minute: 30 seconds before, the question comes
//   MNGNTIME_LOGIN     login of an administrator of the contract
//   MNGNTIME_PASSWORD  the password
//   MNGNTIME_OTHER     login of somebody else of the contract, with the same password
//   OUT                directory for screenshots (default: ./out)
//   CHROMIUM           browser to run (default: /usr/bin/chromium)
//
// Prints one line per check and ends with a status other than 0 when any of them failed. Takes three minutes of waiting.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { listen, look } from './looks.mjs';

const need = (name) => {
  const value = process.env[name];
  if (!value) { console.error(`${name} is not set`); process.exit(2); }
  return value;
};
const base = need('MNGNTIME_URL').replace(/\/$/, '');
const [login, password, other] = ['MNGNTIME_LOGIN', 'MNGNTIME_PASSWORD', 'MNGNTIME_OTHER'].map(need);
const out = path.resolve(process.env.OUT ?? 'out');

let failed = 0;
const check = (name, ok, more = '') => {
  if (!ok) failed += 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${ok || more === '' ? '' : `: ${more}`}`);
};

const tab = async (context) => {
  const page = await context.newPage();
  await listen(page);
  return page;
};
const signIn = async (page, user = login) => {
  await page.fill('#user', user);
  await page.fill('#pass', password);
  await Promise.all([page.waitForNavigation(), page.click('.card button[type=submit]')]);
};
const OPEN = 'dialog.stay[open]';
const opens = (page, ms = 50000) => page.waitForSelector(OPEN, { timeout: ms }).then(() => true, () => false);
const closes = (page, ms = 5000) => page.waitForSelector(OPEN, { state: 'detached', timeout: ms }).then(() => true, () => false);
const shown = (page) => page.evaluate(() => document.querySelector('dialog.stay').dataset.shows);
const focused = (page) => page.evaluate(() => document.activeElement?.textContent.trim() || document.activeElement?.id);
// Back at a page that the browser had put away: it asks the server at once.
const comeBack = (page) => page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
const typed = { code: 'T-STAY', name: '入力 途中' };
const keeps = async (page, what) => {
  const now = [await page.inputValue('#a-code'), await page.inputValue('#a-name')];
  check(what, now[0] === typed.code && now[1] === typed.name, now.join(' '));
};

// The question is whole for whoever cannot see it, and nothing behind it can be reached.
const question = async (page) => {
  const named = await page.evaluate(() => {
    const dialog = document.querySelector('dialog.stay');
    const text = (attribute) => dialog.getAttribute(attribute).split(' ').map((id) => document.getElementById(id).textContent).join(' ');
    return { role: dialog.getAttribute('role'), name: text('aria-labelledby'), more: text('aria-describedby') };
  });
  check('the question is an alert with a name, a text and the time that is left',
    named.role === 'alertdialog' && named.name === 'まもなくサインアウトします' && /あと約\d+秒/.test(named.more), JSON.stringify(named));
  check('the button has the focus', await focused(page) === '続ける', await focused(page));
  for (let n = 0; n < 4; n += 1) await page.keyboard.press('Tab');
  check('Tab does not leave the question for the page behind it', await page.evaluate(() => {
    const at = document.activeElement;
    return at === document.body || document.querySelector('dialog.stay').contains(at);
  }));
  check('the title of the tab says so, too', (await page.title()).startsWith('まもなくサインアウト'), await page.title());
};

const goingOn = async (a, b) => {
  await a.fill('#a-code', typed.code);
  await a.fill('#a-name', typed.name);
  check('the question comes by itself', await opens(a));
  check('in the other tab, too', await opens(b, 8000));
  await question(a);
  await a.focus('[data-stay-on]');
  await a.keyboard.press('Enter');
  check('Enter on the button closes it', await closes(a));
  check('and in the other tab', await closes(b));
  check('the field has the focus again', await focused(a) === 'a-name', await focused(a));
  check('the title is as before', !(await a.title()).includes('まもなく'));
  await keeps(a, 'what was typed is there');
  check('it comes again', await opens(b));
  await b.keyboard.press('Escape');
  check('Escape is an answer, too', await closes(b) && await closes(a));
};

const theEnd = async (context, a) => {
  check('it comes a third time', await opens(a));
  await a.waitForFunction(() => document.querySelector('dialog.stay').dataset.shows === 'over', null, { timeout: 45000 }).catch(() => {});
  check('unanswered, it says that the session is over', await shown(a) === 'over', await shown(a));
  await a.click('[data-stay-away]');
  await keeps(a, 'what was typed is there after the end');
  await a.click('.addform button[type=submit]');
  check('a form that would be lost is held back', await opens(a, 5000) && new URL(a.url()).pathname === '/employees');
  const [c] = await Promise.all([context.waitForEvent('page'), a.click(`${OPEN} a:not([hidden])`)]);
  await listen(c);
  await c.waitForLoadState();
  await signIn(c);
  check('signing in in another tab leads to the same page', new URL(c.url()).pathname === '/employees', c.url());
  check('and this one goes on', await closes(a));
  await keeps(a, 'with what was typed');
  await Promise.all([a.waitForNavigation(), a.click('.addform button[type=submit]')]);
  check('which is saved now', await a.locator('.banner--ok').count() === 1);
  return c;
};

const another = async (a, c) => {
  await Promise.all([c.waitForNavigation(), c.evaluate(() => document.querySelector('form[action="/logout"]').requestSubmit())]);
  await signIn(c, other);
  check('somebody else signs in: the first page says so', await opens(a, 8000) && await shown(a) === 'other', await shown(a));
  // Nothing behind the message takes a letter while it is open.
  await a.click('[data-stay-away]');
  await a.fill('#a-code', 'T-WRONG');
  await a.fill('#a-name', 'x');
  await a.click('.addform button[type=submit]');
  check('and sends nothing in their name', await opens(a, 5000) && await shown(a) === 'other');
};

// Each case in every form; the server's answer is made up, so that nobody waits for twelve hours.
const looks = async (browser, page) => {
  const state = await page.context().storageState();
  for (const [language, width, scheme] of [['ja', 1440, 'light'], ['ja', 390, 'light'], ['en', 1440, 'dark'], ['en', 390, 'light'], ['ja', 390, 'dark'], ['en', 390, 'dark']]) {
    const context = await browser.newContext({ viewport: { width, height: width < 500 ? 844 : 900 }, storageState: state });
    await context.addCookies([{ name: 'mngntime_language', value: language, url: base }]);
    const seen = await tab(context);
    await seen.goto(`${base}/me/security`);
    for (const [name, answer] of [
      ['idle', { left: 150, warned: 180, why: 'idle', who: other }],
      ['day', { left: 250, warned: 300, why: 'day', who: other }],
      ['other', { left: 900, warned: 180, why: 'idle', who: 'somebody' }],
      ['over', null],
    ]) {
      await seen.route('**/session', (route) => (answer ? route.fulfill({ json: answer, headers: { 'content-security-policy': "default-src 'none'" } }) : route.fulfill({ status: 303, headers: { location: '/login', 'content-security-policy': "default-src 'none'" } })));
      await comeBack(seen);
      await seen.waitForFunction((wanted) => document.querySelector('dialog.stay').dataset.shows === wanted, name, { timeout: 5000 }).catch(() => {});
      check(`${name} is shown`, await shown(seen) === name, await shown(seen));
      const faults = await look(seen, `staying-${name}.${language}.${width}`, out, [scheme]);
      check(`${name}, ${language}, ${width} px, ${scheme}`, faults.length === 0, faults.join('; '));
      await seen.unroute('**/session');
    }
    await context.close();
  }
};

await mkdir(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'ja' });
  const [a, b] = [await tab(context), await tab(context)];
  await a.goto(`${base}/login?next=/employees`);
  await signIn(a);
  await b.goto(`${base}/me/security`);
  await goingOn(a, b);
  const c = await theEnd(context, a);
  await another(a, c);
  for (const page of [a, b, c]) check('nothing was complained of', page.complaints.length === 0, page.complaints.join(' | '));
  await looks(browser, c);
} catch (error) {
  check('the walk comes to its end', false, error.stack.split('\n').slice(0, 3).join(' '));
} finally {
  await browser.close();
}
console.log(failed === 0 ? 'all checks passed' : `${failed} checks failed`);
process.exit(failed === 0 ? 0 : 1);

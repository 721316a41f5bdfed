// The HR officer's job on a running server in a real browser. What each page looks like: screens.mjs.
//
//   MNGNTIME_URL       address of the server, such as http://127.0.0.1:8080
//   MNGNTIME_LOGIN     login of somebody who may link accounts (role administrator or hr)
//   MNGNTIME_PASSWORD  the password
//   OUT                directory for screenshots (default: ./out)
//   CHROMIUM           browser to run (default: /usr/bin/chromium)
//
// Needs at least one stored punch with res=7. Prints one line per check and ends with a status other than 0
// when any of them failed. Links ONE account to a new employee; everything else only looks.
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

const need = (name) => {
  const value = process.env[name];
  if (!value) { console.error(`${name} is not set`); process.exit(2); }
  return value;
};
const base = need('MNGNTIME_URL').replace(/\/$/, '');
const login = need('MNGNTIME_LOGIN');
const password = need('MNGNTIME_PASSWORD');
const out = path.resolve(process.env.OUT ?? 'out');
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

let failed = 0;
const check = (name, ok, more = '') => {
  if (!ok) failed += 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${ok || more === '' ? '' : `: ${more}`}`);
  return ok;
};

const open = async (browser, language, width, options = {}) => {
  // axe is put in from outside; the page's own policy stays as it is, except for that one script.
  const context = await browser.newContext({ viewport: { width, height: width < 500 ? 844 : 1000 }, locale: language, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => {
    const expected = /status of (403|404|422)/.test(message.text());
    if (message.type() === 'error' && !expected) page.problems.push(message.text());
  });
  return page;
};

const signIn = async (page) => {
  await page.goto(`${base}/login`);
  await page.fill('#user', login);
  await page.fill('#pass', password);
  await Promise.all([page.waitForNavigation(), page.click('.card button[type=submit]')]);
};

const shot = (page, name) => page.screenshot({ path: path.join(out, `${name}.png`), fullPage: true });

// Every look at a page: it fits its width, nothing complains, axe finds nothing.
const look = async (page, name) => {
  await shot(page, name);
  const width = page.viewportSize().width;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  check(`${name}: fits ${width} px`, wide <= width, `${wide} px`);
  check(`${name}: no errors in the console`, page.problems.length === 0, page.problems.join(' | '));
  page.problems.length = 0;
  // evaluate() runs in the page without a <script>, so the Content-Security-Policy need not be weakened.
  await page.evaluate(source);
  const found = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags } }), TAGS);
  const violations = found.violations.map((v) => `${v.id} (${v.nodes.length}) ${v.nodes[0].target.join(' ')}`);
  check(`${name}: axe ${TAGS.join(',')}`, violations.length === 0, violations.join('; '));
};

const { readFile } = await import('node:fs/promises');
const source = await readFile(axe, 'utf8');

const text = async (page, selector) => (await page.locator(selector).first().textContent()).trim();

// A row of the list that has res=7, and how many rows of its account the first page has.
const waitingRow = (page) => page.locator('tr:has(.c-res .res:text-is("7"))').first();

const link = async (browser) => {
  const page = await open(browser, 'ja', 1440);
  await signIn(page);
  check('signing in leads to the punch log', new URL(page.url()).pathname === '/punches', page.url());

  const rowsBefore = await page.locator('tr[data-href]').count();
  check('/punches has rows', rowsBefore > 0);
  await page.check('input[name=errors]');
  await Promise.all([page.waitForNavigation(), page.click('.filters__acts button')]);
  check('filter: errors=1 is in the address', new URL(page.url()).searchParams.get('errors') === '1', page.url());
  const rows = await page.locator('tr[data-href]').count();
  const marus = await page.locator('tr[data-href] .c-err .maru').count();
  check('filter: every row has ○', rows > 0 && rows === marus, `${marus} of ${rows}`);
  await shot(page, 'errors');

  // Newer errors of other kinds may fill the first pages.
  while (await waitingRow(page).count() === 0 && await page.locator('a[rel=next]').count() > 0) {
    await Promise.all([page.waitForNavigation(), page.click('a[rel=next]')]);
  }
  const waiting = waitingRow(page);
  if (!check('there is a row with res=7', await waiting.count() === 1)) return null;
  const account = await waiting.locator('.pick').inputValue();
  const picks = page.locator(`.pick[value="${account}"]`);
  const many = await picks.count();
  for (let n = 0; n < many; n += 1) await picks.nth(n).check();
  check('selection: the count follows', await text(page, '[data-pick-count]') === String(many));
  await shot(page, 'selected');
  await Promise.all([page.waitForNavigation(), page.click('.bulk button[type=submit]')]);
  check('registering: the form opens', new URL(page.url()).pathname === '/accounts/link', page.url());
  check('registering: one account, however many rows', await page.locator('.linkrow').count() === 1);

  await Promise.all([page.waitForNavigation(), page.click('.confirm button[type=submit]')]);
  check('registering: an empty employee is refused', await page.locator('.linkrow.is-error').count() === 1);
  await look(page, 'link-invalid.ja.1440');

  const code = `T${Date.now().toString(36).toUpperCase()}`;
  await page.check('input[name=mode-0][value=new]');
  await page.fill('#c-0', code);
  await page.fill('#n-0', '試験 花子');
  await Promise.all([page.waitForNavigation(), page.click('.confirm button[type=submit]')]);
  check('registering: the confirmation names the new employee', (await text(page, 'tbody')).includes(code));
  const judged = Number(await text(page, '.confirm b'));
  check('registering: the confirmation counts punches', judged >= 1, String(judged));
  await look(page, 'link-confirm.ja.1440');

  await Promise.all([page.waitForNavigation(), page.click('button[name=step][value=save]')]);
  const banner = await text(page, '.banner--ok .banner__t');
  check('registering: the message says how many', banner.includes(`${judged}件`), banner);
  await look(page, 'link-done.ja.1440');

  await page.goto(`${base}/punches?account=${account}`);
  const own = page.locator('tr[data-href]');
  const count = await own.count();
  const coded = await page.locator(`tr[data-href]:has(.c-emp .code:text-is("${code}"))`).count();
  check('the rows belong to the employee now', count > 0 && coded > 0, `${coded} of ${count}`);
  const sevens = await page.locator('tr[data-href] .c-res .res:text-is("7")').count();
  check('the rows have lost their ○ of res=7', sevens === 0, `${sevens} left`);
  const clean = await page.locator(`tr[data-href]:has(.c-emp .code:text-is("${code}")) .c-err`).first().textContent();
  check('an accepted row has an empty error cell', clean === '', JSON.stringify(clean));
  await page.locator('tr[data-href] a[data-row]').first().click();
  await page.waitForSelector('.drawer');
  check('the history says why', (await text(page, '.drawer tbody')).includes('マスタ登録'));
  await shot(page, 'linked');
  await days(page);
  await page.context().close();
  return account;
};

// The linked person's month and day, as pictures and as tables.
const days = async (page) => {
  await page.goto(`${base}/days`);
  const month = await page.locator('tbody th a').first().getAttribute('href');
  await page.goto(base + month);
  const day = await page.locator('.rows--month tr:has(.b-active) .m-date a').first().getAttribute('href');
  await page.goto(base + day);
  const drawn = await page.locator('.lane__pic .edge:not(.b-unwatched)').count();
  const rows = await page.locator('.rows--bands tbody tr:not(:has(.b-unwatched))').count();
  check('the table has a row for every band of the picture', drawn > 0 && drawn === rows, `${drawn} ${rows}`);
  await page.locator('.lane__pic a:has(use)').last().click();
  check('a mark opens its event', (await text(page, 'pre.raw')).includes('"kind"'));
};

await mkdir(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  await link(browser);
} catch (error) {
  check('the walk comes to its end', false, error.message.split('\n')[0]);
} finally {
  await browser.close();
}
console.log(failed === 0 ? 'all checks passed' : `${failed} checks failed`);
process.exit(failed === 0 ? 0 : 1);

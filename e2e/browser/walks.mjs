// Ways through several pages: by keyboard alone, without script, and past hostile names.
import { content, look, tab } from './looks.mjs';

const text = async (page, selector) => (await page.locator(selector).first().textContent()).trim();

// Presses Tab until `selector` has the focus.
const tabTo = async (page, selector, max = 250) => {
  for (let n = 0; n < max; n += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  throw new Error(`${selector} is not reached by Tab`);
};

const enter = (page, key = 'Enter') => Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);

// The officer's day without a mouse: sign in, skip to the list, filter errors, select, register, confirm, sign out.
export const keyboard = async ({ base, open, people, report, out }) => {
  const page = await open(undefined, 'ja', 1440);
  const check = (what, ok) => { if (!ok) report('keyboard', [what]); };
  await page.goto(`${base}/login`);
  check('the login has the focus at once', await page.evaluate(() => document.activeElement?.id === 'user'));
  await page.keyboard.type(people.hr[0]);
  await page.keyboard.press('Tab');
  await page.keyboard.type(people.hr[1]);
  await enter(page);
  check('signing in leads to the punch log', new URL(page.url()).pathname === '/punches');

  await page.keyboard.press('Tab');
  check('the first stop is the link past the menu', await page.evaluate(() => document.activeElement?.matches('.skip') && document.activeElement.getBoundingClientRect().top >= 0));
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  check('behind it, the next stop is in the content', await page.evaluate(() => document.querySelector('main').contains(document.activeElement)));

  await tabTo(page, 'input[name=errors]');
  await page.keyboard.press('Space');
  await enter(page);
  check('only errors are asked for', new URL(page.url()).searchParams.get('errors') === '1');
  check('only errors are shown', await page.locator('tr[data-href]').count() === await page.locator('tr[data-href] .c-err .maru').count());

  await tabTo(page, 'tr:has(.c-res .res) a[data-row]');
  await enter(page);
  // Going to the row's place in the list comes first, and takes the focus with it.
  const inDetail = () => document.activeElement?.closest('.drawer') != null;
  check('the detail opens and gets the focus', await page.waitForFunction(inDetail).then(() => true, () => false));
  await enter(page, 'Escape');
  check('Escape closes the detail', await page.locator('.drawer').count() === 0);

  // Newer errors of other kinds may fill the first pages.
  while (await page.locator('tr:has(.c-res .res:text-is("7"))').count() === 0) {
    await tabTo(page, 'a[rel=next]');
    await enter(page);
  }
  const account = await page.locator('tr:has(.c-res .res:text-is("7")) .pick').first().inputValue();
  await tabTo(page, `.pick[value="${account}"]`);
  await page.keyboard.press('Space');
  check('the selection is counted', await text(page, '[data-pick-count]') === '1');
  await tabTo(page, '.bulk button[type=submit]');
  await enter(page);
  check('the form is there', new URL(page.url()).pathname === '/accounts/link');
  page.expected = 422;
  await tabTo(page, '.confirm button[type=submit]');
  await enter(page);
  check('an empty employee is refused, with a link to the field', await page.locator('.banner--error a[href^="#"]').count() === 1);
  await tabTo(page, 'input[name=mode-0]');
  await page.keyboard.press('ArrowDown');
  const code = `K${Date.now().toString(36).toUpperCase()}`;
  await tabTo(page, '#c-0');
  await page.keyboard.type(code);
  await page.keyboard.press('Tab');
  await page.keyboard.type('鍵盤 太郎');
  await tabTo(page, '.confirm button[type=submit]');
  await enter(page);
  check('the confirmation names the employee', (await text(page, 'tbody')).includes(code));
  report('keyboard', (await look(page, 'link-confirm.ja.1440', out)).concat(await tab(page)));
  await page.evaluate(() => document.activeElement?.blur());
  await tabTo(page, 'button[name=step][value=save]');
  await enter(page);
  check('the message says that it is done', await page.locator('.banner--ok[role=status]').count() === 1);
  report('keyboard', await look(page, 'link-done.ja.1440', out));
  await tabTo(page, '.topbar__end summary');
  await page.keyboard.press('Enter');
  await tabTo(page, 'form[action="/logout"] button');
  await enter(page);
  check('signing out leads to the sign-in', new URL(page.url()).pathname === '/login');
  await page.context().close();
};

// Every page has the same content without script. Nothing may change what the server keeps meanwhile.
export const sameWithoutScript = async ({ base, open, states, screens, report }) => {
  const pages = {};
  for (const screen of screens.filter((screen) => screen.content && !screen.act && !screen.moves)) {
    const [role] = screen.sees.split(' ');
    const page = pages[role] ??= await open(states[role], 'ja', 390, { javaScriptEnabled: false });
    page.expected = screen.status ?? 200;
    await page.goto(base + screen.path);
    const [with_, without] = [JSON.stringify(screen.content), JSON.stringify(await content(page))];
    if (with_ !== without) report(`${screen.name} without script`, [`${without} instead of ${with_}`]);
    const dead = await page.locator('[data-js]').evaluateAll((all) => all.filter((e) => e.checkVisibility()).length);
    if (dead > 0) report(`${screen.name} without script`, [`${dead} buttons that do nothing`]);
  }
  for (const page of Object.values(pages)) { report('without script', page.complaints); await page.context().close(); }
};

// The forms people need work without script.
export const formsWithoutScript = async ({ base, open, states, report }) => {
  const page = await open(states.administrator, 'ja', 390, { javaScriptEnabled: false });
  const check = (what, ok) => { if (!ok) report('without script', [what]); };
  const press = (selector) => Promise.all([page.waitForNavigation(), page.locator(selector).first().click()]);
  await page.goto(`${base}/punches`);
  await page.locator('.filters summary').click();
  await page.check('input[name=errors]');
  await press('.filters__acts button');
  check('filtering', page.url().includes('errors=1'));
  await page.locator('.pick').first().check();
  await press('.bulk button[type=submit]');
  check('selecting and registering', await page.locator('.linkrow').count() === 1);
  await page.goto(`${base}/employees`);
  const code = `N${Date.now().toString(36).toUpperCase()}`;
  await page.locator('form[method=post] input[name=code]').fill(code);
  await page.locator('form[method=post] input[name=name]').fill('無 花子');
  await press('form[method=post][action="/employees"] button, .addform button');
  check('adding an employee', await page.locator('.banner--ok').count() === 1);
  await page.goto(`${base}/terminals`);
  await press('.rows--fleet a[data-row]');
  await press('a[href$="/block"]');
  await press('form button.btn--danger');
  check('blocking a terminal', await page.locator('.status--blocked').count() > 0);
  await press('form[action$="/unblock"] button');
  check('unblocking it', await page.locator('.status--blocked').count() === 0);
  await press('.lang a');
  check('switching the language', await page.getAttribute('html', 'lang') === 'en');
  await page.context().close();
};

// A contract whose every name tries to be markup, to turn lines round or to burst the page: text on every screen.
export const hostileContract = async ({ base, open, states, screens, report, out }) => {
  await hostilePeople({ base, open, states, report });
  for (const width of [390, 1440]) {
    const page = await open(states.hostile, 'ja', width);
    const places = {};
    for (const screen of screens.filter((screen) => !screen.status && screen.sees.includes('administrator'))) {
      places[screen.name] = screen.path;
      if (screen.from) {
        await page.goto(base + (places[screen.from] ?? screen.from));
        const link = page.locator(screen.link).first();
        if (await link.count() === 0) { report(`hostile.${screen.name}`, ['there is nothing to look at']); continue; }
        places[screen.name] = await link.getAttribute('href');
      }
      await page.goto(base + places[screen.name]);
      const found = await look(page, `hostile.${screen.name}.${width}`, out, ['light']);
      if (await page.evaluate(() => 'hacked' in globalThis)) found.push('a script from outside ran');
      report(`hostile.${screen.name}.${width}`, found);
    }
    await page.context().close();
  }
};

const HOSTILE_PEOPLE = [
  ['H1', '<script>globalThis.hacked=1</script>', '"><img src=x onerror=globalThis.hacked=1>'],
  ['H2', '\u202egnp.exe 花子', '営業\u2066部'],
  ['H3', '無限'.repeat(30), 'W'.repeat(60)],
];

// Employees with such names, one of them linked to an account, made as a person would.
const hostilePeople = async ({ base, open, states, report }) => {
  const page = await open(states.hostile, 'ja', 1440);
  const press = (selector) => Promise.all([page.waitForNavigation(), page.locator(selector).first().click()]);
  for (const [code, name, department] of HOSTILE_PEOPLE) {
    await page.goto(`${base}/employees`);
    await page.fill('#a-code', code);
    await page.fill('#a-name', name);
    await page.fill('#a-dep', department);
    await press('.addform button[type=submit]');
    if (await page.locator('.banner--ok').count() !== 1) report('hostile', [`${code} is not taken`]);
  }
  await page.goto(`${base}/accounts`);
  await press('a[href^="/accounts/link?"]');
  await page.fill('#e-0', 'H1');
  await press('.confirm button[value=preview]');
  await press('.confirm button[value=save]');
  if (await page.locator('.banner--ok').count() !== 1) report('hostile', ['no account is linked']);
  report('hostile', page.complaints);
  await page.context().close();
};

// A sign-in that fails says so, keeps the login, and says nothing about which of the two was wrong.
export const wrongSignIn = async ({ base, open, report, out }) => {
  const page = await open(undefined, 'ja', 390);
  page.expected = 422;
  await page.goto(`${base}/login`);
  await page.fill('#user', 'nobody.at.all');
  await page.fill('#pass', 'nobody.at.all');
  await Promise.all([page.waitForNavigation(), page.click('.card button[type=submit]')]);
  const found = await look(page, 'login-failed.ja.390', out);
  if (await page.locator('.banner--error[role=alert]').count() !== 1) found.push('nothing says that it failed');
  report('login-failed', found);
  await page.context().close();
};

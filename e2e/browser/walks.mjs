// Ways through several pages: by keyboard alone, without script, and past hostile names.
import { content, look, tab } from './looks.mjs';

const text = async (page, selector) => (await page.locator(selector).first().textContent()).trim();

// Fills in what leads to the screen; what is wrong with the answer.
export const fillIn = async (page, screen, asked) => {
  const wanted = screen.filled ?? 200;
  let status;
  const note = (response) => { if (response.request().isNavigationRequest()) status = response.status(); };
  page.on('response', note);
  page.expected = wanted;
  await screen.fill(page, asked);
  page.off('response', note);
  return status === wanted ? [] : [`filled in: status ${status} instead of ${wanted}`];
};

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
  const onRow = () => document.activeElement?.matches('tr:target a[data-row]');
  check('the row that was open has the focus again', await page.waitForFunction(onRow).then(() => true, () => false));

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

// New, late and mended punches come into the list by themselves, and nothing moves while somebody selects. The server's
// own answer is used, with rows of it changed on the way.
export const liveRows = async ({ base, open, states, report }) => {
  const page = await open(states.hr, 'ja', 1440);
  const check = (what, ok) => { if (!ok) report('live', [what]); };
  let change = (html) => html;
  let asked = 0;
  await page.route('**/punches/newer?*', async (route) => {
    const answer = await route.fetch();
    asked += 1;
    await route.fulfill({ response: answer, body: change(await answer.text()) });
  });
  const ask = async () => {
    const answered = page.waitForResponse('**/punches/newer?*');
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await (await answered).finished();
  };
  const ids = () => page.locator('.rows--punch tr[id]').evaluateAll((all) => all.map((row) => row.id));
  await page.goto(`${base}/punches`);
  const before = await ids();
  await ask();
  check('nothing changes while nothing happens', JSON.stringify(await ids()) === JSON.stringify(before));

  // A new one above the first, a late one above the third, another result in the second, another count.
  const row = (html, id) => html.match(new RegExp(`<tr [^>]*id="${id}"[^]*?</tr>`))[0];
  const above = (html, id, made) => html.replace(row(html, id), row(html, id).replace(id, made) + row(html, id));
  change = (html) => above(above(html, before[0], 'r-new.1'), before[2], 'r-late.1')
    .replace(row(html, before[1]), row(html, before[1]).replace('c-user">', 'c-user">改'))
    .replace(/(class="strip__n">)\d+/, '$112345');
  await page.locator(`[id="${before[3]}"] a[data-row]`).focus();
  await ask();
  check('a new row comes in at the top and a late one in its place', await page.waitForFunction(
    (wanted) => JSON.stringify(Array.from(document.querySelectorAll('.rows--punch tr[id]'), (r) => r.id).slice(0, 5)) === wanted,
    JSON.stringify(['r-new.1', before[0], before[1], 'r-late.1', before[2]])).then(() => true, () => false));
  check('a changed row is replaced', (await text(page, `[id="${before[1]}"] .c-user`)).includes('改'));
  check('the head counts them', (await text(page, '.strip__n')).includes('12345'));
  check('it is announced', (await text(page, '[data-live-said][role=status]')).includes('2'));
  check('the focus stays', await page.evaluate((id) => document.activeElement?.closest('tr')?.id === id, before[3]));

  // One that is no longer in the list, with more behind the page and at the end of all.
  const gone = (wanted) => page.waitForFunction(
    (all) => all.every((id) => document.getElementById(id) === null), wanted).then(() => true, () => false);
  change = (html) => html.replace(row(html, before[1]), '');
  await ask();
  check('what has left the list goes', await gone(['r-new.1', 'r-late.1', before[1]]));
  const last = before.at(-1);
  change = (html) => html.replace(' data-live-more', '').replace(row(html, last), '');
  await ask();
  check('at the end of the list, too', await gone([last]));

  await page.locator('.pick').nth(1).check();
  check('it says that it waits', (await text(page, '[data-live-state]')) === await page.getAttribute('.live', 'data-live-paused'));
  const then = asked;
  change = (html) => html;
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.evaluate(() => fetch('/punches/newer?than=x'));
  check('nothing is asked for while rows are selected', asked === then + 1);
  await page.goto(`${base}/punches`);
  await Promise.all([page.waitForNavigation(), page.click('a[rel=next]')]);
  check('a later page stays as it is', await page.locator('[data-live]').count() === 0);
  await Promise.all([page.waitForNavigation(), page.click('a[rel=first]')]);
  check('a later page leads to the first', await page.locator('[data-live]').count() === 1);
  report('live', page.complaints);
  await page.context().close();
};

// Every page has the same content without script. Nothing may change what the server keeps meanwhile.
export const sameWithoutScript = async (walk) => {
  const compared = walk.screens.filter((screen) => screen.content && !screen.act && !screen.fill && !screen.moves);
  const [roleOf, roles] = [(screen) => screen.sees.split(' ')[0], Object.keys(walk.states)];
  await Promise.all(roles.map((role) => withoutScript(walk, role, compared.filter((screen) => roleOf(screen) === role))));
};

const withoutScript = async ({ base, open, states, report }, role, screens) => {
  const page = await open(states[role], 'ja', 390, { javaScriptEnabled: false });
  for (const screen of screens) {
    page.expected = screen.status ?? 200;
    await page.goto(base + screen.path);
    const [with_, without] = [JSON.stringify(screen.content), JSON.stringify(await content(page))];
    if (with_ !== without) report(`${screen.name} without script`, [`${without} instead of ${with_}`]);
    const dead = await page.locator('[data-js]').evaluateAll((all) => all.filter((e) => e.checkVisibility()).length);
    if (dead > 0) report(`${screen.name} without script`, [`${dead} buttons that do nothing`]);
  }
  report('without script', page.complaints);
  await page.context().close();
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
export const hostileContract = async (walk) => {
  await hostilePeople(walk);
  await Promise.all([390, 1440].map((width) => hostileScreens(walk, width)));
};

const hostileScreens = async ({ base, open, states, screens, report, out, people }, width) => {
  const page = await open(states.hostile, 'ja', width);
  const places = {};
  for (const screen of screens.filter((screen) => !screen.status && !screen.long && screen.sees.includes('administrator'))) {
    places[screen.name] = screen.path;
    if (screen.from) {
      await page.goto(base + (places[screen.from] ?? screen.from));
      const link = page.locator(screen.link).first();
      if (await link.count() === 0) { report(`hostile.${screen.name}`, ['there is nothing to look at']); continue; }
      places[screen.name] = await link.getAttribute('href');
    }
    page.expected = 200;
    await page.goto(base + places[screen.name]);
    const found = screen.fill ? await fillIn(page, screen, { employee: HOSTILE_PEOPLE[0][0], people }) : [];
    found.push(...await look(page, `hostile.${screen.name}.${width}`, out, ['light']));
    if (await page.evaluate(() => 'hacked' in globalThis)) found.push('a script from outside ran');
    report(`hostile.${screen.name}.${width}`, found);
  }
  await page.context().close();
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
    await page.goto(`${base}/departments`);
    await page.fill('#a-code', `D-${code}`);
    await page.fill('#a-name', department);
    await press('form[action="/departments"] button[type=submit]');
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

// Signing in with everything there is, in a real browser: passkeys by Chromium's own virtual authenticator, one-time
// codes, recovery codes, and another provider (the certified `oidc-provider`, run here on loopback).
//
//   MNGNTIME_URL       address of the server with a host name, such as http://localhost:8080
//   MNGNTIME_LOGIN     login of an administrator without a second factor
//   MNGNTIME_PASSWORD  the password
//   PROVIDER_PORT      port on 127.0.0.1 that the server's oidc_issuer names; the provider is started there
//   PROVIDER_SECRET    the client's secret, as in oidc_client_secret_file
//   PROVIDER_LOGIN     login of somebody whose e-mail address the provider has verified
//   OUT                directory for screenshots (default: ./out)
//   CHROMIUM           browser to run (default: /usr/bin/chromium)
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { step, totp } from './totp.mjs';

const need = (name) => {
  const value = process.env[name];
  if (!value) { console.error(`${name} is not set`); process.exit(2); }
  return value;
};
const base = need('MNGNTIME_URL').replace(/\/$/, '');
const login = need('MNGNTIME_LOGIN');
const password = need('MNGNTIME_PASSWORD');
const out = path.resolve(process.env.OUT ?? 'out');
const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

let failed = 0;
const check = (name, ok, more = '') => {
  if (!ok) failed += 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${ok || more === '' ? '' : `: ${more}`}`);
  return ok;
};
const at = (page) => new URL(page.url()).pathname;
const go = (page, action) => Promise.all([page.waitForNavigation(), action]);

const open = async (browser, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: 'ja', ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (403|404|422)/.test(message.text())) page.problems.push(message.text());
  });
  return page;
};

// A page in both languages, widths and colours: fits, complains of nothing, passes axe.
const look = async (page, name) => {
  for (const [language, width, scheme] of [['ja', 1440, 'light'], ['ja', 390, 'light'], ['en', 1440, 'light'], ['en', 390, 'dark'], ['ja', 1440, 'dark']]) {
    await page.context().addCookies([{ name: 'mngntime_language', value: language, url: base }]);
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: width < 500 ? 844 : 1000 });
    if (name.startsWith('get-')) await page.reload();
    const what = `${name.replace('get-', '')}-${language}-${width}-${scheme}`;
    await page.screenshot({ path: path.join(out, `${what}.png`), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(`${what}: fits`, wide <= width, `${wide} px`);
    await page.evaluate(source);
    const found = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags } }), TAGS);
    const violations = found.violations.map((v) => `${v.id} (${v.nodes.length}) ${v.nodes[0].target.join(' ')}`);
    check(`${what}: axe`, violations.length === 0, violations.join('; '));
  }
  check(`${name}: no errors in the console`, page.problems.length === 0, page.problems.join(' | '));
  page.problems.length = 0;
  await page.context().addCookies([{ name: 'mngntime_language', value: 'ja', url: base }]);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1440, height: 1000 });
};

const type = async (page, user, secret) => {
  await page.goto(`${base}/login`);
  await page.fill('#user', user);
  await page.fill('#pass', secret);
  await go(page, page.press('#pass', 'Enter'));
};
const signOut = async (page) => {
  await page.click('.topbar details.menu summary');
  await go(page, page.click('form[action="/logout"] button'));
};

const authenticator = async (page) => {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  return { session, authenticatorId };
};

const passkeys = async (browser) => {
  const page = await open(browser);
  await page.goto(`${base}/login`);
  await look(page, 'get-login');
  await type(page, login, password);
  check('a password alone signs in', at(page) !== '/login', page.url());
  check('an administrator is advised to have a second factor', await page.locator('.banner--warn a[href="/me/security"]').count() === 1);
  const { session, authenticatorId } = await authenticator(page);
  await page.goto(`${base}/me/security`);
  await page.fill('#passkey-name', '会社のPC');
  await go(page, page.click('[data-passkey-do=add]'));
  const shown = await page.locator('.codes code').allTextContents();
  check('ten recovery codes are shown once, with the first passkey', shown.length === 10);
  await look(page, 'codes');
  await page.goto(`${base}/me/security`);
  check('codes that somebody has gone on from are not shown again', (await page.goto(`${base}/me/security/recovery-codes`)) && at(page) === '/me/security', page.url());
  check('the passkey stands on the page', await page.locator('th:text-is("会社のPC")').count() === 1);
  const kept = await session.send('WebAuthn.getCredentials', { authenticatorId });
  check('the authenticator has one credential that knows its owner', kept.credentials.length === 1 && kept.credentials[0].isResidentCredential && kept.credentials[0].userHandle !== undefined);
  await look(page, 'get-security');
  await page.click('[data-passkey-do=add]');
  await page.locator('#passkey-says:visible').waitFor();
  check('the same authenticator is known', (await page.locator('#passkey-says').textContent()).includes('すでに登録されています'));
  // A session is not old enough here to be asked who it is: the button that asks stands in for the one that adds.
  await page.route('**/me/security', async (route) => {
    const answer = await route.fetch();
    const asks = 'data-passkey-do="sign-in" data-finish="/me/security/confirm/passkey"';
    await route.fulfill({ response: answer, body: (await answer.text()).replace('data-passkey-do="add"', asks) });
  });
  await page.goto(`${base}/me/security`);
  await go(page, page.click('[data-finish]'));
  check('a passkey confirms who one is', await page.locator('.banner--ok:has-text("確認しました")').count() === 1, page.url());
  await page.unroute('**/me/security');
  await signOut(page);

  let sent = null;
  page.on('request', (request) => { if (request.url().endsWith('/login/passkey/finish')) sent = request.postData(); });
  await page.goto(`${base}/login?next=%2Fterminals`);
  await go(page, page.click('[data-passkey-do=sign-in]'));
  check('a passkey signs in, and leads where one wanted to go', at(page) === '/terminals', page.url());
  const again = await page.evaluate(async (body) => {
    const answer = await fetch('/login/passkey/finish', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return `${answer.status} ${(await answer.json()).error}`;
  }, sent);
  check('the same answer does not count twice', again === '422 このパスキーでは、サインインできませんでした。', again);
  await signOut(page);

  await type(page, login, password);
  check('with a passkey, a password alone is half', at(page) === '/login/second', page.url());
  check('the passkey comes first, and has the focus', await page.evaluate(() => document.activeElement.dataset.passkeyDo === 'sign-in'));
  await look(page, 'get-second-passkey');
  await go(page, page.click('[data-passkey-do=sign-in]'));
  check('a passkey is the other half', at(page) !== '/login/second', page.url());
  await signOut(page);

  await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await page.goto(`${base}/login`);
  await page.click('[data-passkey-do=sign-in]');
  await page.locator('#passkey-says:visible').waitFor();
  check('without verification of its owner a passkey opens nothing', at(page) === '/login');
  await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  await page.route('**/login/passkey/finish', (route) => {
    const body = route.request().postDataJSON();
    body.credential.response.signature = 'AA';
    return route.continue({ postData: JSON.stringify(body) });
  });
  await page.click('[data-passkey-do=sign-in]');
  await page.locator('#passkey-says:visible').waitFor();
  check('a passkey that the server refuses is told in its words', (await page.locator('#passkey-says').textContent()) === 'このパスキーでは、サインインできませんでした。', await page.locator('#passkey-says').textContent());
  await page.unroute('**/login/passkey/finish');
  await go(page, page.click('[data-passkey-do=sign-in]'));
  return [page, shown];
};

const codes = async (page, shown) => {
  await page.goto(`${base}/me/security`);
  await go(page, page.click('form[action="/me/security/totp/start"] button'));
  const secret = await page.locator('.cmd code').textContent();
  await look(page, 'get-totp');
  const first = step();
  await page.fill('#code', totp(secret, first));
  await go(page, page.press('#code', 'Enter'));
  check('codes that there are stay', at(page) === '/me/security', page.url());
  await signOut(page);
  await type(page, login, password);
  await look(page, 'get-second');
  await page.fill('#code', totp(secret, first));
  await go(page, page.press('#code', 'Enter'));
  check('a used code is refused in words', at(page) === '/login/second' && await page.locator('[role=alert] .banner__t').count() === 1);
  await look(page, 'second-wrong');
  await page.fill('#code', totp(secret, first + 1));
  await go(page, page.press('#code', 'Enter'));
  check('the next one signs in', at(page) !== '/login/second', page.url());
  await signOut(page);
  await type(page, login, password);
  await page.fill('#code', shown[0]);
  await go(page, page.press('#code', 'Enter'));
  check('a recovery code signs in', at(page) !== '/login/second', page.url());
  await page.goto(`${base}/administrators`);
  await look(page, 'get-administrators');
  await signOut(page);
};

const withoutScript = async (browser) => {
  const page = await open(browser, { javaScriptEnabled: false });
  await page.goto(`${base}/login`);
  check('without script there is no button for passkeys', await page.locator('[data-passkey-do]:visible').count() === 0);
};

// The provider. People sign in there with any password; who they are is what they type.
const startProvider = async () => {
  const { default: Provider } = await import('oidc-provider');
  const port = Number(need('PROVIDER_PORT'));
  const people = {
    hanako: { email: need('PROVIDER_LOGIN'), email_verified: true },
    mallory: { email: need('PROVIDER_LOGIN'), email_verified: false },
    second: { email: need('PROVIDER_LOGIN'), email_verified: true },
    stranger: { email: 'stranger@example.jp', email_verified: true },
  };
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: 'mngntime', client_secret: need('PROVIDER_SECRET'), redirect_uris: [`${base}/login/provider/back`] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ['only on loopback'] },
    findAccount: (_, id) => people[id] && { accountId: id, claims: async () => ({ sub: id, ...people[id] }) },
  });
  const server = createServer(provider.callback());
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
};

const byProvider = async (browser, who) => {
  const page = await open(browser);
  await page.goto(`${base}/login`);
  await go(page, page.click('a[href^="/login/provider"]'));
  check(`${who}: the browser is at the provider`, new URL(page.url()).hostname === '127.0.0.1', page.url());
  await page.fill('input[name=login]', who);
  await page.fill('input[name=password]', 'x');
  await go(page, page.click('button[type=submit]'));
  await go(page, page.click('button[type=submit]'));
  // What the provider's own pages complain of is not ours.
  page.problems.length = 0;
  return page;
};

const provider = async (browser) => {
  const server = await startProvider();
  const unverified = await byProvider(browser, 'mallory');
  check('an address that is not verified links nobody', at(unverified) === '/login/provider/back' && await unverified.locator('.banner--error').count() === 1, unverified.url());
  const cancelled = await open(browser);
  await cancelled.goto(`${base}/login?next=%2Fterminals`);
  await go(cancelled, cancelled.click('a[href^="/login/provider"]'));
  await go(cancelled, cancelled.click('a[href$="/abort"]'));
  check('who stops at the provider is told so', await cancelled.locator('.banner--warn:has-text("取りやめました")').count() === 1, cancelled.url());
  check('and keeps where they wanted to go', await cancelled.locator('input[name=next]').inputValue() === '/terminals');
  const stranger = await byProvider(browser, 'stranger');
  check('somebody unknown is refused in words', await stranger.locator('.banner--error').count() === 1, stranger.url());
  await look(stranger, 'provider-unknown');
  const first = await byProvider(browser, 'hanako');
  check('a verified address links its owner', await first.locator('.topbar details.menu').count() === 1, first.url());
  await first.goto(`${base}/me/security`);
  check('the link stands on the page', await first.locator('form[action="/me/security/provider/remove"]').count() === 1);
  const again = await byProvider(browser, 'hanako');
  check('the next time it is known', await again.locator('.topbar details.menu').count() === 1, again.url());
  const other = await byProvider(browser, 'second');
  check('the same address of another subject opens nothing', await other.locator('.banner--error').count() === 1, other.url());

  const planted = await open(browser);
  await planted.goto(`${base}/login/provider/back?code=x&state=y`);
  check('an answer nobody asked for is refused', await planted.locator('.banner--error').count() === 1);
  let seen = null;
  const twice = await open(browser);
  twice.on('request', (request) => { if (request.url().includes('/login/provider/back')) seen = request.url(); });
  await twice.goto(`${base}/login`);
  await go(twice, twice.click('a[href^="/login/provider"]'));
  await twice.fill('input[name=login]', 'hanako');
  await twice.fill('input[name=password]', 'x');
  await go(twice, twice.click('button[type=submit]'));
  await go(twice, twice.click('button[type=submit]'));
  await twice.goto(seen);
  check('the same answer does not count twice', await twice.locator('.banner--error').count() === 1, twice.url());
  server.close();
  server.closeAllConnections();
};

await mkdir(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const [page, shown] = await passkeys(browser);
  await codes(page, shown);
  await withoutScript(browser);
  await provider(browser);
} finally {
  await browser.close();
}
console.log(failed === 0 ? 'all well' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

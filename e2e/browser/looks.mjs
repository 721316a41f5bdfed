// One look at a page: what is wrong with it, in words. Knows no screen and no role.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
// What colours can break; everything else is the same in light and dark.
const COLOURS = ['color-contrast', 'link-in-text-block'];
// What the documentation shows is kept small; what only people who look for a fault see is made in half the time.
export const PICTURE = process.env.DOCS ? { format: 'webp', quality: 72 } : { format: 'jpeg', quality: 72 };
// Three screens of a desk; below it, lists only go on.
const SHOT_HEIGHT_MAX = 3000;
// A4 landscape less its margins, in CSS pixels.
const A4 = { width: 1047, height: 680 };

// Notes everything that the browser complains about. `page.complaints` is emptied by `look`.
export const listen = async (page) => {
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(`script: ${error.message}`));
  page.on('dialog', (dialog) => { page.complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss().catch(() => {}); });
  page.on('console', (message) => {
    // The page itself may be an error page: the browser says so for the document, and that is the point of it.
    const expected = message.location().url === page.url() && message.text().includes(`status of ${page.expected}`);
    if (message.type() === 'error' && !expected) page.complaints.push(`console: ${message.text()}`);
  });
  page.on('response', (response) => {
    const policy = response.headers()['content-security-policy'] ?? '';
    if (!policy.startsWith("default-src 'none'")) page.complaints.push(`no policy: ${response.url()}`);
    if (/unsafe|data:|\*/.test(policy)) page.complaints.push(`weak policy: ${response.url()}`);
  });
};

// Bytes over the wire of everything this page asked for; only right with the cache off.
export const weigh = (page) => {
  const requests = [];
  page.on('requestfinished', (request) => requests.push(request));
  return async () => {
    const sizes = await Promise.all(requests.splice(0).map((request) => request.sizes()));
    return sizes.reduce((sum, size) => sum + size.responseBodySize, 0);
  };
};

const violations = async (page, options) => {
  // evaluate() needs no <script>, so the page's own policy stays as it is.
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(axe);
  return page.evaluate(async (wanted) => {
    const found = await globalThis.axe.run(document, { ...wanted, resultTypes: ['violations'] });
    return found.violations.map((v) => `${v.id} (${v.nodes.length}) ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`);
  }, options);
};

// Leaves the page as a picture.
const shoot = async (page, file) => {
  const { width } = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  page.cdp ??= await page.context().newCDPSession(page);
  const { data } = await page.cdp.send('Page.captureScreenshot', {
    ...PICTURE, captureBeyondViewport: true, clip: { x: 0, y: 0, width, height: Math.min(height, SHOT_HEIGHT_MAX), scale: 1 },
  });
  await writeFile(`${file}.${PICTURE.format}`, Buffer.from(data, 'base64'));
};

const tooWide = (page) => page.evaluate(() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const far = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1);
  return [`wider than ${root.clientWidth} px: ${root.scrollWidth} px, ${far.slice(0, 2).map((e) => e.className || e.tagName).join(', ')}`];
});

const skeleton = (page) => page.evaluate(() => {
  const found = [];
  if (document.querySelectorAll('main#main').length !== 1) found.push('not exactly one main#main');
  const headings = [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1]));
  if (headings.filter((level) => level === 1).length !== 1) found.push(`not exactly one h1: ${headings.join(' ')}`);
  if (headings.some((level, n) => level > (headings[n - 1] ?? 0) + 1)) found.push(`a level of headings is left out: ${headings.join(' ')}`);
  if (!document.title.endsWith(' | MngnTime') || document.title.startsWith(' ')) found.push(`title: ${document.title}`);
  if (document.querySelector('[style], style, script:not([src])')) found.push('style or script inside the page');
  if (/[\u202a-\u202e\u2066-\u2069]/.test(document.documentElement.outerHTML)) found.push('characters that turn lines round');
  for (const image of document.querySelectorAll('img[src="x"], main script, main iframe, main object')) found.push(`markup from outside: ${image.outerHTML}`);
  return found;
});

// What is wrong with the page as it is now, in one or both of `light` and `dark`: all rules in the first, those about
// colours in the second. Leaves pictures `NAME.light` and `NAME.dark` in `out`.
export const look = async (page, name, out, [first, second] = ['light', 'dark']) => {
  const faults = [...await tooWide(page), ...await skeleton(page)];
  if (first !== 'light') await page.emulateMedia({ colorScheme: first });
  await shoot(page, `${out}/${name}.${first}`);
  const rules = { 'target-size': { enabled: true } };
  faults.push(...(await violations(page, { runOnly: { type: 'tag', values: TAGS }, rules })).map((v) => `axe, ${first}: ${v}`));
  if (second) {
    await page.emulateMedia({ colorScheme: second });
    await shoot(page, `${out}/${name}.${second}`);
    faults.push(...(await violations(page, { runOnly: { type: 'rule', values: COLOURS } })).map((v) => `axe, ${second}: ${v}`));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  return [...faults, ...page.complaints.splice(0)];
};

// Tabs through the page: every stop shows that it has the focus, and is not wholly hidden behind something (what the
// person opened and Escape closes may hide it: WCAG 2.4.11, note 2).
export const tab = async (page, stops = 45) => {
  const faults = [];
  await page.evaluate(() => { document.activeElement?.blur?.(); getSelection()?.removeAllRanges(); window.scrollTo(0, 0); });
  const first = await page.evaluate(() => document.body.focus());
  for (let n = 0; n < stops && first === undefined; n += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body) return null;
      const style = getComputedStyle(at);
      const box = at.getBoundingClientRect();
      const inside = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.2], [0.1, 0.8], [0.9, 0.8]].some(([x, y]) => {
        const hit = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
        return hit && (at.contains(hit) || hit.contains(at) && hit.closest('label, a, button, td, th, .field') !== null || hit.closest('label')?.control === at);
      });
      const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
      return {
        what: `${at.tagName.toLowerCase()}${at.id ? `#${at.id}` : ''}.${String(at.className.baseVal ?? at.className)} ${(at.textContent || at.value || '').trim().slice(0, 20)}`,
        shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        covered: !inside && !over?.closest('.drawer, .menu__pop'),
      };
    });
    if (stop === null) break;
    if (!stop.shown) faults.push(`focus is not to be seen: ${stop.what}`);
    if (stop.covered) faults.push(`focus is covered: ${stop.what}`);
  }
  return faults;
};

// On A4: it fits, and nothing is left that paper cannot do. Leaves `NAME.pdf`.
export const print = async (page, name, out) => {
  const before = page.viewportSize();
  await page.setViewportSize(A4);
  await page.emulateMedia({ media: 'print' });
  const faults = await tooWide(page);
  const useless = 'nav, .topbar__end, .btn, button, select, input:not([type=hidden]), .filters, .listfoot';
  const left = await page.locator(useless).evaluateAll((all) => all.filter((e) => e.checkVisibility()).map((e) => e.className || e.tagName));
  if (left.length > 0) faults.push(`on paper: ${[...new Set(left)].join(', ')}`);
  await page.pdf({ path: `${out}/${name}.pdf`, preferCSSPageSize: true, printBackground: false });
  await page.emulateMedia({ media: 'screen' });
  await page.setViewportSize(before);
  return faults.map((fault) => `print: ${fault}`);
};

// What must be the same with and without script.
export const content = (page) => page.evaluate(() => ({
  heading: document.querySelector('h1')?.textContent.trim(),
  rows: document.querySelectorAll('main tbody tr').length,
  forms: document.querySelectorAll('main form').length,
  links: document.querySelectorAll('main a[href]').length,
}));

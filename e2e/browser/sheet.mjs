// What a run leaves behind for people: a sheet of all pictures, and the figures as Markdown.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PICTURE } from './looks.mjs';

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

const contact = (names, files) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Screens</title>
<style>body{font:13px sans-serif;margin:16px;background:#fff;color:#222}h2{margin:20px 0 6px;font-size:15px}div{display:flex;flex-wrap:wrap;gap:10px}
figure{margin:0;width:220px}figure.s{width:84px}img{width:100%;height:150px;object-fit:cover;object-position:top;border:1px solid #bbb}figcaption{font-size:11px;overflow-wrap:anywhere}</style>
${names.map((name) => `<h2>${escape(name)}</h2><div>${files.filter((f) => f.split('.')[0] === name).map((f) => `<figure class="${f.includes('.390.') ? 's' : ''}"><a href="${f}"><img src="${f}" alt=""></a><figcaption>${escape(path.parse(f).name.slice(name.length + 1))}</figcaption></figure>`).join('')}</div>`).join('\n')}</html>`;

const figures = ({ looks, faults, screens, sizes, languages, roles, allForms }) => {
  const pages = looks.reduce((sum, seen) => sum + seen.schemes.length, 0);
  const weights = looks.filter((seen) => seen.bytes !== undefined).sort((a, b) => a.screen.localeCompare(b.screen));
  const of = (name) => faults.filter((fault) => fault.where.split('.')[0] === name && fault.fault.startsWith('axe')).length;
  const at = (name) => {
    const screen = screens.find((screen) => screen.name === name);
    return screen.given ? `/${screen.given}/…` : screen.from ? `${screen.from}, ${screen.link}` : screen.path;
  };
  return [
    `${screens.length} screens × ${sizes.length} widths (${sizes.join(', ')} px) × ${languages.length} languages × 2 colour schemes${allForms ? '' : ' (every pair of them)'}, and once for each`,
    `further role that sees them (${roles.length} roles): ${pages} pages looked at, ${faults.length} faults.`,
    '',
    '| screen | address | first visit, KiB over the wire | axe, WCAG 2.2 A and AA |',
    '|---|---|---|---|',
    ...weights.map((seen) => `| ${seen.screen} | \`${at(seen.screen)}\` | ${(seen.bytes / 1024).toFixed(1)} | ${of(seen.screen) === 0 ? 'no violation' : `${of(seen.screen)} violations`} |`),
    '',
  ].join('\n');
};

// The pictures that docs/ui.md shows.
const SHOWN = [
  'punches.ja.1440.light', 'punches.ja.390.dark', 'punch.en.1440.dark', 'link.ja.390.light', 'terminals.ja.1440.dark',
];
const BEGIN = '<!-- figures of the screens test: begin -->';
const END = '<!-- figures of the screens test: end -->';

// Puts figures and pictures into the documentation.
export const publish = async (docs, out, run) => {
  const file = path.join(docs, 'ui.md');
  const [before, rest] = (await readFile(file, 'utf8')).split(BEGIN);
  const [, after] = rest.split(END);
  await writeFile(file, `${before}${BEGIN}\n${figures(run)}${END}${after}`);
  await mkdir(path.join(docs, 'ui'), { recursive: true });
  for (const name of SHOWN) await copyFile(path.join(out, `${name}.webp`), path.join(docs, 'ui', `${name}.webp`));
};

// Leaves `screens.html`, the sheet as a picture `screens`, and `screens.md`.
export const sheet = async (browser, out, run) => {
  const files = (await readdir(out)).filter((file) => file.endsWith(`.${PICTURE.format}`) && !file.startsWith('screens.')).sort();
  const names = [...new Set(files.map((file) => file.split('.')[0]))];
  await writeFile(path.join(out, 'screens.html'), contact(names, files));
  await writeFile(path.join(out, 'screens.md'), figures(run));
  const page = await (await browser.newContext({ viewport: { width: 1500, height: 1000 } })).newPage();
  await page.goto(pathToFileURL(path.join(out, 'screens.html')).href);
  const cdp = await page.context().newCDPSession(page);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width: 1500, height: Math.min(height, 16_000), scale: 1 };
  const { data } = await cdp.send('Page.captureScreenshot', { ...PICTURE, captureBeyondViewport: true, clip });
  await writeFile(path.join(out, `screens.${PICTURE.format}`), Buffer.from(data, 'base64'));
  await page.context().close();
};

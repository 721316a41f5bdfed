// What a person fills in to get to a page that no address opens. Each of these starts on the screen's page and ends on the
// one that is looked at. `asked` says who: `employee`, the code of somebody in the contract, and `people`, as screens.mjs
// gets them.
const press = (page, selector) => Promise.all([page.waitForNavigation(), page.locator(selector).first().click()]);

// A file is chosen and sent.
export const upload = (text) => async (page) => {
  await page.setInputFiles('#file', { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await press(page, 'form[enctype] button[type=submit]');
};

// Lines of every kind: known, changed, new, wrong in several ways, and enough of them for several pages.
const employees = (lines) => [
  '社員コード,氏名,フリガナ,入社日,退職日',
  'E0001,改名 花子,カイメイ ハナコ,2020-04-01,2021-03-31',
  ...lines,
  ...Array.from({ length: 120 }, (_, n) => `X${String(n).padStart(4, '0')},新入 社員${n},シンニュウ シャイン,2026/4/1,`),
].join('\r\n');

export const employeesFile = employees([]);
export const employeesWrongFile = employees([
  ',名無し,,,',
  'E0900,<b>日付</b>,,2026-13-01,',
  'E0901,逆順 太郎,,2026-04-01,2026-03-01',
  'E0902,二回 花子,,,',
  'E0902,別人 花子,,,',
  `E0903,${'長'.repeat(300)},,,`,
]);

export const linksFile = [
  'ユーザー,社員コード,開始日,終了日',
  'nobody.at.all,E0001,2026-06-01,',
  'nobody.at.all,E9999,2026-06-01,2026-05-01',
  ',E0001,2026-06-01,',
].join('\r\n');

// The chosen account is to be linked to somebody new.
export const linkNew = async (page) => {
  await page.check('input[name=mode-0][value=new]');
  await page.fill('#c-0', 'V0001');
  await page.fill('#n-0', '確認 花子');
  await press(page, '.confirm button[value=preview]');
};

// Nobody is filled in, and nobody who was suggested is left.
export const linkNobody = async (page) => {
  await page.fill('#e-0', '');
  await press(page, '.confirm button[value=preview]');
};

// The account is handed over.
export const handOver = async (page, asked) => {
  await page.fill('#as-e', asked.employee);
  await page.fill('#as-f', '2020-06-01');
  await press(page, 'form[action$="/change"]:has(#as-e) button[type=submit]');
};

// The password is right; a code is asked for.
export const firstStep = async (page, asked) => {
  const [login, password] = asked.people.guarded;
  await page.fill('#user', login);
  await page.fill('#pass', password);
  await press(page, '.card button[type=submit]');
};

// An enrolment key is made: the list of keys grows.
export const newKey = async (page) => {
  await page.fill('#k-label', '確認用 <b>鍵</b>');
  await press(page, 'form[action="/terminals/keys"] button[type=submit]');
};

// The first administrator of a contract is invited: a link is made.
export const invite = async (page) => {
  await page.fill('#f-login', 'first.of.all');
  await page.fill('#f-name', '最初 太郎');
  await press(page, 'form[action$="/administrator"] button[type=submit]');
};

// MngnTime pages: progressive enhancement only. Every page works without this file.
(() => {
  'use strict';
  const root = document.documentElement;
  root.classList.add('js');
  const $$ = (sel, from = document) => Array.from(from.querySelectorAll(sel));

  // Selection: <form data-select> … .pick (rows) … [data-pick-all] … [data-pick-count] … [data-pick-none]
  const refresh = (form) => {
    const picks = $$('.pick', form);
    const on = picks.filter((p) => p.checked).length;
    $$('[data-pick-count]', form).forEach((n) => { n.textContent = String(on); });
    $$('[data-pick-all]', form).forEach((all) => {
      all.checked = on > 0 && on === picks.length;
      all.indeterminate = on > 0 && on < picks.length;
    });
  };
  const refreshAll = () => $$('form[data-select]').forEach((form) => {
    $$('[data-js]', form).forEach((n) => { n.hidden = false; });
    refresh(form);
  });
  document.addEventListener('change', (e) => {
    const form = e.target.closest('form[data-select]');
    if (!form) return;
    if (e.target.matches('[data-pick-all]')) $$('.pick', form).forEach((p) => { p.checked = e.target.checked; });
    refresh(form);
  });
  // Shift+click selects a run of rows.
  let last = null;
  document.addEventListener('click', (e) => {
    const pick = e.target.closest && e.target.closest('.pick');
    if (!pick) return;
    const picks = $$('.pick', pick.form);
    if (e.shiftKey && last && picks.includes(last)) {
      const [a, b] = [picks.indexOf(last), picks.indexOf(pick)].sort((x, y) => x - y);
      picks.slice(a, b + 1).forEach((p) => { p.checked = pick.checked; });
      refresh(pick.form);
    }
    last = pick;
  });
  document.addEventListener('click', (e) => {
    const none = e.target.closest('[data-pick-none]');
    if (!none) return;
    $$('.pick', none.form).forEach((p) => { p.checked = false; });
    refresh(none.form);
  });

  // A click anywhere in a row follows the row's own link (the punch time), unless text is being selected.
  document.addEventListener('click', (e) => {
    const row = e.target.closest('tr[data-href]');
    if (!row || e.defaultPrevented || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey) return;
    if (e.target.closest('a, button, input, label, select, summary')) return;
    if (String(window.getSelection())) return;
    const link = row.querySelector('a[data-row]');
    if (link) link.click();
  });

  // Menus close on a click elsewhere; Escape closes the open menu, else the drawer.
  document.addEventListener('click', (e) => {
    $$('details.menu[open]').forEach((m) => { if (!m.contains(e.target)) m.open = false; });
  });
  document.addEventListener('keydown', (e) => {
    if (e.key !== 'Escape' || document.querySelector('dialog[open]')) return;
    const menu = document.querySelector('details.menu[open]');
    if (menu) {
      menu.open = false;
      menu.querySelector('summary').focus();
      return;
    }
    const close = document.querySelector('.drawer [data-close]');
    if (close) close.click(); // a real link back to the list: also works without script
  });
  // Keyboard users land in the drawer when the page was opened for it.
  const title = document.querySelector('.drawer h2[tabindex="-1"]');
  // Going to the row's place in the list takes the focus away again, after the page has loaded.
  const toTitle = () => { if (title) title.focus({ preventScroll: true }); };
  toTitle();
  window.addEventListener('load', () => requestAnimationFrame(toTitle));

  // Printing needs script; without it the browser's own command does the same.
  $$('[data-print]').forEach((n) => {
    n.hidden = false;
    n.addEventListener('click', () => window.print());
  });

  // Back from the drawer, the row that was open has the focus again.
  const back = !title && /^#r-/.test(location.hash) && document.getElementById(location.hash.slice(1));
  if (back) {
    const toRow = () => { const link = back.querySelector('a[data-row]'); if (link) link.focus({ preventScroll: true }); };
    toRow();
    window.addEventListener('load', () => requestAnimationFrame(toRow));
  }

  // The first page of the punch log stays as the server has it: new rows come in at the top, late ones in their place,
  // changed ones and counts are replaced. What has the focus or is selected is left alone; while rows are selected
  // nothing moves. Rows that have left the first page stay until there are too many.
  const live = document.querySelector('[data-live]');
  const body = live && document.querySelector('.rows--punch tbody');
  if (body) {
    const MOST = 500;
    const state = live.querySelector('[data-live-state]');
    const said = live.querySelector('[data-live-said]');
    const tell = (text) => { if (state.textContent !== text) state.textContent = text; };
    const busy = (node) => node.contains(document.activeElement);
    const sign = (row) => (row.id ? row.id : row.querySelector('time').dateTime);
    const alike = (a, b) => a.childNodes.length === b.childNodes.length && Array.from(a.childNodes).every((node, n) => node.isEqualNode(b.childNodes[n]));
    const same = (a, b) => alike(a, b) && a.className.replace(' is-new', '').replace('is-new', '') === b.className;
    const rows = () => { const all = new Map(); for (const row of body.rows) if (!all.has(sign(row))) all.set(sign(row), row); return all; };
    const replace = (selector, from) => {
      const [old, now] = [document.querySelector(selector), from.querySelector(selector)];
      if (old && now && !alike(old, now) && !busy(old)) old.replaceChildren(...document.importNode(now, true).childNodes);
    };
    const take = (from) => {
      const there = rows();
      const coming = Array.from(from.querySelectorAll('tbody > tr'));
      const wanted = new Set(coming.map(sign));
      // What is no longer in the list (an error that has been mended) goes, as far down as the server has looked: to the
      // end of the list, or to the last row that both have.
      const more = from.querySelector('[data-live-more]');
      const end = more ? there.get(sign(coming.findLast((row) => there.has(sign(row))) || coming[0])) : null;
      for (let row = more && !end ? null : body.rows[0]; row && row !== end;) {
        const next = row.nextElementSibling;
        if (!wanted.has(sign(row)) && !busy(row)) row.remove();
        row = next;
      }
      let place = body.rows[0] || null;
      let added = 0;
      for (const row of coming) {
        const old = there.get(sign(row));
        if (!old || !old.isConnected) {
          const fresh = document.importNode(row, true);
          if (row.id) { fresh.classList.add('is-new'); added += 1; }
          body.insertBefore(fresh, place);
        } else {
          place = old.nextElementSibling;
          if (!same(old, row) && !busy(old)) old.replaceWith(document.importNode(row, true));
        }
      }
      return added;
    };
    let over = false;
    // The session is over: nothing comes any more, and the link (to the list itself) leads past the sign-in.
    const end = () => {
      over = true;
      tell(live.dataset.liveOver);
      said.textContent = live.dataset.liveOver;
      const link = live.querySelector('a');
      if (link) { link.textContent = live.dataset.liveSignIn; link.href = location.pathname + location.search; }
    };
    const ask = async () => {
      if (document.hidden || over) return;
      const form = body.closest('form');
      if (form.querySelector('.pick:checked')) { tell(live.dataset.livePaused); return; }
      if (body.rows.length > MOST) { tell(live.dataset.liveFull); return; }
      try {
        const answer = await fetch(live.dataset.live, { headers: { accept: 'text/html' }, credentials: 'same-origin' });
        if (answer.redirected && new URL(answer.url).pathname === '/login') { end(); return; }
        if (answer.status !== 200 || answer.redirected) { tell(live.dataset.liveLost); return; }
        const from = new DOMParser().parseFromString(await answer.text(), 'text/html');
        // Somebody may have selected a row in the meantime.
        if (form.querySelector('.pick:checked')) { tell(live.dataset.livePaused); return; }
        const added = take(from);
        replace('.strip', from);
        replace('[data-live-count]', from);
        if (added > 0) { said.textContent = live.dataset.liveNew.replace('#', String(added)); refresh(form); }
        tell(live.dataset.liveOn);
      } catch { tell(live.dataset.liveLost); }
    };
    tell(live.dataset.liveOn);
    window.setInterval(ask, 15000);
    document.addEventListener('visibilitychange', ask);
    document.addEventListener('change', (e) => {
      if (!over && e.target.matches('.pick, [data-pick-all]')) tell(body.querySelector('.pick:checked') ? live.dataset.livePaused : live.dataset.liveOn);
    });
  }

  // Whoever is meant by what is being typed: the server offers a few, behind those that came with the page.
  const offers = new WeakMap();
  document.addEventListener('input', (e) => {
    const field = e.target;
    if (!field.matches('input[data-offers][list]')) return;
    const known = offers.get(field) || {};
    window.clearTimeout(known.timer);
    known.timer = window.setTimeout(async () => {
      const typed = field.value.trim();
      if (!typed || typed === known.typed || !field.list) return;
      known.typed = typed;
      try {
        const address = `${field.dataset.offers}?q=${encodeURIComponent(typed)}`;
        const answer = await fetch(address, { headers: { accept: 'text/plain' }, credentials: 'same-origin' });
        if (answer.status !== 200 || answer.redirected || known.typed !== typed) return;
        const lines = (await answer.text()).split('\n').filter(Boolean);
        const own = $$('option:not([data-offered])', field.list);
        const there = own.map((o) => o.value);
        const added = lines.filter((line) => !there.includes(line)).map((line) => {
          const option = document.createElement('option');
          option.value = line;
          option.dataset.offered = '';
          return option;
        });
        field.list.replaceChildren(...own, ...added);
      } catch { /* the field takes what is typed all the same */ }
    }, 150);
    offers.set(field, known);
  });

  // Before the session is over, a question. What counts is what the server says: a use in another tab, or the clock of a PC
  // that has slept, is nothing that this page knows of. Asking is no use of the session; the answer 続ける is.
  const stay = document.querySelector('dialog[data-stay]');
  if (stay && stay.showModal) {
    const words = stay.dataset;
    const title = document.title;
    const inCase = (node, name) => node.dataset.case.split(' ').includes(name);
    const left = stay.querySelector('#stay-left');
    const said = stay.querySelector('[data-stay-said]');
    const tabs = window.BroadcastChannel ? new BroadcastChannel('mngntime-session') : null;
    const ASK_MS = 15000;
    let end = Date.now() + Number(words.left) * 1000;
    let due = end - Number(words.warned) * 1000;
    let over = false; // nothing comes of asking any more, until somebody signs in elsewhere
    let away = '';    // the case that the person has put away
    let mark = '';    // the last time that was said aloud

    const hide = () => {
      if (stay.open) stay.close(); // what had the focus has it again
      document.title = title;
      mark = '';
    };
    const draw = () => {
      const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      const text = seconds > 60 ? words.mins.replace('#', String(Math.ceil(seconds / 60))) : words.secs.replace('#', String(Math.ceil(seconds / 10) * 10));
      if (left.textContent !== text) left.textContent = text;
      // Said aloud for each minute, and once for the last half; the first is part of the question.
      const now = seconds > 60 ? `m${Math.ceil(seconds / 60)}` : (seconds > 30 ? 's60' : 's30');
      if (mark && now !== mark) said.textContent = text;
      mark = now;
    };
    const show = (name) => {
      if (away === name) return;
      away = '';
      const fresh = !stay.open || words.shows !== name;
      words.shows = name;
      $$('[data-case]', stay).forEach((node) => { node.hidden = !inCase(node, name); });
      const timed = name === 'idle' || name === 'day';
      if (timed) draw();
      if (!fresh) return;
      said.textContent = '';
      stay.setAttribute('aria-labelledby', `stay-${name}-t`);
      stay.setAttribute('aria-describedby', timed ? `stay-${name}-p stay-left` : `stay-${name}-p`);
      document.title = timed ? `${words.mark} - ${title}` : title;
      if (!stay.open) stay.showModal();
      stay.querySelector('.btn--primary:not([hidden])').focus();
    };
    // What the server says, or nothing when it cannot be reached: that is no reason to stop anybody.
    const ask = async (method) => {
      due = Date.now() + ASK_MS;
      try {
        const answer = await fetch(words.stay, { method, redirect: 'manual', headers: { accept: 'application/json' }, credentials: 'same-origin' });
        if (answer.type === 'opaqueredirect') { over = true; show('over'); return; }
        if (!answer.ok) return;
        const told = await answer.json();
        over = told.who !== words.who;
        if (over) { show('other'); return; }
        if (told.left === null) { end = Infinity; due = Infinity; hide(); return; }
        const now = Date.now();
        end = now + told.left * 1000;
        const soon = told.left <= told.warned;
        due = soon ? Math.min(now + ASK_MS, end + 1000) : end - told.warned * 1000;
        if (soon) { show(told.why); } else { away = ''; hide(); }
      } catch { /* asked again */ }
    };
    const goOn = async () => {
      await ask('POST');
      if (tabs) tabs.postMessage(words.who);
    };
    const tick = () => {
      if (over) return;
      if (stay.open) draw();
      if (Date.now() >= due) ask('GET');
    };
    window.setInterval(() => { if (stay.open) tick(); }, 1000);
    window.setInterval(tick, 5000);
    // Back at the page: the timers may have stood still, and somebody may have signed in elsewhere.
    const look = () => { if (!document.hidden && (over || stay.open || Date.now() >= due)) ask('GET'); };
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    window.addEventListener('pageshow', (e) => { if (e.persisted) ask('GET'); });
    if (tabs) {
      tabs.addEventListener('message', (e) => { if (stay.open || over || e.data !== words.who) ask('GET'); });
      tabs.postMessage(words.who); // a page that was opened is a use, maybe somebody else's
    }
    const putAway = () => {
      if (words.shows === 'idle') { goOn(); return; }
      away = words.shows;
      hide();
    };
    stay.querySelector('[data-stay-on]').addEventListener('click', goOn);
    stay.querySelector('[data-stay-away]').addEventListener('click', putAway);
    stay.addEventListener('cancel', putAway); // Escape is an answer, too: somebody is there
    // A form that would be lost is held back; it goes on its way when the session goes on after all.
    let passes = false;
    document.addEventListener('submit', async (e) => {
      const { target: form, submitter } = e;
      if (passes || form.method !== 'post' || (!over && Date.now() < end)) return;
      e.preventDefault();
      e.stopPropagation();
      away = '';
      await ask('GET');
      if (over) return;
      passes = true;
      form.requestSubmit(submitter);
      passes = false;
    }, true);
    tick();
  }

  document.addEventListener('htmx:after:swap', refreshAll);
  window.addEventListener('pageshow', refreshAll);
  refreshAll();
})();

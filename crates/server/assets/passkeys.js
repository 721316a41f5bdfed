// Passkeys: asks the browser what the server wants to know, and brings the answer back. Buttons stand hidden in the
// page and are shown only where the browser knows passkeys.
(() => {
  'use strict';
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const post = async (address, body) => {
    const answer = await fetch(address, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    // The session is not fresh any more: the page says what to do.
    if (answer.redirected) { location.assign(answer.url); return null; }
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    return told;
  };
  const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const signIn = async (button) => {
    const asked = await post('/login/passkey/start', {});
    if (!asked) return;
    const options = { ...asked.publicKey, challenge: bytes(asked.publicKey.challenge), allowCredentials: known(asked.publicKey.allowCredentials) };
    const found = await navigator.credentials.get({ publicKey: options });
    const { authenticatorData, clientDataJSON, signature, userHandle } = found.response;
    const credential = {
      id: found.id,
      rawId: text(found.rawId),
      type: found.type,
      extensions: {},
      response: {
        authenticatorData: text(authenticatorData),
        clientDataJSON: text(clientDataJSON),
        signature: text(signature),
        userHandle: userHandle ? text(userHandle) : null,
      },
    };
    const told = await post(button.dataset.finish || '/login/passkey/finish', { credential, next: button.dataset.next || '' });
    if (told) location.assign(told.to);
  };

  const add = async (button) => {
    const asked = await post('/me/security/passkeys/start', {});
    if (!asked) return;
    const options = {
      ...asked.publicKey,
      challenge: bytes(asked.publicKey.challenge),
      user: { ...asked.publicKey.user, id: bytes(asked.publicKey.user.id) },
      excludeCredentials: known(asked.publicKey.excludeCredentials),
    };
    const made = await navigator.credentials.create({ publicKey: options });
    const credential = {
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      extensions: {},
      response: { attestationObject: text(made.response.attestationObject), clientDataJSON: text(made.response.clientDataJSON) },
    };
    const name = document.getElementById(button.dataset.name).value;
    const told = await post('/me/security/passkeys/finish', { credential, name });
    if (told) location.assign(told.to);
  };

  const work = { 'sign-in': signIn, add };
  document.querySelectorAll('[data-passkey]').forEach((part) => {
    part.hidden = false;
    const first = part.querySelector('[autofocus]');
    if (first) first.focus();
  });
  if (document.querySelector('[data-passkey]')) document.querySelectorAll('[data-passkey-none]').forEach((part) => { part.hidden = true; });
  document.querySelectorAll('button[data-passkey-do]').forEach((button) => {
    const says = document.getElementById(button.dataset.says);
    button.addEventListener('click', async () => {
      button.disabled = true;
      says.hidden = true;
      try {
        await work[button.dataset.passkeyDo](button);
      } catch (error) {
        // The server's words are for the person. The browser's own are for developers: it says that this authenticator is
        // known here, or the dialogue was closed, or has waited too long.
        const known = error.name === 'InvalidStateError' && says.dataset.known;
        const told = error.name === 'Error' && error.message !== 'undefined' && error.message;
        says.textContent = known || told || says.dataset.text;
        says.hidden = false;
      }
      button.disabled = false;
    });
  });
})();

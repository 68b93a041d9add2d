/** Servers of the user's own: what they serve, another one by its address, and what it means that they answer. */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { counted, number } from "../counted.js";
import { Confirm } from "./confirm.js";
import { AlertIcon } from "./icons.js";
import { isPlainEnter } from "./keys.js";
import { ProblemCard } from "./problem-card.js";

/** @import { Models, ServerItem, Store } from "../types.js" */

/** How long one has to pause in writing until the address is looked at. */
const PAUSE_MS = 200;
const NOT_GIVEN = "Not connected: Chrome was not allowed to reach this host. Press Connect again to be asked again.";

/** @param {{models: Models, store: Store}} props */
export function Servers({ models: { servers, server_draft: draft, server_added: added }, store }) {
  return html`<section class="servers" aria-labelledby="servers-title" data-testid="servers">
    <h3 class="settings-heading" id="servers-title">A server of your own</h3>
    <p class="settings-intro">Ollama, llama.cpp, LM Studio, vLLM or another one that speaks OpenAI’s interface, on this computer or a
      bigger one. Off until you connect one. <strong>While its model is chosen, what you ask and what Amplifier reads for you
      leaves this browser, to that host and no other.</strong></p>
    ${
      servers.length > 0 &&
      html`<ul class="items" aria-labelledby="servers-title">
        ${servers.map((server) => html`<${Server} key=${server.id} server=${server} store=${store} />`)}
      </ul>`
    }
    <${Connect} draft=${draft} added=${added} store=${store} />
  </section>`;
}

/** @param {{server: ServerItem, store: Store}} props */
function Server({ server, store }) {
  const { id, host, kind, warning, problem, models } = server;
  const [isRefused, setRefused] = useState(false);

  async function check() {
    setRefused(!(await permitted(store, server.permission)));
    store.send({ type: "check-server", id });
  }
  return html`<li class="item" data-testid="server" data-id=${id} data-state=${problem ? "problem" : "ok"}>
    <p class="item-title" dir="auto">${host}</p>
    <p class="item-about">${[kind, counted(models.length, "model"), server.has_key && "with a key", server.is_checked && "answers"].filter(Boolean).join(" · ")}</p>
    ${warning && html`<${Warning} text=${warning} />`}
    ${problem && html`<${ProblemCard} problem=${problem} />`}
    ${isRefused && html`<p class="item-about" role="alert">${NOT_GIVEN}</p>`}
    ${!server.is_permitted && html`<${WhatChromeAsks} host=${host} permission=${server.permission} />`}
    <ul class="server-models">
      ${models.map(
        (model) => html`<li key=${model.id} class="item-row">
          <span class="item-text"><bdi>${model.name}</bdi> <span class="item-about">${number(model.context_window)} tokens at a
            time${model.is_vision && " · sees images"}</span></span>
          ${
            model.is_chosen
              ? html`<span class="kind now" data-testid="server-model-chosen">In use</span>`
              : html`<button type="button" class="button" data-testid="server-model-use" data-model=${model.id} disabled=${!server.is_permitted}
                  aria-label=${`Use ${model.name}`} onClick=${() => store.send({ type: "choose-model", model: model.id })}>Use</button>`
          }
        </li>`,
      )}
    </ul>
    <div class="item-buttons">
      <button type="button" class="button" data-testid="server-check" onClick=${check}>${server.is_permitted ? "Check" : "Allow"}</button>
      <${Confirm} testid="server-remove" label="Remove" verb="Remove" question=${`Remove ${host}, and take back the permission for it?`}
        onConfirm=${() => store.send({ type: "remove-server", id })} />
    </div>
  </li>`;
}

/** @param {{draft: Models["server_draft"], added: Models["server_added"], store: Store}} props */
function Connect({ draft, added, store }) {
  const [address, setAddress] = useState("");
  const [key, setKey] = useState("");
  const [window, setWindow] = useState("");
  const [state, setState] = useState(/** @type {"idle" | "waiting" | "refused"} */ ("idle"));
  const wanted = address.trim();
  useEffect(() => {
    if (wanted === (draft?.address ?? "")) return;
    const timer = setTimeout(() => store.send({ type: "name-server", address: wanted }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  useEffect(() => {
    if (!added) return;
    setState("idle");
    if (added.server === null) return;
    for (const clear of [setAddress, setKey, setWindow]) clear("");
  }, [added]);
  const known = draft?.address === wanted ? draft : null;
  const problem = known?.problem ?? (added?.address === wanted ? added?.problem : null);
  const isReady = Boolean(known?.permission) && state !== "waiting";

  async function connect() {
    if (!known || !isReady) return;
    setState("waiting");
    if (!(await permitted(store, known.permission))) return setState("refused");
    const tokens = Number.parseInt(window, 10);
    store.send({
      type: "add-server",
      address: wanted,
      api_key: key,
      ...(tokens > 0 ? { context_window: tokens } : {}),
    });
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (!isPlainEnter(event)) return;
    event.preventDefault();
    connect();
  }
  /** @param {(value: string) => void} set */
  const onInput = (set) => (/** @type {Event & {currentTarget: HTMLInputElement}} */ event) =>
    set(event.currentTarget.value);
  return html`<div class="server-form">
    <label class="label">Address
      <input class="field" type="text" inputmode="url" data-testid="server-address" value=${address} maxlength="300" autocomplete="off"
        spellcheck="false" placeholder="localhost:11434" onKeyDown=${onKeyDown} onInput=${onInput(setAddress)} /></label>
    <div class="server-options">
      <label class="label">Key, if it wants one
        <input class="field" type="password" data-testid="server-key" value=${key} maxlength="500" autocomplete="off" onKeyDown=${onKeyDown}
          onInput=${onInput(setKey)} /></label>
      <label class="label">Tokens at a time, if it does not say
        <input class="field" type="number" min="512" step="512" data-testid="server-window" value=${window} placeholder="4096"
          onKeyDown=${onKeyDown} onInput=${onInput(setWindow)} /></label>
    </div>
    ${known?.warning && html`<${Warning} text=${known.warning} />`}
    ${wanted && problem && html`<${ProblemCard} problem=${problem} />`}
    ${state === "refused" && html`<p class="item-about" role="alert">${NOT_GIVEN}</p>`}
    <div class="item-buttons">
      <button type="button" class="button" data-testid="server-connect" disabled=${!isReady} onClick=${connect}>
        ${state === "waiting" ? "Connecting" : "Connect"}</button>
    </div>
    ${known?.permission && state !== "waiting" && html`<${WhatChromeAsks} host=${known.host} permission=${known.permission} />`}
  </div>`;
}

/**
 * Chrome's permissions know no ports.
 *
 * @param {{host: string, permission: string}} props
 */
function WhatChromeAsks({ host, permission }) {
  const name = /^[^:]*:\/\/([^/]*)/.exec(permission)?.[1] ?? host;
  return html`<p class="item-about" data-testid="server-asks">Chrome asks for <bdi>${name}</bdi> on every port, since it knows no ports.
    Amplifier connects to <bdi>${host}</bdi> and nothing else there.</p>`;
}

/** @param {{text: string}} props */
function Warning({ text }) {
  return html`<p class="models-note" data-testid="server-warning"><${AlertIcon} /><span>${text}</span></p>`;
}

/** Has Chrome ask for one host; only within a click. @param {Store} store @param {string} host a match pattern */
function permitted(store, host) {
  return store.requestPermissions({ origins: [host] }).catch(() => false);
}

/** Files and selections that go along with a message: the ways in, the tray over the composer, and what a message shows. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { AlertIcon, ClipIcon, CloseIcon, FollowIcon, GlobeIcon, ImageIcon, PageIcon, QuoteIcon } from "./icons.js";
import { Picture, SentImage } from "./images.js";
import { focusComposer } from "./keys.js";

/** @import { Attachment, SentAttachment, Store } from "../types.js" */

const SYMBOLS = { document: PageIcon, selection: QuoteIcon, tab: GlobeIcon, image: ImageIcon };

/** @param {{store: Store}} props */
export function AttachButton({ store }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));

  /** @param {Event & {currentTarget: HTMLInputElement}} event */
  function take({ currentTarget }) {
    store.attach([...(currentTarget.files ?? [])]);
    currentTarget.value = ""; // so that choosing the same file again is a change
    focusComposer();
  }
  return html`<button type="button" class="icon-button" data-testid="attach" title="Attach files" aria-label="Attach files"
      onClick=${() => input.current?.click()}><${ClipIcon} /></button>
    <input type="file" multiple hidden aria-label="Files to attach" data-testid="attach-input" ref=${input} onChange=${take} />`;
}

/** @param {{attachments: Attachment[], store: Store}} props */
export function Tray({ attachments, store }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  // What was added last is what one wants to see.
  useEffect(() => list.current?.lastElementChild?.scrollIntoView({ block: "nearest" }), [attachments.length]);

  /**
   * The keyboard stays in the tray while there is something to remove.
   *
   * @param {string} id
   */
  function remove(id) {
    const buttons = [...(list.current?.querySelectorAll("button.attachment-remove") ?? [])];
    const at = attachments.findIndex((attachment) => attachment.id === id);
    const next = buttons[at + 1] ?? buttons[at - 1];
    store.send({ type: "detach", id });
    if (next instanceof HTMLElement) next.focus();
    else focusComposer();
  }
  return html`<ul class="tray" ref=${list} role="list" aria-label="Attached">
    ${attachments.map(
      (attachment) => html`<${Chip} key=${attachment.id} attachment=${attachment} store=${store} remove=${remove} />`,
    )}
  </ul>`;
}

/** @param {{attachment: Attachment, store: Store, remove: (id: string) => void}} props */
function Chip({ attachment, store, remove }) {
  const { id, kind, name, state, problem, follows } = attachment;
  const action = problem?.action;
  const symbol = follows ? FollowIcon : SYMBOLS[kind];
  const removal = follows ? "Stop following" : "Remove";
  return html`<li class=${follows ? "attachment follows" : "attachment"} data-testid="attachment" data-kind=${kind} data-state=${state}
    data-id=${id}>
    ${
      kind === "image" && state === "ready"
        ? html`<${Picture} image=${attachment} store=${store} />`
        : html`<${state === "error" ? AlertIcon : symbol} />`
    }
    <div class="attachment-body">
      <p class="attachment-name" dir="auto" title=${name}>${name}</p>
      <${State} attachment=${attachment} />
      ${
        action &&
        html`<button type="button" class="button" data-testid="attachment-action"
        onClick=${() => store.send(action.command)}>${action.label}</button>`
      }
    </div>
    <button type="button" class="icon-button small attachment-remove" data-testid="attachment-remove" title=${removal}
      aria-label=${`${removal} ${name}`} onClick=${() => remove(id)}><${CloseIcon} /></button>
  </li>`;
}

/**
 * Under the name: what it is, how far it has come, or what is wrong with it.
 *
 * @param {{attachment: SentAttachment}} props
 */
function State({ attachment }) {
  const { name, state, detail = "", progress = null, problem, follows } = attachment;
  if (state === "error") {
    const { title = "It could not be read", detail: more = "" } = problem ?? {};
    return html`<p class="attachment-problem" dir="auto"><strong dir="auto">${title}</strong> ${more}</p>`;
  }
  const working = state === "reading" || state === "indexing";
  const doing = { reading: "Reading", indexing: "Indexing", ready: "" }[state ?? "ready"];
  const label = `${doing} ${name}`;
  const words = [follows && "Follows the tab in front", doing, detail].filter(Boolean).join(" · ");
  return html`${words && html`<p class="attachment-detail" dir="auto">${words}</p>`}
    ${
      working &&
      (progress === null
        ? html`<progress key="any" aria-label=${label} />`
        : html`<progress key="part" value=${progress} max="1" aria-label=${label} />`)
    }`;
}

/**
 * What a message was sent with, over its text.
 *
 * @param {{attachments: SentAttachment[], store: Store}} props
 */
export function SentAttachments({ attachments, store }) {
  if (attachments.length === 0) return null;
  const images = attachments.filter(({ kind, state }) => kind === "image" && state !== "error");
  const others = attachments.filter((attachment) => !images.includes(attachment));
  return html`<ul class="sent" role="list" aria-label="Sent with">
    ${images.map((image) => html`<${SentImage} key=${image.id} image=${image} store=${store} />`)}
    ${others.map((attachment) => {
      const { id, kind, name, state } = attachment;
      const unready = state !== undefined && state !== "ready";
      return html`<li key=${id} class="attachment" data-testid="message-attachment" data-state=${state} data-id=${id}>
        <${state === "error" ? AlertIcon : SYMBOLS[kind]} />
        <div class="attachment-body"><p class="attachment-name" dir="auto" title=${name}>${name}</p>
          ${unready && html`<${State} attachment=${attachment} />`}</div>
      </li>`;
    })}
  </ul>`;
}

/**
 * Takes files that are dropped or pasted anywhere on the panel, and shows that it would while they hover.
 *
 * @param {{store: Store}} props
 */
export function DropZone({ store }) {
  const [over, setOver] = useState(false);
  useEffect(() => listenForFiles(store, setOver), [store]);
  return html`${
    over &&
    html`<div class="drop-zone" data-testid="drop-zone" aria-hidden="true">
      <${ClipIcon} /><p>Drop to attach</p></div>`
  }`;
}

/**
 * @param {Store} store
 * @param {(over: boolean) => void} setOver
 * @returns {() => void} ends it
 */
function listenForFiles(store, setOver) {
  const listeners = new AbortController();
  const { signal } = listeners;
  // Behind the settings nobody would see what became of the files; still, Chrome must not open them in the panel's place.
  const takes = () => !store.getState().settingsOpen && !store.getState().sessions.isOpen;

  /** @param {DragEvent} event */
  function onDragOver(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = takes() ? "copy" : "none";
    setOver(takes());
  }

  /** @param {DragEvent} event */
  function onDrop(event) {
    setOver(false);
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (!takes()) return;
    store.attach([...event.dataTransfer.files]);
    focusComposer();
  }

  /** @param {DragEvent} event */
  function onDragLeave(event) {
    const outside = event.relatedTarget === null;
    if (outside) setOver(false);
  }

  /** @param {ClipboardEvent} event */
  function onPaste(event) {
    const pasted = event.clipboardData;
    // Office programs put a picture of the text beside the text: then the text is meant.
    if (!pasted?.files.length || pasted.types.includes("text/plain") || !takes()) return;
    event.preventDefault();
    store.attach([...pasted.files]);
  }
  document.addEventListener("dragenter", onDragOver, { signal });
  document.addEventListener("dragover", onDragOver, { signal });
  document.addEventListener("dragleave", onDragLeave, { signal });
  document.addEventListener("drop", onDrop, { signal });
  document.addEventListener("paste", onPaste, { signal });
  return () => listeners.abort();
}

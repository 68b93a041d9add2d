/** Images that go along with a message: the way in, how they are shown, and how one is looked at large. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ACCEPTED_IMAGES } from "../pictures.js";
import { CloseIcon, ImageIcon } from "./icons.js";
import { focusComposer } from "./keys.js";

/** @import { SentAttachment, Store } from "../types.js" */

/**
 * Has images attached; where the model cannot see, it says which one does.
 *
 * @param {{blind: string, store: Store}} props
 */
export function ImageButton({ blind, store }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));

  function open() {
    if (blind) store.send({ type: "explain-images" });
    else input.current?.click();
  }

  /** @param {Event & {currentTarget: HTMLInputElement}} event */
  function take({ currentTarget }) {
    store.attach([...(currentTarget.files ?? [])]);
    currentTarget.value = ""; // so that choosing the same file again is a change
    focusComposer();
  }
  return html`<button type="button" class="icon-button" data-testid="attach-image" aria-disabled=${Boolean(blind)}
      title=${blind || "Attach images"} aria-label=${blind ? `Attach images: ${blind}` : "Attach images"} onClick=${open}><${ImageIcon} /></button>
    <input type="file" multiple hidden accept=${ACCEPTED_IMAGES} aria-label="Images to attach" data-testid="attach-image-input"
      ref=${input} onChange=${take} />`;
}

/**
 * Attaches a picture of the tab beside the panel, if the model can see it and Chrome allows it.
 *
 * @param {Store} store
 */
export async function attachScreenshot(store) {
  if (store.getState().engine.blind) {
    store.send({ type: "explain-images" });
    return;
  }
  const picture = await store.screenshot().catch(() => null);
  if (picture) store.attach([picture]);
  else store.dispatch({ type: "notice", level: "warning", text: NO_SCREENSHOT });
}

const NO_SCREENSHOT =
  "There is no screenshot: Chrome does not let Amplifier look at this page. Press Amplifier's button in the toolbar, then choose it again.";

/** @param {{image: Pick<SentAttachment, "id" | "name">, store: Store}} props */
export function Picture({ image: { id, name }, store }) {
  const url = useImage(id, store);
  return url
    ? html`<img class="picture" src=${url} alt=${name} />`
    : html`<span class="picture" title=${name}><${ImageIcon} /></span>`;
}

/**
 * An image that a message was sent with, small; a click shows it large.
 *
 * @param {{image: SentAttachment, store: Store}} props
 */
export function SentImage({ image, store }) {
  const [isLarge, setLarge] = useState(false);
  return html`<li><button type="button" class="sent-image" data-testid="message-image" data-id=${image.id}
      title=${image.name} aria-label=${`Show ${image.name} large`} onClick=${() => setLarge(true)}>
      <${Picture} image=${image} store=${store} /></button>
    ${isLarge && html`<${LargeImage} image=${image} store=${store} close=${() => setLarge(false)} />`}</li>`;
}

/** @param {{image: SentAttachment, store: Store, close: () => void}} props */
function LargeImage({ image, store, close }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => dialog.current?.showModal(), []);

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== "Escape") return;
    event.preventDefault(); // it closes the image, and does not stop an answer
    dialog.current?.close();
  }
  return html`<dialog class="large-image" data-testid="large-image" aria-label=${image.name} ref=${dialog} onClose=${close}
    onKeyDown=${onKeyDown} onClick=${() => dialog.current?.close()}>
    <button type="button" class="icon-button" data-testid="large-image-close" title="Close (Escape)" aria-label="Close"><${CloseIcon} /></button>
    <${Picture} image=${image} store=${store} />
    <p dir="auto">${image.name}</p>
  </dialog>`;
}

/**
 * An address under which the page can show an image, as long as it is shown; null while there is none.
 *
 * @param {string} id
 * @param {Store} store
 */
function useImage(id, store) {
  const [url, setUrl] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    let made = "";
    let isOver = false;
    store.image(id).then((blob) => {
      if (!blob || isOver) return;
      made = URL.createObjectURL(blob);
      setUrl(made);
    });
    return () => {
      isOver = true;
      URL.revokeObjectURL(made);
    };
  }, [id]);
  return url;
}

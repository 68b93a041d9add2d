/** Questions that tool calls wait on: one card at the end of the transcript, the oldest question first. */

import { html } from "htm/preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Arguments } from "./arguments.js";
import { AlertIcon, EyeIcon } from "./icons.js";
import { focusComposer } from "./keys.js";

/** @import { Approval, ApprovalScope, Store } from "../types.js" */

/** How long a card that has just come takes no answer: a hand on its way to something else must not give one. */
const HASTE_MS = 500;

/** @type {Record<ApprovalScope, {label: string, testid: string}>} */
const SCOPES = {
  once: { label: "Allow once", testid: "approve" },
  session: { label: "Allow for this session", testid: "approve-session" },
  always: { label: "Always allow", testid: "approve-always" },
};

/**
 * @param {object} props
 * @param {Approval[]} props.approvals
 * @param {boolean} props.covered something lies over the transcript: nobody can see the question
 * @param {() => void} props.onAsk scrolls to the question
 * @param {Store} props.store
 */
export function Approvals({ approvals, covered, onAsk, store }) {
  const [approval] = approvals;
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  const asking = Boolean(approval) && !covered;
  useReturnOfFocus(asking, card);
  // The card itself, no button: an Enter on its way to the composer must answer nothing.
  useLayoutEffect(() => {
    if (!asking) return;
    onAsk();
    card.current?.focus({ preventScroll: true });
  }, [approval?.id, asking]);
  if (!approval) return null;
  return html`<${ApprovalCard} key=${approval.id} approval=${approval} count=${approvals.length} covered=${covered} card=${card}
    store=${store} />`;
}

/**
 * Gives the keyboard back to what had it, unless the user has meanwhile gone elsewhere.
 *
 * @param {boolean} asking
 * @param {{current: HTMLElement | null}} card
 */
function useReturnOfFocus(asking, card) {
  useLayoutEffect(() => {
    if (!asking) return;
    const before = document.activeElement;
    return () => {
      const now = document.activeElement;
      if (now && now !== document.body && !card.current?.contains(now)) return;
      if (before instanceof HTMLElement && before.isConnected && before !== document.body) before.focus();
      else focusComposer();
    };
  }, [asking]);
}

/**
 * @param {object} props
 * @param {Approval} props.approval
 * @param {number} props.count
 * @param {boolean} props.covered
 * @param {{current: HTMLElement | null}} props.card
 * @param {Store} props.store
 */
function ApprovalCard({ approval, count, covered, card, store }) {
  const { id, question, sees, warning, scopes, needs } = approval;
  const label = useId();
  const description = useId();
  const inHaste = useHaste(covered);
  const [asked, setAsked] = useState(false); // Chrome asks the user just now
  const deny = () => store.send({ type: "deny", id });

  /** @param {ApprovalScope} scope */
  async function allow(scope) {
    setAsked(true);
    const granted = !needs || (await store.requestPermissions(needs).catch(() => false));
    if (!store.getState().approvals.some((other) => other.id === id)) return;
    if (granted) store.send({ type: "approve", id, scope });
    else deny();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (!asked) deny();
  }
  const unlessInHaste = (/** @type {() => void} */ act) => (/** @type {MouseEvent} */ event) => {
    if (!inHaste(event)) act();
  };
  const announce = (/** @type {string} */ text) => store.dispatch({ type: "announce", text });
  return html`<section class="approval" data-testid="approval" data-id=${id} data-tool=${approval.tool} role="alertdialog" tabindex="-1" ref=${card}
    aria-labelledby=${label} aria-describedby=${description} onKeyDown=${onKeyDown}>
    <p class="approval-head"><span>Amplifier asks</span>${count > 1 && html`<span>1 of ${count}</span>`}</p>
    <h2 class="approval-question" id=${label} dir="auto">${question}</h2>
    <div class="approval-about" id=${description}>
      ${
        warning &&
        html`<p class="approval-warning" data-testid="approval-warning"><${AlertIcon} />
        <span dir="auto"><strong>Careful.</strong> ${warning}</span></p>`
      }
      <p class="approval-sees"><${EyeIcon} /><span dir="auto">${sees}</span></p>
    </div>
    <${Arguments} values=${approval.arguments} announce=${announce} />
    <div class="approval-buttons">
      <button type="button" class="button" data-testid="deny" disabled=${asked} onClick=${unlessInHaste(deny)}>Deny</button>
      ${scopes.map(
        (
          scope,
        ) => html`<button key=${scope} type="button" class="button" data-testid=${SCOPES[scope].testid} disabled=${asked}
          onClick=${unlessInHaste(() => allow(scope))}>${SCOPES[scope].label}</button>`,
      )}
    </div>
    <${TimeLeft} expires=${approval.expires} />
  </section>`;
}

/**
 * Whether a click came too soon after the card could be seen to be meant for it. The times of the events themselves
 * are compared, so a page that was busy cannot let an old click through.
 *
 * @param {boolean} covered
 * @returns {(event: Event) => boolean}
 */
function useHaste(covered) {
  const seen = useRef(Number.POSITIVE_INFINITY);
  useLayoutEffect(() => {
    seen.current = Number.POSITIVE_INFINITY;
    if (covered) return;
    const frame = requestAnimationFrame(() => {
      seen.current = performance.now();
    });
    return () => cancelAnimationFrame(frame);
  }, [covered]);
  return (event) => event.timeStamp < seen.current + HASTE_MS;
}

/**
 * When no answer counts as No: seconds for the eye, one sentence for screen readers.
 *
 * @param {{expires: number}} props
 */
function TimeLeft({ expires }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((expires - now) / 1000));
  const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const at = new Date(expires).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  return html`<p class="approval-time" data-testid="approval-time">
    <span aria-hidden="true">No answer counts as No: ${left} left</span>
    <span class="visually-hidden">Counts as No at ${at}</span>
  </p>`;
}

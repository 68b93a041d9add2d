import { html } from "htm/preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { groupSessions } from "../session-groups.js";
import { ProblemCard } from "./problem-card.js";
import { SessionView } from "./session-item.js";

/** @import { State, Store } from "../types.js" */

/** The first frame shows more than fits into the panel; hundreds would keep it waiting. */
const FIRST = 60;

/**
 * The list, or why there is none.
 *
 * @param {{state: State, typed: string, store: Store}} props
 */
export function SessionsPanel({ state, typed, store }) {
  const { items, query, error } = state.sessions;
  return html`<div class="settings-panel sessions-panel" id="sessions-panel" tabindex="-1" aria-busy=${items === null || typed !== query}>
    ${error && html`<${Trouble} problem=${error} typed=${typed} store=${store} />`}
    ${!error && items === null && html`<${Waiting} python=${state.python} />`}
    ${
      !error &&
      items?.length === 0 &&
      html`<p class="settings-empty" data-testid="session-none">${
        query
          ? html`No conversation holds “<bdi>${query}</bdi>”.`
          : "No conversations yet: what you ask is kept here, on this machine only."
      }</p>`
    }
    ${items && items.length > 0 && html`<${SessionList} key=${query} items=${items} query=${query} store=${store} />`}
  </div>`;
}

/** @param {{python: State["python"]}} props */
function Waiting({ python }) {
  if (python.state === "failed")
    return html`<p class="settings-empty">The assistant did not start, so there is nothing to show.</p>`;
  return html`<p class="settings-empty" data-testid="session-waiting"><span class="spinner" aria-hidden="true" /> Loading</p>`;
}

/** @param {{problem: import("../types.js").Problem, typed: string, store: Store}} props */
function Trouble({ problem, typed, store }) {
  const again = typed
    ? /** @type {const} */ ({ type: "search-sessions", query: typed })
    : /** @type {const} */ ({ type: "list-sessions" });
  const { label, command } = problem.action ?? { label: "Try again", command: again };
  return html`<${ProblemCard} problem=${problem} label=${label} onAction=${() => store.send(command)} />`;
}

/** @param {{items: import("../types.js").SessionItem[], query: string, store: Store}} props */
function SessionList({ items, query, store }) {
  const [active, setActive] = useState(/** @type {import("./session-item.js").Active | null} */ (null));
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const last = useRef({ id: "", testid: "" });
  const [isWhole, setWhole] = useState(false);
  useEffect(() => setWhole(true), []);
  const groups = useMemo(() => groupSessions(isWhole ? items : items.slice(0, FIRST), new Date()), [items, isWhole]);

  // An item that moves, or whose name is no longer edited, has lost the keyboard.
  useEffect(() => {
    if (document.activeElement !== document.body || !last.current.id) return;
    const item = box.current?.querySelector(`[data-id="${CSS.escape(last.current.id)}"]`);
    const part = item?.querySelector(`[data-testid="${last.current.testid}"]`) ?? item?.querySelector("button");
    if (part instanceof HTMLElement) part.focus();
  });

  /** @param {FocusEvent & {target: HTMLElement}} event */
  function onFocusIn({ target }) {
    last.current = {
      id: target.closest("[data-id]")?.getAttribute("data-id") ?? "",
      testid: target.dataset.testid ?? "",
    };
  }

  /** @param {KeyboardEvent & {target: HTMLElement}} event */
  function onKeyDown(event) {
    if (event.defaultPrevented || !event.target.matches("button")) return;
    const rows = [...(box.current?.querySelectorAll("[data-id]") ?? [])];
    const at = rows.findIndex((row) => row.contains(event.target));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = to < 0 ? document.getElementById("session-search") : rows[to]?.querySelector("button");
    if (next instanceof HTMLElement) next.focus();
  }
  return html`<div ref=${box} onFocusIn=${onFocusIn} onKeyDown=${onKeyDown}>
    ${groups.map(
      ({ label, items: members }) => html`<section key=${label} class="session-group" aria-label=${label}>
        <h3 class="settings-heading">${label}</h3>
        <ul class="sessions" role="list">
          ${members.map(
            (item) => html`<${SessionView} key=${item.id} item=${item} query=${query}
              active=${active?.id === item.id ? active.what : null} setActive=${setActive} store=${store} />`,
          )}
        </ul>
      </section>`,
    )}
  </div>`;
}

/** Settings over the whole panel: what is allowed, what is remembered, the documents, the tools, the user's modules, the log. */

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Announcer } from "./announcer.js";
import { DocumentsSection } from "./documents-section.js";
import { AlertIcon, CloseIcon } from "./icons.js";
import { LogSection } from "./log-section.js";
import { ModulesSection } from "./modules-section.js";
import { NotesSection } from "./notes-section.js";
import { Notices } from "./notices.js";
import { PermissionsSection } from "./permissions-section.js";
import { ToolsSection } from "./tools-section.js";

/** @import { Settings, SettingsSection, State, Store } from "../types.js" */

/** @typedef {{settings: Settings, state: State, store: Store}} SectionProps */

/** @type {{name: SettingsSection, label: string, view: (props: SectionProps) => unknown}[]} */
const SECTIONS = [
  { name: "permissions", label: "Permissions", view: PermissionsSection },
  { name: "notes", label: "Notes", view: NotesSection },
  { name: "documents", label: "Documents", view: DocumentsSection },
  { name: "tools", label: "Tools", view: ToolsSection },
  { name: "modules", label: "My modules", view: ModulesSection },
  { name: "log", label: "Log", view: LogSection },
];

/** @param {{state: State, store: Store}} props */
export function SettingsDialog({ state, store }) {
  const { settingsOpen, section, approvals, announcement, notices } = state;
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const close = () => store.dispatch({ type: "settings-close" });
  useLayoutEffect(() => {
    if (settingsOpen) {
      dialog.current?.showModal();
      document.getElementById(`tab-${section}`)?.focus();
    } else dialog.current?.close();
  }, [settingsOpen]);

  // What had the keyboard may be gone: revoked, deleted, closed.
  useEffect(() => {
    if (settingsOpen && document.activeElement === document.body) document.getElementById("settings-panel")?.focus();
  });

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    close();
  }
  // Live regions outside a modal dialog are silent, so it has its own.
  return html`<dialog class="settings" data-testid="settings-dialog" aria-labelledby="settings-title" ref=${dialog}
    onKeyDown=${onKeyDown} onClose=${() => store.getState().settingsOpen && close()}>
    ${
      settingsOpen &&
      html`<div class="settings-head">
        <h2 class="settings-title" id="settings-title">Settings</h2>
        <button type="button" class="icon-button" data-testid="settings-close" title="Close (Escape)" aria-label="Close"
          onClick=${close}><${CloseIcon} /></button>
      </div>
      ${
        approvals[0] &&
        html`<p class="settings-asks" role="status"><${AlertIcon} /><span>Amplifier asks: ${approvals[0].question}</span>
          <button type="button" class="button" data-testid="settings-approval" onClick=${close}>Show</button></p>`
      }
      <${Tabs} section=${section} store=${store} />
      <${Panel} state=${state} store=${store} />
      <${Notices} notices=${notices} store=${store} />`
    }
    <${Announcer} announcement=${announcement} testid="settings-announcer" />
  </dialog>`;
}

/** @param {{section: SettingsSection, store: Store}} props */
function Tabs({ section, store }) {
  /** @param {SettingsSection} name */
  function choose(name) {
    store.dispatch({ type: "settings-section", section: name });
    document.getElementById(`tab-${name}`)?.focus();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const at = SECTIONS.findIndex(({ name }) => name === section);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    const next = to === undefined ? undefined : SECTIONS.at(to % SECTIONS.length);
    if (!next) return;
    event.preventDefault();
    choose(next.name);
  }
  return html`<div class="tabs" role="tablist" aria-label="Settings" onKeyDown=${onKeyDown}>
    ${SECTIONS.map(
      ({ name, label }) => html`<button key=${name} type="button" class="tab" role="tab" id=${`tab-${name}`}
        data-testid=${`settings-${name}`} aria-selected=${name === section} aria-controls="settings-panel"
        tabindex=${name === section ? 0 : -1} onClick=${() => choose(name)}>${label}</button>`,
    )}
  </div>`;
}

/** @param {{state: State, store: Store}} props */
function Panel({ state, store }) {
  const { settings, section, python } = state;
  const view = SECTIONS.find(({ name }) => name === section)?.view;
  return html`<div class="settings-panel" role="tabpanel" tabindex="-1" id="settings-panel" aria-labelledby=${`tab-${section}`} key=${section}>
    ${settings ? html`<${view} settings=${settings} state=${state} store=${store} />` : html`<${Waiting} python=${python} />`}
  </div>`;
}

/** @param {{python: State["python"]}} props */
function Waiting({ python }) {
  if (python.state === "failed")
    return html`<p class="settings-empty">The assistant did not start, so there is nothing to show.</p>`;
  return html`<p class="settings-empty"><span class="spinner" aria-hidden="true" /> Loading</p>`;
}

/** Settings over the whole panel: what is allowed, what is remembered, the documents, the tools, the user's modules, the log. */

import { html } from "htm/preact";
import { AnswersSection } from "./answers-section.js";
import { DataSection } from "./data-section.js";
import { DocumentsSection } from "./documents-section.js";
import { GeneralSection } from "./general-section.js";
import { LogSection } from "./log-section.js";
import { ModelsSection } from "./models-section.js";
import { ModulesSection } from "./modules-section.js";
import { NotesSection } from "./notes-section.js";
import { PanelDialog } from "./panel-dialog.js";
import { PermissionsSection } from "./permissions-section.js";
import { PromptsSection } from "./prompts-section.js";
import { ToolsSection } from "./tools-section.js";

/** @import { Settings, SettingsSection, State, Store } from "../types.js" */

/** @typedef {{settings: Settings, state: State, store: Store}} SectionProps */

/** @type {{name: SettingsSection, label: string, view: (props: SectionProps) => unknown}[]} */
const SECTIONS = [
  { name: "models", label: "Models", view: ModelsSection },
  { name: "permissions", label: "Permissions", view: PermissionsSection },
  { name: "answers", label: "Answers", view: AnswersSection },
  { name: "prompts", label: "Prompts", view: PromptsSection },
  { name: "notes", label: "Notes", view: NotesSection },
  { name: "documents", label: "Documents", view: DocumentsSection },
  { name: "tools", label: "Tools", view: ToolsSection },
  { name: "modules", label: "My modules", view: ModulesSection },
  { name: "general", label: "General", view: GeneralSection },
  { name: "data", label: "Data", view: DataSection },
  { name: "log", label: "Log", view: LogSection },
];

/** @param {{state: State, store: Store}} props */
export function SettingsDialog({ state, store }) {
  const { settingsOpen, section } = state;
  function close() {
    if (!store.getState().settingsOpen) return;
    store.send({ type: "hide-settings" });
    store.dispatch({ type: "settings-close" });
  }
  return html`<${PanelDialog} name="settings" testid="settings-dialog" title="Settings" isOpen=${settingsOpen} close=${close}
    first=${`tab-${section}`} rest="settings-panel" state=${state} store=${store}>
    ${
      settingsOpen &&
      html`<${Tabs} section=${section} store=${store} />
      <${Panel} state=${state} store=${store} />`
    }
  <//>`;
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
    const current = store.getState().section; // the next key may come before the next frame
    const at = SECTIONS.findIndex(({ name }) => name === current);
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

/** Settings over the whole panel, in groups: a tab each, with its sections under headings of which one is open. */

import { html } from "htm/preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { AnswersSection } from "./answers-section.js";
import { DataSection } from "./data-section.js";
import { DocumentsSection } from "./documents-section.js";
import { GeneralSection } from "./general-section.js";
import { ChevronIcon } from "./icons.js";
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

/** @typedef {{name: SettingsSection, label: string, view: (props: SectionProps) => unknown}} Section */

/** @typedef {{name: string, label: string, sections: Section[]}} Group */

/** @type {Group[]} */
const GROUPS = [
  {
    name: "general",
    label: "General",
    sections: [{ name: "general", label: "General", view: GeneralSection }],
  },
  {
    name: "answers",
    label: "Answers",
    sections: [
      { name: "answers", label: "Summaries and answers", view: AnswersSection },
      { name: "prompts", label: "Saved prompts", view: PromptsSection },
    ],
  },
  {
    name: "models",
    label: "Models",
    sections: [{ name: "models", label: "Models", view: ModelsSection }],
  },
  {
    name: "knowledge",
    label: "Knowledge",
    sections: [
      { name: "documents", label: "Documents", view: DocumentsSection },
      { name: "notes", label: "Notes", view: NotesSection },
    ],
  },
  {
    name: "tools",
    label: "Tools",
    sections: [
      { name: "tools", label: "Tools", view: ToolsSection },
      { name: "modules", label: "My modules", view: ModulesSection },
      { name: "permissions", label: "Permissions", view: PermissionsSection },
    ],
  },
  {
    name: "data",
    label: "Data",
    sections: [
      { name: "data", label: "Storage", view: DataSection },
      { name: "log", label: "Log", view: LogSection },
    ],
  },
];

/** The group that a section is in. @param {SettingsSection} section */
const groupOf = (section) =>
  /** @type {Group} */ (GROUPS.find(({ sections }) => sections.some(({ name }) => name === section)));

/** @param {{state: State, store: Store}} props */
export function SettingsDialog({ state, store }) {
  const { settingsOpen, section } = state;
  const group = groupOf(section);
  function close() {
    if (!store.getState().settingsOpen) return;
    store.send({ type: "hide-settings" });
    store.dispatch({ type: "settings-close" });
  }
  return html`<${PanelDialog} name="settings" testid="settings-dialog" title="Settings" isOpen=${settingsOpen} close=${close}
    first=${`tab-${group.name}`} rest="settings-panel" state=${state} store=${store}>
    ${
      settingsOpen &&
      html`<${Tabs} group=${group} store=${store} />
      <${Panel} group=${group} state=${state} store=${store} />`
    }
  <//>`;
}

/** @param {{group: Group, store: Store}} props */
function Tabs({ group, store }) {
  /** @param {Group} chosen */
  function choose({ name, sections: [first] }) {
    if (first) store.dispatch({ type: "settings-section", section: first.name });
    document.getElementById(`tab-${name}`)?.focus();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const at = GROUPS.indexOf(groupOf(store.getState().section)); // the next key may come before the next frame
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    const next = to === undefined ? undefined : GROUPS.at(to % GROUPS.length);
    if (!next) return;
    event.preventDefault();
    choose(next);
  }
  return html`<div class="tabs" role="tablist" aria-label="Settings" onKeyDown=${onKeyDown}>
    ${GROUPS.map(
      (each) => html`<button key=${each.name} type="button" class="tab" role="tab" id=${`tab-${each.name}`}
        data-testid=${`settings-${each.name}`} aria-selected=${each === group} aria-controls="settings-panel"
        tabindex=${each === group ? 0 : -1} onClick=${() => choose(each)}>${each.label}</button>`,
    )}
  </div>`;
}

/** @param {{group: Group, state: State, store: Store}} props */
function Panel({ group, state, store }) {
  const { settings, python, section } = state;
  return html`<div class="settings-panel" role="tabpanel" tabindex="-1" id="settings-panel" data-section=${section}
    aria-labelledby=${`tab-${group.name}`} key=${group.name}>
    ${settings ? html`<${Sections} group=${group} settings=${settings} state=${state} store=${store} />` : html`<${Waiting} python=${python} />`}
  </div>`;
}

/** The only section of a group as it is; of several the chosen one, under its heading. @param {{group: Group} & SectionProps} props */
function Sections({ group, settings, state, store }) {
  const { section } = state;
  const [folded, setFolded] = useState(/** @type {SettingsSection | null} */ (null));
  useLayoutEffect(() => document.getElementById(`section-${section}`)?.scrollIntoView(), [section]);

  /** @param {SettingsSection} name */
  function toggle(name) {
    setFolded(name === section && folded !== name ? name : null);
    if (name !== section) store.dispatch({ type: "settings-section", section: name });
  }
  const isAlone = group.sections.length === 1;
  return group.sections.map(({ name, label, view }) => {
    const isOpen = name === section && name !== folded;
    const content = isOpen && html`<${view} settings=${settings} state=${state} store=${store} />`;
    if (isAlone) return content;
    return html`<div key=${name} class="settings-section" id=${`section-${name}`}>
      <h3><button type="button" class="section-toggle" data-testid=${name === group.name ? `settings-${name}-heading` : `settings-${name}`}
        aria-expanded=${isOpen} onClick=${() => toggle(name)}><span class="chevron"><${ChevronIcon} /></span>${label}</button></h3>
      ${content}
    </div>`;
  });
}

/** @param {{python: State["python"]}} props */
function Waiting({ python }) {
  if (python.state === "failed")
    return html`<p class="settings-empty">The assistant did not start, so there is nothing to show.</p>`;
  return html`<p class="settings-empty"><span class="spinner" aria-hidden="true" /> Loading</p>`;
}

/** The user's own modules: a list, and the editor of the one that is open. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { LARGEST_MODULE } from "../limits.js";
import { editedModule } from "../settings-state.js";
import { EditIcon, NewIcon } from "./icons.js";
import { ImportFile } from "./import-file.js";
import { ModuleControls, ModuleState } from "./module-controls.js";
import { ModuleEditor } from "./module-editor.js";
import { Undo } from "./undo.js";

/** @import { Settings, State, Store, UserModule } from "../types.js" */

/** @param {import("./settings-dialog.js").SectionProps} props */
export function ModulesSection({ settings, state, store }) {
  const { editor } = state;
  const edited = editor === null ? undefined : editedModule(state, editor);
  if (editor !== null && edited) {
    return html`<${ModuleEditor} key="editor" keyOfModule=${editor} edited=${edited} settings=${settings} state=${state} store=${store} />`;
  }
  return html`<${ModuleList} key="list" settings=${settings} state=${state} store=${store} />`;
}

/** @param {import("./settings-dialog.js").SectionProps} props */
function ModuleList({ settings, state, store }) {
  const { drafts, undo } = state;
  const { modules } = settings;
  const unsaved = Object.entries(drafts).filter(([key]) => !modules.some((module) => module.id === key));
  return html`<p class="settings-intro">Tools and hooks written by you, in Python. They run apart from your pages and get only
      what you grant them.</p>
    <${NewModule} settings=${settings} store=${store} />
    <${Undo} undo=${undo?.command.type === "save-module" ? undo : null} testid="module-undo" store=${store} />
    ${
      modules.length + unsaved.length === 0
        ? html`<p class="settings-empty">No modules yet. Begin with a starting point, or import a file.</p>`
        : html`<ul class="items" aria-label="My modules">
          ${unsaved.map(
            ([
              key,
              draft,
            ]) => html`<li key=${key} class="item" data-testid="module-item" data-state="unsaved" data-id=${key}>
              <p class="item-title" dir="auto">${draft.name || "Unnamed"}</p>
              <p class="item-about">Not saved yet</p>
              <div class="item-buttons">
                <button type="button" class="button" data-testid="module-open"
                  onClick=${() => store.dispatch({ type: "module-open", key })}><${EditIcon} />Go on</button>
                <button type="button" class="button" data-testid="module-discard"
                  onClick=${() => store.dispatch({ type: "module-discard", key })}>Discard</button>
              </div>
            </li>`,
          )}
          ${modules.map((module) => html`<${ModuleItem} key=${module.id} module=${module} changed=${module.id in drafts} store=${store} />`)}
        </ul>`
    }`;
}

/** @param {{module: UserModule, changed: boolean, store: Store}} props */
function ModuleItem({ module, changed, store }) {
  const { id, name, kind, state } = module;
  return html`<li class="item" data-testid="module-item" data-state=${state} data-id=${id}>
    <div class="item-head"><p class="item-title" dir="auto">${name}${kind && html` <span class="kind">${kind}</span>`}</p>
      <${ModuleState} module=${module} /></div>
    ${changed && html`<p class="item-about">Has changes that are not saved</p>`}
    <${ModuleControls} module=${module} store=${store}>
      <button type="button" class="button" data-testid="module-open" aria-label=${`Edit ${name}`}
        onClick=${() => store.dispatch({ type: "module-open", key: id })}><${EditIcon} />Edit</button>
    <//>
  </li>`;
}

/** @param {{settings: Settings, store: Store}} props */
function NewModule({ settings, store }) {
  const [open, setOpen] = useState(false);
  const points = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (open) points.current?.querySelector("button")?.focus();
  }, [open]);
  const { examples = [] } = settings;
  const begin = (/** @type {string} */ name, /** @type {string} */ source) =>
    store.dispatch({ type: "module-new", name, source });
  const start = () => (examples.length > 0 ? setOpen(!open) : begin("", ""));
  return html`<div class="new-module">
    <div class="item-buttons">
      <button type="button" class="button primary" data-testid="module-new" aria-expanded=${examples.length > 0 ? open : undefined}
        onClick=${start}><${NewIcon} />New module</button>
      <${ImportFile} label="Import a file" accept=".py" testid="module-import" largest=${LARGEST_MODULE} what="a module"
        onText=${(/** @type {string} */ text, /** @type {string} */ name) => begin(name.replace(/\.py$/i, ""), text.replaceAll("\r\n", "\n"))}
        store=${store} />
    </div>
    ${
      open &&
      html`<ul class="items starts" ref=${points} aria-label="Starting points">
        <li class="item"><button type="button" class="start" data-testid="module-start" onClick=${() => begin("", "")}>Empty</button></li>
        ${examples.map(
          ({
            name,
            source,
          }) => html`<li key=${name} class="item"><button type="button" class="start" data-testid="module-start"
            onClick=${() => begin(name, source)}>${name}</button></li>`,
        )}
      </ul>`
    }
  </div>`;
}

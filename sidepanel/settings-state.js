/** The settings dialog's part of the state: what Python tells, what is open, and modules that are edited but not saved. */

import { announce } from "./announce.js";
import { counted } from "./counted.js";

/** @import { Command, LibraryDocument, ModuleDraft, PanelEvent, Settings, State, UserModule, ViewEvent } from "./types.js" */

/** @type {Pick<State, "settings" | "settingsOpen" | "section" | "drafts" | "editor" | "saving" | "undo">} */
export const INITIAL_SETTINGS = {
  settings: null,
  settingsOpen: false,
  section: "general",
  drafts: {},
  editor: null,
  saving: null,
  undo: null,
};

/**
 * @param {State} state
 * @param {PanelEvent | ViewEvent} event
 * @returns {State}
 */
export function reduceSettings(state, event) {
  switch (event.type) {
    case "settings":
      return takeSettings(state, event.settings);
    case "settings-open":
      return { ...state, settingsOpen: true };
    case "settings-close":
      return { ...state, settingsOpen: false, undo: null };
    case "settings-section":
      return { ...state, section: event.section, undo: null };
    case "module-new":
      return startDraft(state, { id: null, name: event.name, source: event.source });
    case "module-open":
      return { ...state, editor: event.key, undo: null };
    case "module-close":
      return { ...state, editor: null, drafts: keepDrafts(state, (draft) => Boolean(draft.name || draft.source)) };
    case "module-draft":
      return putDraft(state, event.key, event.name, event.source);
    case "module-discard":
      return discard(state, event.key);
    default:
      return state;
  }
}

/**
 * The module of a key, as it is saved.
 *
 * @param {State} state
 * @param {string | null} key
 * @returns {UserModule | undefined}
 */
export function savedModule({ settings }, key) {
  return settings?.modules.find((module) => module.id === key);
}

/**
 * What stands in the editor for a key: the changes, or else what is saved.
 *
 * @param {State} state
 * @param {string} key
 * @returns {ModuleDraft | undefined}
 */
export function editedModule(state, key) {
  return state.drafts[key] ?? savedModule(state, key);
}

/**
 * @param {State} state
 * @param {ModuleDraft} draft
 * @returns {State}
 */
function startDraft(state, draft) {
  let number = 1;
  while (state.drafts[`new-${number}`]) number += 1;
  const key = `new-${number}`;
  return { ...state, editor: key, drafts: { ...state.drafts, [key]: draft }, undo: null };
}

/**
 * @param {State} state
 * @param {string} key
 * @param {string} name
 * @param {string} source
 * @returns {State}
 */
function putDraft(state, key, name, source) {
  const id = savedModule(state, key)?.id ?? null;
  const drafts = { ...state.drafts, [key]: { id, name, source } };
  return { ...state, drafts: keepDrafts({ ...state, drafts }, (draft) => differs(draft, state.settings)) };
}

/**
 * @param {State} state
 * @param {string} key
 * @returns {State}
 */
function discard(state, key) {
  const { [key]: _, ...drafts } = state.drafts;
  return { ...state, drafts, editor: state.editor === key && !savedModule(state, key) ? null : state.editor };
}

/**
 * Takes what Python tells; what has been saved is no draft any more.
 *
 * @param {State} state
 * @param {Settings} settings
 * @returns {State}
 */
function takeSettings(state, settings) {
  const next = adoptSaved({ ...state, settings }, state.settings);
  const drafts = keepDrafts(next, (draft) => differs(draft, settings));
  const lost = next.editor !== null && !drafts[next.editor] && !savedModule(next, next.editor);
  return endSaving({ ...next, drafts, editor: lost ? null : next.editor });
}

/**
 * A module that was saved for the first time gets its id from Python: the editor goes on with that.
 *
 * @param {State} state
 * @param {Settings | null} before
 * @returns {State}
 */
function adoptSaved(state, before) {
  const { saving, drafts, editor, settings } = state;
  const draft = saving === null ? undefined : drafts[saving];
  const known = new Set(before?.modules.map((module) => module.id));
  if (saving === null || !draft || !settings || known.has(saving)) return state;
  const fresh = settings.modules.filter((module) => !known.has(module.id));
  const saved = fresh.find((module) => module.source === draft.source) ?? fresh[0];
  if (!saved) return state;
  const { [saving]: _, ...others } = drafts;
  return {
    ...state,
    drafts: { ...others, [saved.id]: { ...draft, id: saved.id } },
    editor: editor === saving ? saved.id : editor,
    saving: saved.id,
  };
}

/**
 * @param {State} state
 * @returns {State}
 */
function endSaving(state) {
  const module = savedModule(state, state.saving);
  if (!module || module.state === "checking") return state;
  const { length } = module.problems;
  const words = length === 0 ? "no problems found" : length === 1 ? "1 problem" : `${length} problems`;
  return announce({ ...state, saving: null }, `${module.name} is saved: ${words}`);
}

/**
 * @param {ModuleDraft} draft
 * @param {Settings | null} settings
 */
function differs(draft, settings) {
  const saved = settings?.modules.find((module) => module.id === draft.id);
  return !saved || saved.name !== draft.name || saved.source !== draft.source;
}

/**
 * @param {State} state
 * @param {(draft: ModuleDraft) => boolean} keep
 * @returns {State["drafts"]}
 */
function keepDrafts({ drafts }, keep) {
  return Object.fromEntries(Object.entries(drafts).filter(([, draft]) => keep(draft)));
}

/**
 * What the user sees at once of a command, before Python has told the settings anew.
 *
 * @param {State} state
 * @param {Command} command
 * @returns {State}
 */
export function showSentSettings(state, command) {
  const { settings } = state;
  if (command.type === "save-module") return { ...state, saving: state.editor, undo: null };
  if (!settings) return state;
  switch (command.type) {
    case "set-preference":
      return settings.preferences
        ? withSettings(state, { preferences: { ...settings.preferences, [command.name]: command.value } })
        : state;
    case "save-prompt":
      return { ...state, undo: null };
    case "delete-prompt":
      return deletePrompt(state, settings, command.id);
    case "revoke":
      return announce(withSettings(state, { grants: without(settings.grants, command.id) }), "Revoked");
    case "delete-note":
      return deleteNote(state, settings, command.id);
    case "add-note":
      return { ...state, undo: null };
    case "remove-module":
      return removeModule(state, settings, command.id);
    case "delete-document":
      return deleteDocuments(state, settings, ({ id }) => id === command.id);
    case "delete-collection":
      return deleteDocuments(
        state,
        settings,
        ({ collection }) => collection === command.collection,
        command.collection,
      );
    case "restore-documents":
      return { ...state, undo: null };
    case "move-document":
      return changeDocuments(state, settings, command.collection, ({ id }) => id === command.id);
    case "rename-collection":
      return changeDocuments(state, settings, command.to, ({ collection }) => collection === command.from);
    case "enable-module":
      return changeModule(state, settings, command.id, () => ({ enabled: command.enabled }));
    case "grant-module":
      return changeModule(state, settings, command.id, ({ granted }) => {
        const others = granted.filter((name) => name !== command.capability);
        return { granted: command.granted ? [...others, command.capability] : others };
      });
    default:
      return state;
  }
}

/**
 * @param {State} state
 * @param {Settings} settings
 * @param {string} id
 * @returns {State}
 */
function deleteNote(state, settings, id) {
  const note = settings.notes.find((other) => other.id === id);
  if (!note) return state;
  const next = withSettings(state, { notes: without(settings.notes, id) });
  return announce(
    { ...next, undo: { text: "Note deleted.", command: { type: "add-note", text: note.text } } },
    "Note deleted",
  );
}

/**
 * @param {State} state
 * @param {Settings} settings
 * @param {string} id
 * @returns {State}
 */
function deletePrompt(state, { preferences }, id) {
  const prompt = preferences?.saved_prompts.find((other) => other.id === id);
  if (!preferences || !prompt) return state;
  const next = withSettings(state, {
    preferences: { ...preferences, saved_prompts: without(preferences.saved_prompts, id) },
  });
  const undo = { text: `${prompt.title} deleted.`, command: { type: /** @type {const} */ ("save-prompt"), ...prompt } };
  return announce({ ...next, undo }, `${prompt.title} deleted`);
}

/**
 * @param {State} state
 * @param {Settings} settings
 * @param {(document: LibraryDocument) => boolean} isMeant
 * @param {string} [name] of all of them; that of the only one without
 * @returns {State}
 */
function deleteDocuments(state, { documents = [] }, isMeant, name) {
  const gone = documents.filter(isMeant);
  if (gone.length === 0) return state;
  const text = name ? `${name} deleted, with ${counted(gone.length, "document")}` : `${gone[0]?.name} deleted`;
  /** @type {State["undo"]} */
  const undo = { text: `${text}.`, command: { type: "restore-documents", ids: gone.map(({ id }) => id) } };
  const next = withSettings(state, { documents: documents.filter((document) => !isMeant(document)) });
  return announce({ ...next, undo }, text);
}

/**
 * @param {State} state
 * @param {Settings} settings
 * @param {string} collection that they go to
 * @param {(document: LibraryDocument) => boolean} isMoved
 * @returns {State}
 */
function changeDocuments(state, { documents = [] }, collection, isMoved) {
  const moved = documents.map((document) => (isMoved(document) ? { ...document, collection } : document));
  return announce(withSettings(state, { documents: moved }), `Now in ${collection}`);
}

/**
 * @param {State} state
 * @param {Settings} settings
 * @param {string} id
 * @returns {State}
 */
function removeModule(state, settings, id) {
  const module = settings.modules.find((other) => other.id === id);
  if (!module) return state;
  const { name, source } = editedModule(state, id) ?? module;
  const { [id]: _, ...drafts } = state.drafts;
  const next = withSettings(state, { modules: without(settings.modules, id) });
  /** @type {State["undo"]} */
  const undo = { text: `${module.name} removed.`, command: { type: "save-module", id: null, name, source } };
  const editor = state.editor === id ? null : state.editor;
  return announce({ ...next, drafts, editor, undo }, `${module.name} removed`);
}

/**
 * @param {State} state
 * @param {Settings} settings
 * @param {string} id
 * @param {(module: UserModule) => Partial<UserModule>} change
 * @returns {State}
 */
function changeModule(state, settings, id, change) {
  const modules = settings.modules.map((module) => (module.id === id ? { ...module, ...change(module) } : module));
  return withSettings(state, { modules });
}

/**
 * @param {State} state
 * @param {Partial<Settings>} changes
 * @returns {State}
 */
function withSettings(state, changes) {
  return state.settings ? { ...state, settings: { ...state.settings, ...changes } } : state;
}

/**
 * @template {{id: string}} T
 * @param {T[]} items
 * @param {string} id
 */
const without = (items, id) => items.filter((item) => item.id !== id);

/** States of the settings dialog, and of the tools offered in the composer. */

import { message, READY, user } from "./scene-parts.js";

/** @import { Settings, SettingsSection, UserModule } from "../../../sidepanel/types.js" */
/** @import { SceneEvent } from "./scene-parts.js" */

const SOURCE = `"""Counts the words of a text."""

from amplifier_core import ToolResult

__amplifier_module_type__ = "tool"
CAPABILITIES = ["page", "notes"]


class CountWords:
    name = "count_words"
    description = "Counts the words of a text."
    input_schema = {"type": "object", "properties": {"text": {"type": "string", "description": "What to count"}}}

    async def execute(self, input):
        return ToolResult(output=str(len(input["text"].split()))


async def mount(coordinator, config=None):
    await coordinator.mount("tools", CountWords(), name="count_words")
`;

/**
 * @param {Partial<UserModule>} changes
 * @returns {UserModule}
 */
function userModule(changes) {
  return {
    id: "m1",
    name: "count-words",
    source: SOURCE,
    kind: "tool",
    enabled: true,
    state: "valid",
    problems: [],
    wants: ["page", "notes"],
    granted: ["page"],
    log: [],
    ...changes,
  };
}

const WRONG = userModule({
  state: "invalid",
  enabled: false,
  problems: [
    { line: 15, message: "'(' was never closed" },
    { line: null, message: "No function mount(coordinator, config) was found." },
  ],
  log: [
    { time: "2026-11-24T09:12:03Z", level: "info", text: "mounted as tool count_words" },
    { time: "2026-11-24T09:14:40Z", level: "error", text: "KeyError: 'text'\n  line 15, in execute" },
  ],
});

/** @type {Settings} */
const SETTINGS = {
  grants: [
    { id: "g1", title: "Run Python code", detail: "in this session", created: "2026-11-24T09:10:00Z" },
    {
      id: "g2",
      title: "Read another tab",
      detail: "always, on weather.example.org",
      created: "2026-10-02T08:00:00Z",
    },
  ],
  notes: [
    { id: "n1", text: "My name is Ada; I write in British English.", created: "2026-11-20T10:00:00Z" },
    { id: "n2", text: "Units: metric.\nDates: day first.", created: "2026-11-22T10:00:00Z" },
  ],
  tools: [
    ["read_page", "Read the page", "Reads the text of the page you look at."],
    ["find_in_page", "Find in the page", "Finds where the page speaks of something."],
    ["list_tabs", "List the tabs", "Lists the open tabs of this window."],
    ["python", "Run Python code", "Runs Python code and shows what it prints, draws and returns."],
    ["calculate", "Calculate", "Works out an expression."],
    ["current_time", "Look at the clock", "Tells the date and the time."],
    ["remember", "Remember a note", "Keeps a short note for later sessions."],
    ["count_words", "Count words", "Counts the words of a text."],
  ].map(([name = "", title = "", description = ""]) => ({
    name,
    title,
    description,
    module: name === "count_words" ? "count-words" : null,
  })),
  modules: [
    userModule({}),
    userModule({ ...WRONG, id: "m2", name: "page-watcher", kind: "" }),
    userModule({ id: "m3", name: "quiet-hours", kind: "hook", state: "failed", wants: [] }),
  ],
  capabilities: [
    { name: "page", label: "Read the page you look at" },
    { name: "notes", label: "Read and write your notes" },
  ],
  examples: [
    { name: "A tool that counts words", source: SOURCE },
    { name: "A hook that watches each answer", source: SOURCE },
  ],
};

/** @type {Settings} */
const NOTHING = { ...SETTINGS, grants: [], notes: [], tools: [], modules: [] };

/**
 * @param {SettingsSection} section
 * @param {Settings} [settings]
 * @returns {SceneEvent[]}
 */
function open(section, settings = SETTINGS) {
  return [...READY, { type: "settings", settings }, { type: "settings-open" }, { type: "settings-section", section }];
}

const HOSTILE = '<img src=x onerror="document.body.dataset.hacked=1"><b>bold</b>';

/** @type {Record<string, SceneEvent[]>} */
export const SETTINGS_SCENES = {
  "settings-loading": [...READY, { type: "settings-open" }],
  "settings-permissions": open("permissions"),
  "settings-permissions-empty": open("permissions", NOTHING),
  "settings-notes": open("notes"),
  "settings-notes-empty": open("notes", NOTHING),
  "settings-notes-undo": [...open("notes"), { type: "sent", command: { type: "delete-note", id: "n1" } }],
  "settings-tools": open("tools"),
  "settings-modules": open("modules"),
  "settings-modules-empty": open("modules", NOTHING),
  "settings-module": [...open("modules"), { type: "module-open", key: "m1" }],
  "settings-module-problems": [...open("modules"), { type: "module-open", key: "m2" }],
  "settings-module-new": [...open("modules"), { type: "module-new", name: "", source: "" }],
  "settings-log": open("log"),
  "settings-hostile": open("permissions", {
    ...SETTINGS,
    grants: [{ id: "g1", title: HOSTILE, detail: HOSTILE, created: "no date" }],
    notes: [{ id: "n1", text: HOSTILE, created: 0 }],
    tools: [{ name: HOSTILE, title: HOSTILE, description: HOSTILE, module: HOSTILE }],
    modules: [
      userModule({
        name: HOSTILE,
        source: HOSTILE,
        state: "invalid",
        problems: [{ line: 1, message: HOSTILE }],
        wants: [HOSTILE],
        log: [{ time: HOSTILE, level: "error", text: HOSTILE }],
      }),
    ],
  }),
  suggestions: [
    ...READY,
    user("What can you do?"),
    message({ text: "Start a message with “/”." }),
    { type: "settings", settings: SETTINGS },
    { type: "draft", text: "/" },
  ],
};

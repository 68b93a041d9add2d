/** States of the settings dialog, and of the tools offered in the composer. */

import { message, READY, user } from "./scene-parts.js";

/** @import { Preferences, Settings, SettingsSection, UserModule } from "../../../sidepanel/types.js" */
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

/** @type {Preferences} */
export const PREFERENCES = {
  summary_style: "short",
  language: "",
  languages: [
    { name: "Arabic", native: "العربية" },
    { name: "Chinese", native: "中文" },
    { name: "Danish", native: "Dansk" },
    { name: "English", native: "English" },
    { name: "Indonesian", native: "Bahasa Indonesia" },
  ],
  styles: [
    { id: "short", name: "Short", detail: "A paragraph" },
    { id: "points", name: "Key points", detail: "A list" },
    { id: "detailed", name: "Detailed", detail: "Part by part" },
    { id: "questions", name: "Questions and answers", detail: "What it answers" },
    { id: "simple", name: "Simpler words", detail: "Short sentences" },
  ],
  theme: "system",
  temperature: null,
  longest_answer: null,
  system_prompt: "",
  default_system_prompt: "You are a helpful AI assistant.",
  keep_minutes: 15,
  run_on: "auto",
  synchronize: true,
  unsynced: [],
  saved_prompts: [
    { id: "p1", title: "Explain to a child", text: "Explain this to a child of ten, in three sentences:" },
    {
      id: "p2",
      title: "Polite reply",
      text: "Write a polite answer to this letter.\nThank for it first, then say what I think of it: yes in principle, but not before spring.",
    },
  ],
};

/** @type {Settings} */
export const SETTINGS = {
  preferences: PREFERENCES,
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

/** @param {Partial<Preferences>} changes @returns {Settings} */
const preferring = (changes) => ({ ...SETTINGS, preferences: { ...PREFERENCES, ...changes } });

/** @type {Settings} */
const KEPT = {
  ...SETTINGS,
  data: {
    lines: [
      { name: "conversations", count: 214, bytes: 3_200_000 },
      { name: "documents", count: 31, bytes: 48_000_000 },
      { name: "models", count: 2, bytes: 2_870_000_000 },
      { name: "notes", count: 2, bytes: 75 },
      { name: "modules", count: null, bytes: null },
    ],
    usage: 3_120_000_000,
    quota: 64_000_000_000,
  },
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

/** @type {import("../../../sidepanel/types.js").Happening[]} oldest first */
const HAPPENED = [
  { time: 1795500000000, level: "info", text: "SmolLM2 135M (starter) runs on the graphics card" },
  {
    time: 1795500060000,
    level: "warning",
    text: "The engine was lost and is being started again (destroyed: device was destroyed)",
  },
  { time: 1795500063000, level: "info", text: "The engine is back: SmolLM2 135M (starter) runs on the graphics card" },
  { time: 1795500064000, level: "warning", text: "An answer was interrupted and went on by itself" },
  {
    time: 1795500120000,
    level: "error",
    text: "This conversation is not being saved. It goes on, and saving is tried again by itself. (QuotaExceededError)",
  },
  { time: Number.NaN, level: "info", text: HOSTILE },
];

/** @type {Record<string, SceneEvent[]>} */
export const SETTINGS_SCENES = {
  "settings-loading": [...READY, { type: "settings-open" }],
  "settings-permissions": open("permissions"),
  "settings-permissions-empty": open("permissions", NOTHING),
  "settings-answers": open("answers"),
  "settings-answers-chosen": open(
    "answers",
    preferring({
      temperature: 0.7,
      longest_answer: 400,
      system_prompt: "You are a patient teacher of history.\nAnswer in short sentences.",
    }),
  ),
  "settings-prompts": open("prompts"),
  "settings-prompts-empty": open("prompts", preferring({ saved_prompts: [] })),
  "settings-prompts-undo": [
    ...open("prompts", preferring({ unsynced: ["saved_prompts"] })),
    { type: "sent", command: { type: "delete-prompt", id: "p1" } },
  ],
  "settings-general": open("general"),
  "settings-theme-dark": open("general", preferring({ theme: "dark", keep_minutes: null, synchronize: false })),
  "settings-theme-light": open("general", preferring({ theme: "light" })),
  "settings-data": open("data", KEPT),
  "settings-data-looking": open("data"),
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
  "settings-timeline": [...open("log"), { type: "timeline", entries: HAPPENED }],
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

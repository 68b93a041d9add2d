/** States of the models section: what fits, downloads on their way, what went wrong, and models by address. */

import { READY } from "./scene-parts.js";
import { SETTINGS } from "./settings-scenes.js";

/** @import { ModelItem, Models } from "../../../sidepanel/types.js" */
/** @import { SceneEvent } from "./scene-parts.js" */

const WHY = {
  yes: "It takes 2.3 GB of graphics memory; this computer has 8 GB or more of memory.",
  tight:
    "It takes 5.0 GB of graphics memory, much for this computer with 8 GB or more of memory: close other tabs and programs.",
  unknown: "It takes 9.1 GB of graphics memory. Chrome tells only that this computer has 8 GB or more.",
  no: "It needs 16-bit shaders (shader-f16), which this graphics card lacks.",
};

/**
 * @param {string} id
 * @param {string} name
 * @param {Partial<ModelItem>} [rest]
 * @returns {ModelItem}
 */
function model(id, name, rest = {}) {
  return {
    id,
    name,
    publisher: "Meta",
    size_bytes: 1_807_000_000,
    is_size_estimated: true,
    vram_bytes: 2_263_000_000,
    context_window: 4096,
    licence: "Llama 3.2 Community",
    good_for: "Summaries and chat in English and seven more languages",
    fits: "yes",
    why: WHY[rest.fits ?? "yes"],
    is_vision: false,
    calls_functions: false,
    is_recommended: false,
    reason: "",
    is_bundled: false,
    is_custom: false,
    is_loaded: false,
    state: "absent",
    progress: null,
    detail: "",
    speed: "",
    page: "",
    ...rest,
  };
}

const STARTER = model("starter", "SmolLM2 135M (starter)", {
  publisher: "",
  size_bytes: 101_000_000,
  is_size_estimated: false,
  vram_bytes: 0,
  context_window: 2048,
  licence: "Apache-2.0",
  good_for: "Trying things out at once and offline; too small for long pages and facts",
  is_bundled: true,
  is_loaded: true,
  state: "complete",
});
const SUGGESTED = model("llama-3b", "Llama 3.2 3B", {
  is_recommended: true,
  reason: "The best general model that fits this computer well: it takes 2.3 GB of graphics memory.",
});
const OTHERS = [
  model("llama-8b", "Llama 3.1 8B", { fits: "tight", vram_bytes: 5_001_000_000, size_bytes: 4_500_000_000 }),
  model("phi-vision", "Phi 3.5 vision", {
    publisher: "Microsoft",
    licence: "MIT",
    good_for: "Questions about pictures",
    is_vision: true,
  }),
  model("qwen-06", "Qwen 3 0.6B", {
    publisher: "Alibaba",
    licence: "Apache-2.0",
    good_for:
      "Chat, code and tools in a hundred languages; thinks aloud before it answers, which takes time; too small for long pages and facts",
  }),
  model("gemma-9b", "Gemma 2 9B", { publisher: "Google", licence: "Gemma Terms of Use", fits: "unknown" }),
  model("mistral", "Mistral 7B v0.2", { publisher: "Mistral AI", licence: "Apache-2.0", fits: "no" }),
];
const MANY = Array.from({ length: 20 }, (_, n) => model(`m${n}`, `Another ${n + 1}B`));

/** @param {Partial<ModelItem>} rest */
const download = (rest) =>
  model("llama-3b", "Llama 3.2 3B", {
    state: "downloading",
    progress: 0.468,
    detail: "412 MB of 880 MB · 12 MB/s · 40 s left",
    size_bytes: 880_000_000,
    is_size_estimated: false,
    ...rest,
  });

/** @type {Models} */
const WHOLE = {
  models: [STARTER, SUGGESTED, ...OTHERS],
  adapter: { description: "nvidia ampere", f16: true, max_buffer: 4_294_967_296, memory: 8 },
  storage: {
    lines: [
      { label: "Models", bytes: 880_000_000, text: "880 MB" },
      { label: "Documents", bytes: 31_000_000, text: "31 MB" },
      { label: "Conversations", bytes: 2_400_000, text: "2 MB" },
      { label: "Indexes and the rest", bytes: 12_000_000, text: "12 MB" },
    ],
    usage: 925_400_000,
    quota: 60_000_000_000,
    text: "925 MB used; the browser allows 60.0 GB",
  },
  note: "",
  added: null,
  doctor: { running: null, problem: null, result: null, seconds: 20 },
  servers: [],
  server_draft: null,
  server_added: null,
};

/** @type {NonNullable<Models["doctor"]["result"]>} */
const EXAMINED = {
  at: Date.parse("2026-03-04T09:05:00"),
  lines: [
    { label: "Measured with", text: "SmolLM2 135M (starter), on the graphics card" },
    { label: "Writes", text: "110 tokens a second" },
    { label: "Reads", text: "50 tokens at 900 a second; 1,001 tokens at 8,400 a second" },
    { label: "Loads in", text: "1.2 s" },
    { label: "Graphics card", text: "reads weights at 182.0 GB/s, computes at 2,100 GFLOPS, starts a kernel in 12 µs" },
    { label: "Its limits", text: "16-bit shaders · buffers of 2.1 GB · 8 GB of memory or more" },
  ],
  advice: [
    "Best for this computer: Llama 3.2 3B, about 38 tokens a second, predicted.",
    "Llama 3.1 8B would answer better, but take about 85 s for the summary of a page.",
  ],
};
const PREDICTED = { speed: "about 38 tokens a second, predicted", page: "about 9 s" };

/** @param {Partial<Models["doctor"]>} changes @param {Partial<Models>} [others] */
const examined = (changes, others) => open({ doctor: { ...WHOLE.doctor, ...changes }, ...others });

/**
 * @param {Partial<Models>} [changes]
 * @returns {SceneEvent[]}
 */
const open = (changes) => [
  ...READY,
  { type: "settings", settings: SETTINGS },
  { type: "settings-section", section: "models" },
  { type: "settings-open" },
  { type: "models", ...WHOLE, ...changes },
];

/** @param {ModelItem[]} models */
const withModels = (...models) => open({ models: [STARTER, ...models, ...OTHERS.slice(0, 2)] });

const FAILED = {
  title: "The files have moved to another server",
  detail: "Amplifier may load from known servers only, and does not follow. Look for a newer version of Amplifier.",
  technical: "cdn.example.net",
};
const REFUSED = {
  title: "Its program is not in this package",
  detail:
    "A model needs a compiled program beside its weights, and Amplifier runs only programs whose bytes are known. Build the extension with it, on a computer with network: python3 build.py package --models Llama-3.2-3B-Instruct-q4f16_1-MLC",
};

/** @type {Models["servers"]} */
const SERVERS = [
  {
    id: "s1",
    host: "localhost:11434",
    permission: "http://localhost/*",
    kind: "Ollama",
    warning: "",
    has_key: false,
    is_permitted: true,
    is_checked: true,
    problem: null,
    models: [
      { id: "s1/qwen3:8b", name: "qwen3:8b", context_window: 40_960, is_vision: false, is_chosen: true },
      { id: "s1/gemma3:12b", name: "gemma3:12b", context_window: 131_072, is_vision: true, is_chosen: false },
      {
        id: "s1/long",
        name: "hf.co/someone/a-very-long-name-of-a-model-instruct-GGUF:Q4_K_M",
        context_window: 4096,
        is_vision: false,
        is_chosen: false,
      },
    ],
  },
  {
    id: "s2",
    host: "attic.example.net:8080",
    permission: "http://attic.example.net/*",
    kind: "llama.cpp",
    warning: "Text goes to attic.example.net unencrypted: everyone on the way can read it.",
    has_key: true,
    is_permitted: false,
    is_checked: false,
    problem: { title: "Chrome was not allowed to reach it", detail: "Press Allow, and say yes to Chrome." },
    models: [],
  },
];
/** @type {ModelItem} */
const CHROMES_OWN = model("chrome", "Gemini Nano", {
  publisher: "Google",
  size_bytes: 0,
  vram_bytes: 0,
  context_window: 9216,
  licence: "Google’s terms",
  good_for: "Summaries and short answers, by the model that Chrome keeps",
  why: "Chrome says that it runs here.",
  is_built_in: true,
});

const HOSTILE = '<img src=x onerror="document.body.dataset.hacked=1"><b>bold</b>';

/** @type {Record<string, SceneEvent[]>} */
export const MODELS_SCENES = {
  models: open(),
  "models-loading": open().slice(0, -1),
  "models-many": open({ models: [...WHOLE.models, ...MANY] }),
  "models-no-adapter": open({
    adapter: null,
    models: [STARTER, ...OTHERS.map((each) => ({ ...each, fits: /** @type {const} */ ("no") }))],
  }),
  "models-note": open({
    note: "This package has the compiled program of its own model only. The others can be compared here; to download one, build the extension with its program: python3 build.py package --models ID",
  }),
  "models-downloading": withModels(download({})),
  "models-checking": withModels(
    download({ state: "checking", progress: null, detail: "Looking at what is here already" }),
  ),
  "models-waiting": withModels(
    download({ state: "waiting", detail: "No network; goes on by itself · 412 MB of 880 MB" }),
  ),
  "models-paused": withModels(download({ state: "paused", detail: "Paused · 412 MB of 880 MB" })),
  "models-partial": withModels(download({ state: "partial", detail: "Not complete · 412 MB of 880 MB" })),
  "models-complete": withModels(download({ state: "complete", progress: 1, detail: "On this computer · 880 MB" })),
  "models-error": withModels(download({ state: "error", detail: "Stopped · 412 MB of 880 MB", problem: FAILED })),
  "models-again": withModels(
    download({
      state: "error",
      problem: {
        title: "The disk is full",
        detail: "Free some space, or delete a model that you do not need, then go on.",
        action: { label: "Try again", command: { type: "resume-download", model: "llama-3b" } },
      },
    }),
  ),
  "models-refused": withModels({ ...SUGGESTED, problem: REFUSED }),
  "models-added": open({
    models: [
      STARTER,
      model("me--mine", "Mine", {
        is_custom: true,
        publisher: "me",
        good_for: "Added by you from huggingface.co/me/mine",
      }),
      SUGGESTED,
    ],
    added: { address: "me/mine", model: "me--mine", problem: null },
  }),
  "models-not-added": open({
    models: [STARTER],
    added: {
      address: "me/mine",
      model: null,
      problem: { title: "No program for this kind of model", detail: "It is of type “mamba”, quantized as q4f16_1." },
    },
  }),
  "models-measuring": examined({ running: { text: "Reading 256 tokens", progress: 0.73 } }),
  "models-measured": examined({ result: EXAMINED }, { models: [STARTER, { ...SUGGESTED, ...PREDICTED }, ...OTHERS] }),
  "models-not-measured": examined({
    problem: {
      title: "The measuring was stopped",
      detail: "Your question came first. Measure again when it is answered.",
    },
  }),
  "models-servers": open({ models: [STARTER], servers: SERVERS }),
  "models-no-server": open({
    models: [STARTER],
    server_added: {
      address: "",
      server: null,
      problem: { title: "Nothing answers there", detail: "Start the server, then connect again." },
    },
  }),
  "models-built-in": withModels(CHROMES_OWN),
  "models-built-in-downloading": withModels({
    ...CHROMES_OWN,
    state: "downloading",
    progress: 0.3,
    detail: "Chrome downloads it: 30%",
  }),
  "models-built-in-here": withModels({ ...CHROMES_OWN, state: "complete", progress: 1, detail: "Chrome keeps it" }),
  "models-hostile": open({
    models: [
      model("x", HOSTILE, {
        publisher: HOSTILE,
        licence: HOSTILE.repeat(3),
        good_for: HOSTILE,
        why: HOSTILE,
        reason: HOSTILE,
        fits: "tight",
        state: "downloading",
        detail: HOSTILE,
        problem: { title: HOSTILE, detail: HOSTILE, technical: HOSTILE },
      }),
    ],
    note: HOSTILE,
  }),
};

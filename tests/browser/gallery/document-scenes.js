/** Documents: the tray over the composer, answers with passages, the library in the settings. */

import { message, READY } from "./scene-parts.js";

/** @import { Attachment, LibraryDocument, Settings } from "../../../sidepanel/types.js" */
/** @import { SceneEvent } from "./scene-parts.js" */

/**
 * @param {Partial<Attachment>} changes
 * @returns {SceneEvent}
 */
function attachment(changes) {
  /** @type {Attachment} */
  const ready = {
    id: "d1",
    kind: "document",
    name: "Annual report 2025.pdf",
    detail: "12 pages · 4,300 words",
    state: "ready",
    progress: null,
  };
  return { type: "attachment", attachment: { ...ready, ...changes } };
}

const LONG_NAME = "Minutes_of_the_meeting_of_the_coastal_protection_board_2025-11-24_final_FINAL(2).docx";
const READING = attachment({ id: "d2", name: LONG_NAME, detail: "", state: "reading", progress: 0.35 });
const INDEXING = attachment({
  id: "d3",
  name: "glaciers.epub",
  detail: "310 pages · 98,112 words",
  state: "indexing",
  progress: 0.6,
});
/** @type {Partial<Attachment>} */
const LOCKED = {
  name: "contract.pdf",
  detail: "",
  state: "error",
  problem: { title: "It is locked with a password.", detail: "Save a copy without one, then attach that." },
};
const SELECTION = attachment({
  id: "s1",
  kind: "selection",
  name: "Ice flows slowly under its own weight, and where it meets the sea it calves.",
  detail: "Selected on www.example.org · 214 words",
});
const HOSTILE = '<img src=x onerror="document.body.dataset.hacked=1"><b>bold</b>\u202etxt.exe';

const PASSAGE =
  "In 2025 the board spent 4.2 million euros on dikes, a fifth more than in the year before. Most of it went into the section " +
  "between the harbour and the old lighthouse, where the storm of January had washed out the foot of the dike.";
const CITED = message({
  text: "The board spent 4.2 million euros on dikes. [1] The harbour section was repaired first. [2] Seals were not counted. [?]",
  citations: [
    { number: 1, quote: PASSAGE, document: "d1", name: "Annual report 2025.pdf", page: 12 },
    {
      number: 2,
      quote: "The harbour section was repaired before all others.",
      document: "d2",
      name: LONG_NAME,
      page: 3,
    },
  ],
  seen: [
    { number: 1, name: "Annual report 2025.pdf", page: 12, heading: "Finances > Spending", text: PASSAGE },
    {
      number: 2,
      name: LONG_NAME,
      page: 3,
      heading: "",
      text: "The harbour section was repaired before all others.\n\n- harbour\n- lighthouse",
    },
    { number: 3, name: "notes.md", text: "Nobody counted the seals." },
  ],
});
/** @type {SceneEvent[]} */
const ANSWERED = [
  ...READY,
  message({
    id: "u1",
    role: "user",
    text: "What did the board spend on dikes?",
    attachments: [
      { id: "d1", kind: "document", name: "Annual report 2025.pdf" },
      { id: "d2", kind: "document", name: LONG_NAME },
    ],
  }),
];

/**
 * @param {string} id
 * @param {Partial<LibraryDocument>} changes
 * @returns {LibraryDocument}
 */
const document = (id, changes) => ({
  id,
  name: `${id}.pdf`,
  collection: "Documents",
  words: 4300,
  chunks: 40,
  embedded: 40,
  added: "2026-11-20T10:00:00Z",
  ...changes,
});

const DOCUMENTS = [
  document("d1", { name: "Annual report 2025.pdf", pages: 12 }),
  document("d2", { name: LONG_NAME, words: 98112, chunks: 1140, embedded: 420 }),
  document("d3", { name: "glaciers.epub", collection: "Ice", pages: 1, words: 1, chunks: 1 }),
];

/**
 * @param {LibraryDocument[] | undefined} documents
 * @param {Partial<Settings>} [changes]
 * @returns {SceneEvent[]}
 */
function library(documents, changes = {}) {
  /** @type {Settings} */
  const settings = { grants: [], notes: [], tools: [], modules: [], capabilities: [], documents, ...changes };
  return [
    ...READY,
    { type: "settings", settings },
    { type: "settings-open" },
    { type: "settings-section", section: "documents" },
  ];
}

/** @type {import("../../../sidepanel/types.js").FoundPassages["passages"]} */
const PASSAGES = [
  { document: "d1", name: "Annual report 2025.pdf", page: 12, heading: "Finances > Spending", text: PASSAGE },
  {
    document: "d2",
    name: LONG_NAME,
    heading: "",
    text: `The board met in the harbour office. ${"It was a long meeting about other things. ".repeat(8)}Then the dike was discussed: the board wants it higher.`,
  },
  { document: "gone", name: "deleted.md", heading: "", text: "The board of a document that was deleted." },
];
const QUERY = "the board and its dikes";

/** @type {import("../../../sidepanel/types.js").Problem} */
const TROUBLE = {
  title: "Chrome lets the extension store nothing",
  detail: "Allow it to store data (chrome://settings/content), then try again.",
  technical: "library-blocked: the database could not be opened",
};

/**
 * The search as it is after something was typed; a test, or the picture's taker, types it.
 *
 * @param {string} query
 * @param {Partial<import("../../../sidepanel/types.js").FoundPassages>} found
 */
const found = (query, found) => ({
  query,
  collection: null,
  passages: PASSAGES,
  total: 1181,
  pending: 0,
  ...found,
});

/** @type {Record<string, SceneEvent[]>} */
export const DOCUMENT_SCENES = {
  tray: [
    ...READY,
    attachment({}),
    READING,
    INDEXING,
    attachment({ ...LOCKED, id: "d4" }),
    SELECTION,
    { type: "draft", text: "What did they spend?" },
  ],
  "tray-one": [...READY, attachment({}), { type: "draft", text: "" }],
  "tray-image": [
    ...READY,
    attachment({ id: "i1", kind: "image", name: "Harbour at dusk.jpg", detail: "1,600 × 1,200" }),
    attachment({ id: "i2", kind: "image", name: "Screenshot of How glaciers move.png", detail: "", state: "reading" }),
    { type: "draft", text: "What is on them?" },
  ],
  "sent-image": [
    ...READY,
    message({
      id: "u1",
      role: "user",
      text: "What is on it?",
      attachments: [
        { id: "i1", kind: "image", name: "Harbour at dusk.jpg" },
        { id: "i2", kind: "image", name: "Screenshot of How glaciers move.png" },
      ],
    }),
    message({ text: "A harbour at dusk, with two fishing boats." }),
  ],
  "sent-indexing": [
    ...READY,
    attachment({}),
    INDEXING,
    { type: "draft", text: "What did they spend?" },
    {
      type: "sent",
      command: { type: "prompt", id: "u1", text: "What did they spend?", attachments: ["d1", "d3"] },
    },
  ],
  "sent-failed": [
    ...READY,
    attachment({}),
    INDEXING,
    { type: "sent", command: { type: "prompt", id: "u1", text: "What did they spend?", attachments: ["d1", "d3"] } },
    attachment({ ...LOCKED, id: "d3" }),
  ],
  cited: [...ANSWERED, CITED],
  "settings-documents": library(DOCUMENTS, { search_device: "gpu" }),
  "settings-documents-empty": library([]),
  "settings-documents-opening": library(undefined),
  "settings-documents-blocked": library(undefined, { trouble: TROUBLE }),
  "settings-documents-trouble": library(DOCUMENTS, {
    trouble: {
      title: "The search model could not be loaded",
      detail: "Documents are found by their words only. Install the extension anew to mend it.",
    },
  }),
  "settings-documents-undo": [
    ...library(DOCUMENTS),
    { type: "sent", command: { type: "delete-collection", collection: "Documents" } },
  ],
  "settings-documents-undo-last": [
    ...library(DOCUMENTS.slice(0, 1)),
    { type: "sent", command: { type: "delete-document", id: "d1" } },
  ],
  "documents-found": library(DOCUMENTS, { found: found(QUERY, { pending: 720 }) }),
  "documents-found-nothing": library(DOCUMENTS.slice(0, 1), { found: found(QUERY, { passages: [] }) }),
  "documents-found-trouble": library(DOCUMENTS, { found: found(QUERY, { passages: [], problem: TROUBLE }) }),
  "documents-hostile": [
    ...library([document("d1", { name: HOSTILE, collection: HOSTILE })], {
      trouble: { title: HOSTILE, detail: HOSTILE },
      found: found("onerror bold", {
        passages: [{ document: "d1", name: HOSTILE, heading: HOSTILE, text: `bold ${HOSTILE}` }],
        problem: { title: HOSTILE, detail: HOSTILE },
      }),
    }),
    { type: "settings-close" },
    attachment({ id: "d1", name: HOSTILE, detail: HOSTILE }),
    attachment({ id: "d2", name: HOSTILE, state: "error", problem: { title: HOSTILE, detail: HOSTILE } }),
    message({ id: "u1", role: "user", text: "?", attachments: [{ id: "d8", kind: "document", name: HOSTILE }] }),
    message({
      text: "Yes. [1]",
      citations: [{ number: 1, quote: HOSTILE, document: "d1", name: HOSTILE, page: 1 }],
      seen: [{ number: 1, name: HOSTILE, heading: HOSTILE, text: HOSTILE }],
    }),
  ],
};

// The protocol between a side panel and the offscreen document: plain JSON over one chrome.runtime port a panel.
// Requests carry an id that the panel chose; every answer to a request carries it back. Imported by both sides.

/** Name of the port. The service worker registers no onConnect, or the offscreen document's death would go unnoticed. */
export const ENGINE_PORT = "engine";

/**
 * A model that the package brings along, as listed in models/index.json.
 * @typedef {object} Model
 * @property {string} id
 * @property {string} name        for people
 * @property {string} path        folder of weights and configuration, from the package's root, with a trailing slash
 * @property {string} lib         compiled model library, from the package's root
 * @property {number} context_window   tokens
 * @property {number} parameters       millions; what the model can be trusted with depends on it
 * @property {string[]} files     every weight file in the folder
 * @property {string} licence
 */

/**
 * @typedef {object} ChatMessage
 * @property {"system"|"user"|"assistant"|"tool"} role
 * @property {string} content     a last message of role assistant is an answer to go on with
 */

/**
 * @typedef {object} Completion
 * @property {ChatMessage[]} messages
 * @property {number} [max_tokens]
 * @property {number} [temperature]
 * @property {number} [top_p]
 * @property {number} [repetition_penalty]
 * @property {number} [seed]
 * @property {string[]} [stop]
 * @property {{type: "structural_tag", structural_tag: object}} [response_format]  what the answer must look like
 */

/**
 * @typedef {object} Usage
 * @property {number} input_tokens       the whole prompt
 * @property {number} cache_read_tokens  the part of it that was still in the KV cache
 * @property {number} output_tokens
 * @property {number} prefill_seconds
 * @property {number} decode_seconds
 */

/**
 * Panel to engine.
 * @typedef {{type: "load", id: string, model?: string}
 *   | {type: "complete", id: string, request: Completion}
 *   | {type: "count", id: string, texts: string[]}
 *   | {type: "abort", id: string}} Request
 */

/**
 * A document of the library. Of two with the same name and collection, the one that is put later takes the place of the other.
 * @typedef {object} LibraryDocument
 * @property {string} id          hash of its bytes
 * @property {string} name        of the file
 * @property {string} title
 * @property {string} mime
 * @property {number} bytes
 * @property {number} added       milliseconds since the epoch
 * @property {string} collection
 * @property {number} [pages]
 * @property {number} words
 * @property {string[]} chunk_ids   in order; the library sets it from the chunks it is given
 */

/**
 * A passage of a document.
 * @typedef {object} Chunk
 * @property {string} id          hash of heading and text: the same passage has the same id in every document
 * @property {string} document    id
 * @property {number} ordinal     its place in the document, from 0 without a gap
 * @property {string} text
 * @property {string} heading     "A > B"
 * @property {number} [page]      from 1
 */

/**
 * Panel to library.
 * @typedef {{type: "library.put", id: string, document: LibraryDocument, chunks: Chunk[]}
 *   | {type: "library.delete", id: string, document: string}
 *   | {type: "library.rename", id: string, from: string, to: string}
 *   | {type: "library.list", id: string}
 *   | {type: "library.search", id: string, query: string, collections?: string[], documents?: string[], limit?: number}
 *   | {type: "library.get", id: string, document: string, ordinals?: number[]}} LibraryRequest
 */

/** @typedef {{chunk: Chunk, score: number}} Hit */

/**
 * @typedef {"library-blocked"|"library-full"|"library-lost"|"embedding-model"|"unknown-document"|"bad-request"
 *   |"failed"} LibraryErrorCode
 */

/**
 * How much of the library has its vectors.
 * @typedef {object} LibraryState
 * @property {"loading"|"idle"|"embedding"} state
 * @property {number} documents
 * @property {number} chunks
 * @property {number} embedded    chunks that have their vector
 * @property {number} computed    vectors that were ever computed for the library
 * @property {{code: LibraryErrorCode, message: string}|null} error
 */

/**
 * Library to panel. `library` goes to every panel, the rest to the one that asked. Of the hits of a search `keywords` have
 * BM25 scores and `vectors` cosines; `total` chunks were searched, `pending` of them by keywords alone.
 * @typedef {{type: "library", state: LibraryState}
 *   | {type: "library.done", id: string}
 *   | {type: "library.listed", id: string, documents: (LibraryDocument & {embedded: number, chunks: number})[]}
 *   | {type: "library.found", id: string, keywords: Hit[], vectors: Hit[], total: number, pending: number,
 *       seconds: {embedding: number, search: number}}
 *   | {type: "library.chunks", id: string, chunks: Chunk[]}
 *   | {type: "error", id: string, code: LibraryErrorCode, message: string}} LibraryAnswer
 */

/**
 * Why something failed; what to tell the user is decided in Python.
 * @typedef {"no-webgpu"|"no-adapter"|"no-f16"|"out-of-memory"|"engine-lost"|"load-failed"|"unknown-model"|"not-loaded"
 *   |"context-length"|"bad-request"|"failed"} ErrorCode
 */

/**
 * @typedef {object} EngineState
 * @property {"absent"|"downloading"|"loading"|"ready"|"generating"|"lost"|"unavailable"} state
 * @property {string|null} model        id of the model that is loaded or loading
 * @property {Model[]} models
 * @property {number|null} progress     0 to 1 while loading
 * @property {string} text              what is going on
 * @property {{code: ErrorCode, message: string}|null} error
 */

/**
 * Engine to panel. `state` goes to every panel, the rest to the one that asked; `waiting`: for another panel's completion.
 * @typedef {{type: "state", engine: EngineState}
 *   | {type: "loaded", id: string}
 *   | {type: "waiting", id: string}
 *   | {type: "prefill", id: string, done: number, total: number}
 *   | {type: "delta", id: string, text: string}
 *   | {type: "done", id: string, finish_reason: "stop"|"length"|"abort", usage: Usage|null}
 *   | {type: "counted", id: string, counts: number[]}
 *   | {type: "error", id: string, code: ErrorCode, message: string}} Answer
 */

/** Where the package lists its models. */
export const MODEL_INDEX = "models/index.json";

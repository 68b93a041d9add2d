// The protocol between a side panel and the offscreen document: plain JSON over one chrome.runtime port a panel.
// Requests carry an id that the panel chose; every answer to a request carries it back. Imported by both sides.

/** Name of the port. The service worker registers no onConnect, or the offscreen document's death would go unnoticed. */
export const ENGINE_PORT = "engine";

/**
 * A model that can be loaded: one that the package brings along, as listed in models/index.json, or one whose download is complete.
 * @typedef {object} Model
 * @property {string} id
 * @property {string} name        for people
 * @property {"package"|"downloaded"} origin
 * @property {string} path        folder of weights and configuration with a trailing slash: from the package's root, or the address
 *   that it was downloaded from
 * @property {string} lib         compiled model library, likewise
 * @property {number} context_window   tokens
 * @property {number} parameters       millions; what the model can be trusted with depends on it
 * @property {string[]} files     every weight file in the folder
 * @property {string} licence
 * @property {string} [gguf]      recipe of the same weights for the CPU engine, from the package's root; without it there is none
 * @property {object} [overrides] changes to mlc-chat-config.json
 * @property {boolean} [is_vision]
 * @property {StoredFile[]} [stored]   a downloaded model's files; see models/files.js
 */

/** @typedef {{name: string, url: string, bytes: number}} StoredFile */

/** @typedef {"webllm"|"wllama"} EngineName  on the graphics card, or on the CPU */

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
 * Panel to engine. `engine` of a load: the graphics card or the CPU and nothing else; without it the graphics card where there is
 * one, else the CPU.
 * @typedef {{type: "load", id: string, model?: string, engine?: "gpu"|"cpu"}
 *   | {type: "complete", id: string, request: Completion}
 *   | {type: "count", id: string, texts: string[]}
 *   | {type: "abort", id: string}} Request
 */

/**
 * Panel to engine: for how long an unused model stays in memory, null for always. Holds for all panels, and is not answered.
 * @typedef {{type: "keep", minutes: number|null}} Keep
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
 * @property {boolean} [temporary]  a text that one conversation is about: searched only by its id, gone when no panel is open
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
 *   | {type: "library.get", id: string, document: string, ordinals?: number[]}
 *   | {type: "library.forget-temporary", id: string}} LibraryRequest
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
 * @property {"gpu"|"cpu"|null} device   where vectors are computed; null until the embedding model was needed
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
 * A model that can be downloaded.
 * @typedef {object} Spec
 * @property {string} id
 * @property {string} name        for people
 * @property {string} base        address of its files: https://HOST/NAME/resolve/BRANCH/
 * @property {string} lib         its compiled library: a path in the package, or an address
 * @property {string|null} lib_sha256   hex; a library from an address is code, so without this it is refused
 * @property {string} licence
 * @property {number} parameters       millions
 * @property {number} context_window   tokens
 * @property {number} vram_bytes
 * @property {string[]} needs          features of the adapter
 * @property {object} [overrides]      changes to mlc-chat-config.json
 * @property {boolean} is_vision
 */

/**
 * Panel to downloads. `download` starts one or goes on with it, and is answered when the model is complete, has failed or was paused;
 * `cancel` and `delete` forget all that there is of it.
 * @typedef {{type: "models.download", id: string, model: Spec}
 *   | {type: "models.pause"|"models.cancel"|"models.delete"|"models.verify", id: string, model: string}} ModelsRequest
 */

/**
 * Why a download stands still. Until it is told to stop, "offline" and "server" are tried again by themselves, the rest is not.
 * "moved": the CSP refuses a host; "no-space": found out before the weights; "disk-full": found out by writing.
 * @typedef {"offline"|"not-found"|"refused"|"server"|"moved"|"corrupt"|"disk-full"|"no-space"|"bad-model"|"failed"} DownloadErrorCode
 */

/**
 * @typedef {object} Download
 * @property {string} model     id
 * @property {"queued"|"checking"|"downloading"|"paused"|"waiting"|"verifying"|"complete"|"partial"|"error"} state   waiting: for
 *   the network or the server; partial: it was complete and a file has gone since
 * @property {number} done      bytes on the disk
 * @property {number|null} total   bytes; null until the model's list of files was read
 * @property {number} bytes_per_second
 * @property {number|null} seconds_left
 * @property {{code: DownloadErrorCode, message: string}|null} error
 */

/** Bytes on the disk: of the whole extension, and of it those of downloaded models. @typedef {{usage: number, quota: number, models: number}} Storage */

/**
 * Downloads to panel. `downloads` goes to every panel, the rest to the one that asked.
 * @typedef {{type: "downloads", downloads: Download[], storage: Storage}
 *   | {type: "models.done", id: string}
 *   | {type: "models.verified", id: string, missing: string[], wrong: string[]}
 *   | {type: "error", id: string, code: DownloadErrorCode|"downloads-lost"|"paused"|"cancelled"|"unknown-model"|"bad-request", message: string}} ModelsAnswer
 */

/**
 * Why something failed; what to tell the user is decided in Python.
 * @typedef {"no-webgpu"|"no-adapter"|"no-f16"|"out-of-memory"|"engine-lost"|"load-failed"|"incomplete-model"|"unknown-model"|"not-loaded"
 *   |"context-length"|"bad-request"|"failed"} ErrorCode
 */

/**
 * @typedef {object} EngineState
 * @property {"absent"|"downloading"|"loading"|"ready"|"generating"|"asleep"|"lost"|"unavailable"} state   asleep: unloaded, since
 *   nobody used it for long; the next request loads it again
 * @property {string|null} model        id of the model that is loaded or loading
 * @property {EngineName|null} engine   what it runs on; null until a model was asked for
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

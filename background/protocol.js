// The protocol between a side panel and the offscreen document: plain JSON over one chrome.runtime port a panel.
// Requests carry an id that the panel chose; every answer to a request carries it back. Imported by both sides.

/** Name of the port. The service worker registers no onConnect, or the offscreen document's death would go unnoticed. */
export const ENGINE_PORT = "engine";

/**
 * A model that can be loaded: one that the package brings along, as listed in models/index.json, one whose download is complete,
 * Chrome's own, or one on a server of the user's. The last two have no files: their path, lib and licence are empty.
 * @typedef {object} Model
 * @property {string} id
 * @property {string} name        for people
 * @property {"package"|"downloaded"|"browser"|"server"} origin
 * @property {string} path        folder of weights and configuration with a trailing slash: from the package's root, or the address
 *   that it was downloaded from
 * @property {string} lib         compiled model library, likewise
 * @property {number} context_window   tokens
 * @property {number} parameters       millions; what the model can be trusted with depends on it
 * @property {string[]} files     every weight file in the folder
 * @property {string} licence
 * @property {"available"|"downloadable"|"downloading"} [availability]   of Chrome's own; without it "available"
 * @property {string} [gguf]      recipe of the same weights for the CPU engine, from the package's root; without it there is none
 * @property {object} [overrides] changes to mlc-chat-config.json
 * @property {boolean} [is_vision]
 * @property {StoredFile[]} [stored]   a downloaded model's files; see models/files.js
 * @property {Server} [server]    only of origin server
 */

/**
 * Where a model of the user's own is served by OpenAI's interface.
 * @typedef {object} Server
 * @property {string} url      up to and with /v1
 * @property {string} [api_key]   never part of a state
 * @property {"llama.cpp"|"ollama"|"lm-studio"|"vllm"|"other"} kind
 * @property {string} model    its name there
 */

/**
 * What a server says of itself. `context_window`: tokens, `parameters`: millions; null if it does not say.
 * @typedef {{model: string, context_window: number|null, parameters: number|null, is_vision: boolean}} FoundModel
 * @typedef {{kind: Server["kind"], models: FoundModel[]}} Found
 */

/** @typedef {{name: string, url: string, bytes: number}} StoredFile */

/** @typedef {"webllm"|"wllama"|"browser"|"server"} EngineName  on the graphics card, on the CPU, Chrome's own, or elsewhere */

/**
 * @typedef {object} ChatMessage
 * @property {"system"|"user"|"assistant"|"tool"} role
 * @property {string|ContentPart[]} content   in parts only of the user, and only for a model with is_vision: images, then one text.
 *   A last message of role assistant is an answer to go on with
 */

/** @typedef {{type: "text", text: string} | {type: "image_url", image_url: {url: string}}} ContentPart  `url`: data:image/jpeg */

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
 * one, else the CPU; "auto" is the same, and takes back what was said before. `model`: the one that the panel wants, without it
 * what the panel loaded last. `in_turn`: the same panel may ask for more, and until it says "turn-over" (or for some seconds) no
 * other model is loaded.
 * @typedef {{type: "load", id: string, model?: string, engine?: "gpu"|"cpu"|"auto"}
 *   | {type: "complete", id: string, request: Completion, model?: string, in_turn?: boolean}
 *   | {type: "count", id: string, texts: string[], model?: string, in_turn?: boolean}
 *   | {type: "abort", id: string}} Request
 */

/**
 * Panel to engine: for how long an unused model stays in memory, null for always. Holds for all panels, and is not answered.
 * @typedef {{type: "keep", minutes: number|null}} Keep
 */

/**
 * Panel to engine: for how long it stays at most while no panel is open, where nobody looks whether the machine is short of memory.
 * Holds from then on, and is not answered.
 * @typedef {{type: "keep-unwatched", minutes: number}} KeepUnwatched
 */

/** Panel to offscreen document: Chrome's own model may have come, or gone. Not answered. @typedef {{type: "look-for-built-in"}} LookForBuiltIn */

/** Panel to engine: its turn is over, other panels' models may be loaded. Not answered. @typedef {{type: "turn-over"}} TurnOver */

/**
 * Panel to engine: the models that the user has set up, besides the package's and the downloaded ones. Takes the place of what was
 * offered before, for all panels, and is not answered. What is loaded ends when it is offered no more.
 * @typedef {{type: "offer", models: Model[]}} Offer
 */

/**
 * Panel to engine: the machine is short of memory; a model that nobody uses at the moment gives its own back. Is not answered.
 * @typedef {{type: "sleep"}} Sleep
 */

/**
 * Panel to offscreen document: what there is at a server; answered by "looked" or an error.
 * @typedef {{type: "look", id: string, server: {url: string, api_key?: string}}} LookRequest
 */

/** Panel to offscreen document, answered by "probed". @typedef {{type: "probe", id: string}} ProbeRequest */

/**
 * What the graphics card can do, measured with kernels like those of a model whose weights have four bits.
 * @typedef {object} Probe
 * @property {number} sync_seconds      to the graphics card and back
 * @property {number} kernel_seconds    what starting a kernel costs
 * @property {number} weight_bytes_per_second   read by a kernel that uses each weight once, as decoding does
 * @property {number} flops             of a kernel that uses each weight for many tokens, as prefilling does
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
 * What a download puts up with. Python decides it (models/downloads.py), and it is kept with the download, which goes on without a
 * panel.
 * @typedef {object} Policy
 * @property {DownloadErrorCode[]} passing   errors after which it is tried again by itself; all others are final
 * @property {number[]} waits    seconds before the attempts that follow one another without a byte; the last one holds for all later ones
 * @property {number} quiet      seconds without a byte, after which it is told that nothing comes
 * @property {number} silence    seconds without a byte, after which a connection is given up
 * @property {number} fetches    of a file that comes wrong
 */

/**
 * Panel to downloads. `download` starts one or goes on with it, and is answered when the model is complete, has failed or was paused;
 * `cancel` and `delete` forget all that there is of it.
 * @typedef {{type: "models.download", id: string, model: Spec, policy: Policy}
 *   | {type: "models.pause"|"models.cancel"|"models.delete"|"models.verify", id: string, model: string}} ModelsRequest
 */

/**
 * Why a download stands still. Policy says which of them are tried again. "stalled" besides "downloading": nothing comes at the moment; besides "waiting": it was given up, to be asked for anew.
 * "moved": the CSP refuses a host; "no-space": found out before the weights; "disk-full": found out by writing.
 * @typedef {"offline"|"not-found"|"refused"|"server"|"stalled"|"moved"|"corrupt"|"disk-full"|"no-space"|"bad-model"|"failed"} DownloadErrorCode
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
 * Those of a server: "withdrawn": it is offered no more; "origin-refused": it answers no extension; "key-refused"; "no-such-model";
 * "not-a-server": what answers does not speak OpenAI's interface.
 * @typedef {"no-webgpu"|"no-adapter"|"no-f16"|"out-of-memory"|"engine-lost"|"load-failed"|"incomplete-model"|"unknown-model"|"not-loaded"
 *   |"context-length"|"bad-request"|"failed"|ServerErrorCode|BuiltInErrorCode} ErrorCode
 * @typedef {"built-in-gone"|"not-downloaded"|"not-allowed"|"language"|"filtered"} BuiltInErrorCode  of Chrome's own model
 * @typedef {"server-unreachable"|"withdrawn"|"origin-refused"|"key-refused"|"no-such-model"|"not-a-server"|"server-busy"} ServerErrorCode
 */

/**
 * @typedef {object} EngineState
 * @property {"absent"|"downloading"|"loading"|"ready"|"generating"|"asleep"|"lost"|"unavailable"} state   asleep: unloaded; the
 *   next request loads it again
 * @property {string|null} model        id of the model that is loaded or loading
 * @property {EngineName|null} engine   what it runs on; null until a model was asked for
 * @property {Model[]} models
 * @property {number|null} progress     0 to 1 while loading
 * @property {string} text              what is going on
 * @property {{code: ErrorCode, message: string}|null} error
 * @property {"unused"|"memory"|null} why    it is asleep
 * @property {number|null} load_seconds      what the last load took
 */

/**
 * Engine to panel. `state` goes to every panel, the rest to the one that asked. `loaded`: the model is chosen for this panel, the
 * state tells when it is there; `waiting`: for another panel's completion.
 * @typedef {{type: "state", engine: EngineState}
 *   | {type: "loaded", id: string, model: string}
 *   | {type: "waiting", id: string}
 *   | {type: "prefill", id: string, done: number, total: number}
 *   | {type: "delta", id: string, text: string}
 *   | {type: "done", id: string, finish_reason: "stop"|"length"|"abort", usage: Usage|null}
 *   | {type: "counted", id: string, counts: number[]}
 *   | {type: "looked", id: string, found: Found}
 *   | {type: "probed", id: string, probe: Probe|null, message: string}
 *   | {type: "error", id: string, code: ErrorCode, message: string}} Answer
 */

/** Where the package lists its models. */
export const MODEL_INDEX = "models/index.json";

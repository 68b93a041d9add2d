// The library of documents: keeps them, embeds their chunks by itself, and answers searches. One for all panels.

import { Catalogue } from "./catalogue.js";
import { KeywordIndex } from "./keywords.js";
import { describe, LibraryError } from "./store.js";
import { VectorIndex } from "./vectors.js";

/** @import { Chunk, Hit, LibraryDocument, LibraryRequest, LibraryState } from "../protocol.js" */
/** @import { Place } from "./catalogue.js" */
/** @import { Store } from "./store.js" */

/**
 * @typedef {{device: "gpu"|"cpu"|null, load: () => Promise<unknown>, embed: (texts: string[]) => Promise<Int8Array[]>}} Embeds
 */
/** @typedef {Set<string>|undefined} Scope  ids of documents; undefined: all */

/** Chunks whose vectors are kept together: about a second's work. */
const BATCH = { cpu: 8, gpu: 64 };
const LIMIT = 20;

export class Library {
  /** @param {{open: () => Promise<Store>, embedder: Embeds, onState: (state: LibraryState) => void}} options */
  constructor({ open, embedder, onState }) {
    this.open = open;
    this.embedder = embedder;
    this.onState = onState;
    this.catalogue = new Catalogue();
    this.vectors = new VectorIndex();
    this.keywords = new KeywordIndex();
    /** @type {Set<string>} chunks without a vector, in order of arrival */
    this.pending = new Set();
    this.isEmbedding = false;
    /** @type {Promise<Store>|null} */
    this.opened = null;
    /** @type {Promise<void>|null} */
    this.keywordsBuilt = null;
    /** @type {Promise<unknown>} changes happen one after the other */
    this.lastChange = Promise.resolve();
    /** @type {LibraryState} */
    this.state = { state: "loading", documents: 0, chunks: 0, embedded: 0, computed: 0, device: null, error: null };
  }

  /** Opens the store and goes on embedding where it ended. */
  async start() {
    try {
      await this.ready();
      this.embedPending();
    } catch {
      // the state says so
    }
  }

  /** @param {LibraryRequest} request @returns {Promise<object>} the answer, without an id; rejects if there is none */
  async answer(request) {
    const store = await this.ready();
    if (request.type === "library.put") return this.put(store, request.document, request.chunks);
    if (request.type === "library.delete") return this.delete(store, request.document);
    if (request.type === "library.rename") return this.rename(store, request.from, request.to);
    if (request.type === "library.list") return { type: "library.listed", documents: this.list() };
    if (request.type === "library.get") return this.get(store, request);
    if (request.type === "library.search") return this.search(store, request);
    if (request.type === "library.forget-temporary") return this.forgetTemporary(store);
    throw new LibraryError("bad-request", `there is no ${/** @type {any} */ (request).type}`);
  }

  // -- opening

  ready() {
    this.opened ??= this.load().catch((error) => {
      this.opened = null; // the next request tries again
      this.setState({ state: "idle", error: describe(error) });
      throw error;
    });
    return this.opened;
  }

  async load() {
    const store = await this.open();
    const [documents, vectors, computed] = await Promise.all([store.documents(), store.vectors(), store.computed()]);
    for (const document of documents) this.catalogue.add(document);
    await this.removeTemporary(store); // left behind by a library that ended; a panel that still needs one puts it again
    for (const [id, vector] of vectors) if (this.catalogue.places.has(id)) this.vectors.add(id, vector);
    for (const id of this.catalogue.places.keys()) if (!this.vectors.has(id)) this.pending.add(id);
    this.setState({ state: "idle", computed, error: null });
    return store;
  }

  /** The keyword index is made when it is first needed: it is the largest thing here. @param {Store} store */
  buildKeywords(store) {
    this.keywordsBuilt ??= this.addAllKeywords(store).catch((error) => {
      this.keywordsBuilt = null;
      throw error;
    });
    return this.keywordsBuilt;
  }

  /** @param {Store} store */
  async addAllKeywords(store) {
    for (const id of [...this.catalogue.documents.keys()])
      for (const chunk of await store.chunksOf(id)) if (this.catalogue.places.has(chunk.id)) this.keywords.add(chunk);
  }

  // -- documents

  /** @param {Store} store @param {LibraryDocument} document @param {Chunk[]} chunks */
  async put(store, document, chunks) {
    const isInOrder = chunks.every((chunk, i) => chunk.ordinal === i && chunk.document === document.id);
    if (!isInOrder) throw new LibraryError("bad-request", "chunks must be the document's own, numbered from 0");
    const kept = { ...document, chunk_ids: chunks.map(({ id }) => id) };
    await this.change(async () => {
      const going = this.catalogue.replacedBy(kept);
      const orphans = this.catalogue.orphans(going, kept.chunk_ids);
      await store.replace({ document: kept, chunks, going, orphans });
      for (const id of going) this.catalogue.remove(id);
      this.catalogue.add(kept);
      this.forget(orphans);
      for (const id of kept.chunk_ids) if (!this.vectors.has(id)) this.pending.add(id);
      if (this.keywordsBuilt) for (const chunk of chunks) this.keywords.add(chunk);
    });
    this.changed();
    return { type: "library.done" };
  }

  /** @param {Store} store @param {string} id */
  async delete(store, id) {
    await this.change(async () => {
      this.document(id);
      const orphans = this.catalogue.orphans([id], []);
      await store.replace({ going: [id], orphans });
      this.catalogue.remove(id);
      this.forget(orphans);
    });
    this.changed(); // there may be room again
    return { type: "library.done" };
  }

  /** Nobody is there any more whom they could serve. @param {Store} store */
  async forgetTemporary(store) {
    await this.change(() => this.removeTemporary(store));
    this.changed();
    return { type: "library.done" };
  }

  /** @param {Store} store */
  async removeTemporary(store) {
    const going = this.catalogue.temporary();
    if (going.length === 0) return;
    const orphans = this.catalogue.orphans(going, []);
    await store.replace({ going, orphans });
    for (const id of going) this.catalogue.remove(id);
    this.forget(orphans);
  }

  /** @param {Store} store @param {string} from @param {string} to */
  async rename(store, from, to) {
    await this.change(async () => {
      const all = [...this.catalogue.documents.values()];
      const renamed = all.filter(({ collection }) => collection === from).map((each) => ({ ...each, collection: to }));
      await store.update(renamed);
      for (const document of renamed) this.catalogue.documents.set(document.id, document);
    });
    this.changed();
    return { type: "library.done" };
  }

  list() {
    return [...this.catalogue.documents.values()].map((document) => ({
      ...document,
      chunks: document.chunk_ids.length,
      embedded: document.chunk_ids.filter((id) => this.vectors.has(id)).length,
    }));
  }

  /** @param {Store} store @param {{document: string, ordinals?: number[]}} request */
  async get(store, { document, ordinals }) {
    this.document(document);
    const chunks = ordinals
      ? await store.chunks(ordinals.map((ordinal) => ({ document, ordinal })))
      : await store.chunksOf(document);
    return { type: "library.chunks", chunks: chunks.filter((chunk) => chunk) };
  }

  /** @param {string} id */
  document(id) {
    const document = this.catalogue.documents.get(id);
    if (!document) throw new LibraryError("unknown-document", id);
    return document;
  }

  /** @param {string[]} chunks ids of those that are in no document any more */
  forget(chunks) {
    for (const id of chunks) {
      this.pending.delete(id);
      this.vectors.remove(id);
      this.keywords.remove(id);
    }
  }

  /** Runs a change of the store and of what is in memory after all that were begun before. @param {() => Promise<void>} work */
  async change(work) {
    const change = this.lastChange.then(work);
    this.lastChange = change.catch(() => {});
    try {
      await change;
    } catch (error) {
      const told = describe(error);
      if (told.code === "library-full" || told.code === "failed") this.setState({ error: told });
      throw error;
    }
  }

  /** A change that went well ends what went wrong before it. */
  changed() {
    this.setState({ error: null });
    this.embedPending();
  }

  // -- searching

  /** @param {Store} store @param {Extract<LibraryRequest, {type: "library.search"}>} request */
  async search(store, { query, collections, documents, limit = LIMIT }) {
    const scope = this.catalogue.scope(collections, documents);
    await this.buildKeywords(store);
    const began = performance.now();
    const vector = this.vectors.size > 0 ? await this.embedQuery(query) : null;
    const embedded = performance.now();
    const isWanted = scope && ((/** @type {string} */ id) => this.placeIn(id, scope) !== undefined);
    const byKeyword = this.keywords.search(query, limit, isWanted);
    const byVector = vector ? this.vectors.search(vector, limit, isWanted) : [];
    const keywords = await this.hits(store, byKeyword, scope);
    const vectors = await this.hits(store, byVector, scope);
    const seconds = { embedding: (embedded - began) / 1000, search: (performance.now() - embedded) / 1000 };
    return { type: "library.found", keywords, vectors, ...this.counts(scope), seconds };
  }

  /** Without the model, keywords alone must do; the state says why. @param {string} query */
  async embedQuery(query) {
    try {
      const [vector] = await this.embedder.embed([query]);
      const wasMissing = this.state.error?.code === "embedding-model";
      if (wasMissing) this.changed();
      else if (this.state.device !== this.embedder.device) this.setState({});
      return vector;
    } catch (error) {
      this.setState({ error: describe(error) });
      return null;
    }
  }

  /** @param {Store} store @param {{id: string, score: number}[]} found @param {Scope} scope @returns {Promise<Hit[]>} */
  async hits(store, found, scope) {
    const chunks = await store.chunks(found.flatMap(({ id }) => this.placeIn(id, scope) ?? []));
    const byId = new Map(chunks.map((chunk) => [chunk?.id, chunk]));
    return found.flatMap(({ id, score }) => {
      const chunk = byId.get(id); // it may have been deleted a moment ago
      return chunk ? [{ chunk, score }] : [];
    });
  }

  /** Where a chunk is, within the documents that are searched. @param {string} id @param {Scope} scope @returns {Place|undefined} */
  placeIn(id, scope) {
    return this.catalogue.placesOf(id).find(({ document }) => !scope || scope.has(document));
  }

  /** Chunks that were searched, and those among them that have no vector yet. @param {Scope} scope */
  counts(scope) {
    if (!scope) return { total: this.catalogue.places.size, pending: this.pending.size };
    const all = [...this.catalogue.documents.values()].filter(({ id }) => scope.has(id));
    const chunks = new Set(all.flatMap(({ chunk_ids }) => chunk_ids));
    return { total: chunks.size, pending: [...chunks].filter((id) => this.pending.has(id)).length };
  }

  // -- embedding

  /** Embeds what has no vector, a batch at a time, until all have one or something fails. */
  async embedPending() {
    if (this.isEmbedding || !this.pending.size) return;
    this.isEmbedding = true;
    try {
      const store = await this.ready();
      this.setState({ state: "loading" });
      await this.embedder.load();
      this.setState({ state: "embedding" });
      while (this.pending.size) await this.embedBatch(store);
    } catch (error) {
      this.setState({ error: describe(error) });
    }
    this.isEmbedding = false;
    this.setState({ state: "idle" });
  }

  /** @param {Store} store */
  async embedBatch(store) {
    const ids = first(this.pending, BATCH[this.embedder.device ?? "cpu"]);
    const found = await store.chunks(ids.flatMap((id) => this.catalogue.placesOf(id).slice(0, 1)));
    const chunks = found.filter((chunk) => chunk !== undefined);
    const vectors = chunks.length ? await this.embedder.embed(chunks.map(embeddedText)) : [];
    await this.change(async () => {
      // Some may have been deleted meanwhile.
      const kept = chunks.flatMap(({ id }, i) => (this.pending.has(id) ? [entry(id, vectors[i])] : []));
      const computed = await store.addVectors(kept, vectors.length);
      for (const id of ids) this.pending.delete(id);
      for (const [id, vector] of kept) this.vectors.add(id, vector);
      this.setState({ computed });
    });
  }

  /** @param {Partial<LibraryState>} change */
  setState(change) {
    const chunks = this.catalogue.places.size;
    const documents = this.catalogue.documents.size - this.catalogue.temporary().length;
    const counts = { documents, chunks, embedded: chunks - this.pending.size };
    this.state = { ...this.state, ...counts, device: this.embedder.device, ...change };
    this.onState(this.state);
  }
}

/** The first of many. @param {Iterable<string>} all @param {number} count */
function first(all, count) {
  const found = [];
  for (const each of all) {
    if (found.length === count) break;
    found.push(each);
  }
  return found;
}

/** The headings say what a passage is about. @param {Chunk} chunk */
function embeddedText({ heading, text }) {
  return heading ? `${heading}\n${text}` : text;
}

/** @param {string} id @param {Int8Array} vector @returns {[string, Int8Array]} */
function entry(id, vector) {
  return [id, vector];
}

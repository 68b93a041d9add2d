// What the library holds, without the texts: which documents there are, and where each chunk is.

/** @import { LibraryDocument } from "../protocol.js" */

/** @typedef {{document: string, ordinal: number}} Place */

export class Catalogue {
  constructor() {
    /** @type {Map<string, LibraryDocument>} */
    this.documents = new Map();
    /** @type {Map<string, Place[]>} places of each chunk: the same passage may be in several documents, or twice in one */
    this.places = new Map();
  }

  /** @param {LibraryDocument} document */
  add(document) {
    this.documents.set(document.id, document);
    document.chunk_ids.forEach((id, ordinal) => {
      const places = this.places.get(id);
      if (places) places.push({ document: document.id, ordinal });
      else this.places.set(id, [{ document: document.id, ordinal }]);
    });
  }

  /** @param {string} document id @returns {string[]} chunks that are in no document any more */
  remove(document) {
    const chunks = new Set(this.documents.get(document)?.chunk_ids);
    this.documents.delete(document);
    const gone = [];
    for (const id of chunks) {
      const left = this.placesOf(id).filter((place) => place.document !== document);
      if (left.length) this.places.set(id, left);
      else if (this.places.delete(id)) gone.push(id);
    }
    return gone;
  }

  /** Documents that go when this one is put: itself, and the one with its name. @param {LibraryDocument} document */
  replacedBy({ id, name, collection }) {
    const isReplaced = (/** @type {LibraryDocument} */ other) =>
      other.id === id || (other.name === name && other.collection === collection);
    return [...this.documents.values()].filter(isReplaced).map((other) => other.id);
  }

  /** Chunks that are in no document any more once these have gone and those have come. @param {string[]} going @param {string[]} coming chunks */
  orphans(going, coming) {
    const isGoing = new Set(going);
    const kept = new Set(coming);
    const chunks = new Set(going.flatMap((id) => this.documents.get(id)?.chunk_ids ?? []));
    return [...chunks].filter((id) => !kept.has(id) && this.placesOf(id).every((place) => isGoing.has(place.document)));
  }

  /** @param {string} chunk id */
  placesOf(chunk) {
    return this.places.get(chunk) ?? [];
  }

  /** Documents that are in no list and search but their own. */
  temporary() {
    return [...this.documents.values()].filter(({ temporary }) => temporary).map(({ id }) => id);
  }

  /**
   * Documents that a search may look at; undefined if it may look at all. Temporary ones must be named.
   * @param {string[]|undefined} collections
   * @param {string[]|undefined} documents
   */
  scope(collections, documents) {
    if (!collections && !documents && this.temporary().length === 0) return undefined;
    const isWanted = (/** @type {LibraryDocument} */ { id, collection, temporary }) =>
      (!collections || collections.includes(collection)) && (documents ? documents.includes(id) : !temporary);
    return new Set([...this.documents.values()].filter(isWanted).map(({ id }) => id));
  }
}

// Cosine search over the library's vectors: one matrix of bytes, a row a chunk.

/** Length of a vector of the embedding model. */
export const DIMENSIONS = 384;
const FIRST_ROWS = 1024;
const LARGEST = 127;

/** Scales a vector to bytes; its length is lost, which a cosine does not need. @param {ArrayLike<number>} vector */
export function quantize(vector) {
  let largest = 0;
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]));
  const bytes = new Int8Array(vector.length);
  if (largest > 0) for (let i = 0; i < vector.length; i++) bytes[i] = Math.round((vector[i] / largest) * LARGEST);
  return bytes;
}

export class VectorIndex {
  constructor() {
    /** @type {string[]} chunk of each row */
    this.ids = [];
    /** @type {Map<string, number>} */
    this.rows = new Map();
    this.matrix = new Int8Array(FIRST_ROWS * DIMENSIONS);
    this.lengths = new Float32Array(FIRST_ROWS);
  }

  get size() {
    return this.ids.length;
  }

  /** @param {string} id */
  has(id) {
    return this.rows.has(id);
  }

  /** @param {string} id @param {Int8Array} vector as quantize() gives it */
  add(id, vector) {
    let row = this.rows.get(id);
    if (row === undefined) {
      row = this.ids.push(id) - 1;
      this.rows.set(id, row);
      if (row >= this.lengths.length) this.grow(2 * row);
    }
    this.matrix.set(vector, row * DIMENSIONS);
    this.lengths[row] = lengthOf(vector);
  }

  /** The last row takes the place of the one that goes. @param {string} id */
  remove(id) {
    const row = this.rows.get(id);
    if (row === undefined) return;
    const last = this.ids.length - 1;
    const moved = /** @type {string} */ (this.ids.pop());
    this.rows.delete(id);
    if (row === last) return;
    this.ids[row] = moved;
    this.rows.set(moved, row);
    this.matrix.copyWithin(row * DIMENSIONS, last * DIMENSIONS, (last + 1) * DIMENSIONS);
    this.lengths[row] = this.lengths[last];
  }

  /** @param {number} rows */
  grow(rows) {
    const { matrix, lengths } = this;
    this.matrix = new Int8Array(rows * DIMENSIONS);
    this.matrix.set(matrix);
    this.lengths = new Float32Array(rows);
    this.lengths.set(lengths);
  }

  /**
   * The chunks nearest to a query, nearest first.
   * @param {Int8Array} query
   * @param {number} limit
   * @param {(id: string) => boolean} [isWanted]
   * @returns {{id: string, score: number}[]} scores are cosines
   */
  search(query, limit, isWanted) {
    const length = lengthOf(query);
    if (!length || limit < 1) return [];
    /** @type {{row: number, score: number}[]} best first */
    const best = [];
    for (let row = 0; row < this.ids.length; row++) {
      const score = this.dot(query, row) / (length * this.lengths[row] || 1);
      if (best.length === limit && score <= best[limit - 1].score) continue;
      if (isWanted && !isWanted(this.ids[row])) continue;
      if (best.length === limit) best.pop();
      best.splice(placeOf(best, score), 0, { row, score });
    }
    return best.map(({ row, score }) => ({ id: this.ids[row], score }));
  }

  /** @param {Int8Array} query @param {number} row */
  dot(query, row) {
    const { matrix } = this;
    const start = row * DIMENSIONS;
    let sum = 0;
    for (let i = 0; i < DIMENSIONS; i++) sum = (sum + Math.imul(query[i], matrix[start + i])) | 0;
    return sum;
  }
}

/** @param {Int8Array} one @param {Int8Array} other @returns {number} */
export function cosine(one, other) {
  return one.reduce((sum, value, i) => sum + value * other[i], 0) / (lengthOf(one) * lengthOf(other) || 1);
}

/** @param {Int8Array} vector */
function lengthOf(vector) {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

/** Where a score belongs; among equals, last. @param {{score: number}[]} best @param {number} score */
function placeOf(best, score) {
  let place = best.length;
  while (place > 0 && best[place - 1].score < score) place--;
  return place;
}

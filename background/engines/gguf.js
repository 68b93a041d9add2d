// Rebuilds a GGUF, byte for byte, out of WebLLM's shards, so that the weights ship once for both engines. What goes where is
// said by the recipe that python/starter_model/gguf_recipe.py writes.

const GROUP = 32; // values that share a scale
const Q4_1_BYTES = 20; // half scale, half minimum, 16 bytes of nibbles
const Q8_0_BYTES = 34; // half scale, 32 signed bytes
const NIBBLES = 0x0f0f0f0f;

/**
 * @typedef {object} Piece
 * @property {"q4_1.words"|"q4_1.meta"|"q8_0.words"|"q8_0.meta"|"f32"} kind
 * @property {number} from      byte in the shard
 * @property {number} at        byte in the GGUF where the piece's tensor begins
 * @property {number} rows
 * @property {number} blocks    groups of 32 values a row; for f32: values
 * @property {number} heads     whose rows were reordered for TVM; 0 if none were
 * @property {number} head_dim
 *
 * @typedef {{header: string, bytes: number, shards: {file: string, pieces: Piece[]}[]}} Recipe
 */

/**
 * @param {Recipe} recipe
 * @param {(file: string) => Promise<ArrayBuffer>} read  one file of the model's folder
 * @param {Uint8Array} target  takes the GGUF: `recipe.bytes` zeros
 * @param {(share: number) => void} [onProgress]  how much is done, 0 to 1
 */
export async function restoreGguf(recipe, read, target, onProgress = () => {}) {
  if (target.length !== recipe.bytes) throw new Error("the target does not fit the GGUF");
  target.set(new Uint8Array(await read(recipe.header)));
  for (const [i, { file, pieces }] of recipe.shards.entries()) {
    const shard = await read(file); // one at a time: they are large
    for (const piece of pieces) {
      // Written in a copy: the target is wasm memory, where single bytes are slow.
      const tensor = target.slice(piece.at, piece.at + bytesOf(piece));
      WRITERS[piece.kind](piece, shard, tensor);
      target.set(tensor, piece.at);
    }
    onProgress((i + 1) / recipe.shards.length);
  }
}

/** How large the piece's tensor is in the GGUF. @param {Piece} piece */
function bytesOf({ kind, rows, blocks }) {
  if (kind === "f32") return rows * blocks * 4;
  return rows * blocks * (kind.startsWith("q4_1") ? Q4_1_BYTES : Q8_0_BYTES);
}

/** @type {Record<Piece["kind"], (piece: Piece, shard: ArrayBuffer, tensor: Uint8Array<ArrayBuffer>) => void>} */
const WRITERS = {
  "q4_1.words": writeNibbles,
  "q4_1.meta": writeScaleAndMinimum,
  "q8_0.words": writeSignedBytes,
  "q8_0.meta": writeHalfScales,
  f32: ({ from, rows, blocks }, shard, tensor) => tensor.set(new Uint8Array(shard, from, rows * blocks * 4)),
};

/**
 * The row of the GGUF that a row of the shard is: llama.cpp rotates neighbouring rows of a head, TVM rows half a head apart.
 * @param {number} row @param {Piece} piece
 */
export function ggufRow(row, { heads, head_dim }) {
  if (!heads) return row;
  const within = row % head_dim;
  const half = head_dim / 2;
  return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
}

/** Four nibbles, one in each byte. @param {number} bits  16 of them */
const spread = (bits) => {
  const pairs = (bits | (bits << 8)) & 0x00ff00ff;
  return (pairs | (pairs << 4)) & NIBBLES;
};

/** In the shard a block's values stand in order; in the GGUF a byte has value i below and value i + 16 above. @type {typeof WRITERS["f32"]} */
function writeNibbles(piece, shard, tensor) {
  const { from, rows, blocks } = piece;
  const words = new Uint32Array(shard, from, rows * blocks * 4);
  const out = new Uint32Array(tensor.buffer);
  for (let row = 0, next = 0; row < rows; row++) {
    let to = (ggufRow(row, piece) * blocks * Q4_1_BYTES) / 4;
    for (let block = 0; block < blocks; block++, next += 4, to += Q4_1_BYTES / 4) {
      for (let i = 0; i < 2; i++) {
        const low = words[next + i];
        const high = words[next + 2 + i];
        out[to + 1 + 2 * i] = spread(low & 0xffff) | (spread(high & 0xffff) << 4);
        out[to + 2 + 2 * i] = spread(low >>> 16) | (spread(high >>> 16) << 4);
      }
    }
  }
}

/** Both halves stand in one word, as in the GGUF. @type {typeof WRITERS["f32"]} */
function writeScaleAndMinimum(piece, shard, tensor) {
  const { from, rows, blocks } = piece;
  const meta = new Uint32Array(shard, from, rows * blocks);
  const out = new Uint32Array(tensor.buffer);
  for (let row = 0, next = 0; row < rows; row++) {
    let to = (ggufRow(row, piece) * blocks * Q4_1_BYTES) / 4;
    for (let block = 0; block < blocks; block++, to += Q4_1_BYTES / 4) out[to] = meta[next++];
  }
}

/** The shard has value + 128. @type {typeof WRITERS["f32"]} */
function writeSignedBytes(piece, shard, tensor) {
  const { from, rows, blocks } = piece;
  const biased = new Uint8Array(shard, from, rows * blocks * GROUP);
  for (let row = 0, next = 0; row < rows; row++) {
    let to = ggufRow(row, piece) * blocks * Q8_0_BYTES + 2;
    for (let block = 0; block < blocks; block++, to += Q8_0_BYTES)
      for (let i = 0; i < GROUP; i++) tensor[to + i] = biased[next++] ^ 0x80;
  }
}

/** @type {typeof WRITERS["f32"]} */
function writeHalfScales(piece, shard, tensor) {
  const { from, rows, blocks } = piece;
  const scales = new Uint32Array(shard, from, rows * blocks);
  for (let row = 0, next = 0; row < rows; row++) {
    let to = ggufRow(row, piece) * blocks * Q8_0_BYTES;
    for (let block = 0; block < blocks; block++, to += Q8_0_BYTES) {
      const half = toHalf(scales[next++]);
      tensor[to] = half & 0xff;
      tensor[to + 1] = half >> 8;
    }
  }
}

/**
 * The half that a float32 was before; one that was none is rounded to the nearest, halfway to even.
 * @param {number} bits  of the float32
 */
export function toHalf(bits) {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const fraction = bits & 0x7fffff;
  if (exponent === 128) return sign | 0x7c00 | (fraction ? 0x200 | (fraction >>> 13) : 0);
  if (exponent < -25) return sign;
  if (exponent < -14) return sign | rounded(fraction | 0x800000, -1 - exponent);
  const half = ((exponent + 15) << 10) + rounded(fraction, 13);
  return sign | Math.min(half, 0x7c00);
}

/** `value` without its last bits, to the nearest, halfway to even. @param {number} value @param {number} bits */
function rounded(value, bits) {
  const kept = value >>> bits;
  const rest = value - kept * 2 ** bits;
  const halfway = 2 ** (bits - 1);
  return rest > halfway || (rest === halfway && kept & 1) ? kept + 1 : kept;
}

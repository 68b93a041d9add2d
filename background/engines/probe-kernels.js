// The kernels that gpu-probe.js times: like those of a model's library, but of one size. Weights are q4f16_1: 32 of four bits in
// one vec4u, and a scale of 16 bits for each 32.

/** Inner size of all matrices: threads of a workgroup times the weights that share a scale. */
export const K = 2048;
/** Rows of weights that a workgroup takes: by a vector, by a matrix, and where each thread has a row. */
export const VECTOR_ROWS = 4;
export const MATRIX_ROWS = 64;
export const THREADS = 64;
/** Tokens that a workgroup multiplies at once. */
export const MATRIX_TOKENS = 16;

const BINDINGS = `
@group(0) @binding(0) var<storage, read> weights: array<vec4u>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

const GROUPS = ${K / 32}u;

fn eight(packed: u32) -> array<vec4f, 2> {
  let low = (vec4u(packed) >> vec4u(0, 4, 8, 12)) & vec4u(15);
  let high = (vec4u(packed) >> vec4u(16, 20, 24, 28)) & vec4u(15);
  return array<vec4f, 2>(vec4f(low), vec4f(high));
}

fn scaleOf(row: u32, group: u32) -> f32 {
  return unpack2x16float(scales[(row * GROUPS + group) / 2])[group & 1];
}
`;

/** Does next to nothing, so that what it takes is the cost of starting it. */
export const KERNEL_COST = `
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@group(0) @binding(1) var<uniform> value: vec4u;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) thread: u32) {
  result[thread] += f32(value.x);
}
`;

/** What decoding does: each weight is read once and used once. */
export const MATRIX_BY_VECTOR = `${BINDINGS}
var<workgroup> sums: array<vec4f, GROUPS>;

@compute @workgroup_size(${K / 32})
fn main(@builtin(workgroup_id) place: vec3u, @builtin(local_invocation_index) thread: u32) {
  var sum = vec4f();
  for (var i = 0u; i < ${VECTOR_ROWS}; i++) {
    let row = place.x * ${VECTOR_ROWS} + i;
    let packed = weights[row * GROUPS + thread];
    var part = 0.0;
    for (var word = 0u; word < 4; word++) {
      let values = eight(packed[word]);
      part += dot(values[0], tokens[thread * 8 + word * 2]) + dot(values[1], tokens[thread * 8 + word * 2 + 1]);
    }
    sum[i] = part * scaleOf(row, thread);
  }
  sums[thread] = sum;
  for (var reach = GROUPS / 2; reach > 0; reach /= 2) {
    workgroupBarrier();
    if (thread < reach) { sums[thread] += sums[thread + reach]; }
  }
  if (thread == 0) {
    for (var i = 0u; i < ${VECTOR_ROWS}; i++) { result[place.x * ${VECTOR_ROWS} + i] = sums[0][i]; }
  }
}
`;

/** What prefilling does: each weight is used for many tokens. */
export const MATRIX_BY_MATRIX = `${BINDINGS}
var<workgroup> weightTile: array<f32, 32 * ${MATRIX_ROWS}>;
var<workgroup> tokenTile: array<f32, 32 * ${MATRIX_TOKENS}>;

@compute @workgroup_size(${MATRIX_ROWS})
fn main(@builtin(workgroup_id) place: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = place.x * ${MATRIX_ROWS} + thread;
  let firstToken = place.y * ${MATRIX_TOKENS};
  let myRows = (thread % 16) * 4;
  let myTokens = (thread / 16) * 4;
  var sums: array<vec4f, 4>;
  for (var group = 0u; group < GROUPS; group++) {
    let packed = weights[row * GROUPS + group];
    let scale = scaleOf(row, group);
    for (var word = 0u; word < 4; word++) {
      let values = eight(packed[word]);
      for (var i = 0u; i < 8; i++) {
        weightTile[(word * 8 + i) * ${MATRIX_ROWS} + thread] = values[i / 4][i % 4] * scale;
      }
    }
    for (var part = thread; part < ${MATRIX_TOKENS} * 8; part += ${MATRIX_ROWS}) {
      let values = tokens[(firstToken + part / 8) * GROUPS * 8 + group * 8 + part % 8];
      for (var i = 0u; i < 4; i++) { tokenTile[((part % 8) * 4 + i) * ${MATRIX_TOKENS} + part / 8] = values[i]; }
    }
    workgroupBarrier();
    for (var k = 0u; k < 32; k++) {
      let at = k * ${MATRIX_ROWS} + myRows;
      let four = vec4f(weightTile[at], weightTile[at + 1], weightTile[at + 2], weightTile[at + 3]);
      for (var i = 0u; i < 4; i++) { sums[i] += four * tokenTile[k * ${MATRIX_TOKENS} + myTokens + i]; }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4; i++) {
    for (var j = 0u; j < 4; j++) { result[(row - thread + myRows + j) * 64 + firstToken + myTokens + i] = sums[i][j]; }
  }
}
`;

/**
 * Either of them with a row for each thread: what is slow on a graphics card, which wants neighbours to read side by side, is fast
 * in software, where threads that wait for each other cost much.
 * @param {number} count  tokens
 */
export const rowByRow = (count) => `${BINDINGS}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) place: vec3u) {
  let first = place.y * ${count} * GROUPS * 8;
  var sums: array<f32, ${count}>;
  for (var group = 0u; group < GROUPS; group++) {
    let packed = weights[place.x * GROUPS + group];
    let scale = scaleOf(place.x, group);
    var parts: array<f32, ${count}>;
    for (var word = 0u; word < 4; word++) {
      let values = eight(packed[word]);
      let at = first + group * 8 + word * 2;
      for (var i = 0u; i < ${count}; i++) {
        let next = at + i * GROUPS * 8;
        parts[i] += dot(values[0], tokens[next]) + dot(values[1], tokens[next + 1]);
      }
    }
    for (var i = 0u; i < ${count}; i++) { sums[i] += scale * parts[i]; }
  }
  for (var i = 0u; i < ${count}; i++) { result[place.x * 64 + place.y * ${count} + i] = sums[i]; }
}
`;

/** Numbers that no compression makes smaller. */
export const FILL = `
@group(0) @binding(0) var<storage, read_write> weights: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) place: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var at = place.x; at < arrayLength(&weights); at += groups.x * 64) {
    var value = vec4u(at * 4) + vec4u(0, 1, 2, 3);
    value = (value ^ (value >> vec4u(16))) * 0x7feb352du;
    value = (value ^ (value >> vec4u(15))) * 0x846ca68bu;
    weights[at] = value ^ (value >> vec4u(16));
  }
}
`;

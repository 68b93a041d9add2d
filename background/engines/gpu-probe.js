// Measures the graphics card: what one kernel costs to start, how fast it reads the weights of a model, and how fast it
// multiplies by them. Python predicts from that how fast a model is that nobody has loaded yet.
// In: anything. Out: {probe: Probe|null, message}, once

import "../network-guard.js";
import { showLife } from "../worker-life.js";
import {
  FILL,
  K,
  KERNEL_COST,
  MATRIX_BY_MATRIX,
  MATRIX_BY_VECTOR,
  MATRIX_ROWS,
  MATRIX_TOKENS,
  rowByRow,
  THREADS,
  VECTOR_ROWS,
} from "./probe-kernels.js";
import { isSoftware } from "./software-gpu.js";

/** @import { Probe } from "../protocol.js" */

showLife();

/** @typedef {{code: string, groups: (rows: number) => [number, number]}} Kernel  groups: workgroups that so many rows take */

/** Bytes of a row: K weights of four bits, and a scale of two bytes for each 32 of them. */
const [WEIGHTS, SCALES] = [K / 2, K / 16];
const TOKENS = 64;
const ROWS_FIRST = 2048;
/** 128 MiB of weights: no cache holds them, and WebGPU promises a binding of that size. */
const ROWS_MOST = 2 ** 17;
/** A time that is long beside what the clock and the way to the graphics card take. */
const LONG_ENOUGH = 0.06; // seconds
const REPEATS = 5;
const PATIENCE = 0.8; // seconds; slow ones are repeated less often
const KERNELS = 200;
const MOST_TIMES = 1024;
const PARTS = TOKENS / MATRIX_TOKENS;
/** @type {Record<"byVector"|"byMatrix", Kernel>} */
const IN_HARDWARE = {
  byVector: { code: MATRIX_BY_VECTOR, groups: (rows) => [rows / VECTOR_ROWS, 1] },
  byMatrix: { code: MATRIX_BY_MATRIX, groups: (rows) => [rows / MATRIX_ROWS, PARTS] },
};
/** @type {Record<"byVector"|"byMatrix", Kernel>} */
const IN_SOFTWARE = {
  byVector: { code: rowByRow(1), groups: (rows) => [rows / THREADS, 1] },
  byMatrix: { code: rowByRow(MATRIX_TOKENS), groups: (rows) => [rows / THREADS, PARTS] },
};
const FILL_GROUPS = 512;

self.onmessage = async () => {
  try {
    self.postMessage({ probe: await probe(), message: "" });
  } catch (error) {
    self.postMessage({ probe: null, message: String(error) });
  }
};

/** @returns {Promise<Probe|null>} */
async function probe() {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return null;
  const device = await adapter.requestDevice();
  try {
    return await measure(new Bench(device), isSoftware(adapter) ? IN_SOFTWARE : IN_HARDWARE);
  } finally {
    device.destroy();
  }
}

/** @param {Bench} bench @param {typeof IN_SOFTWARE} kernels @returns {Promise<Probe>} */
async function measure(bench, { byVector, byMatrix }) {
  const { sync, kernel } = await bench.starting();
  const reading = await bench.rate(byVector, sync);
  const computing = await bench.rate(byMatrix, sync);
  return {
    sync_seconds: sync,
    kernel_seconds: kernel,
    weight_bytes_per_second: reading * (WEIGHTS + SCALES),
    flops: computing * 2 * K * TOKENS,
  };
}

class Bench {
  /** @param {GPUDevice} device */
  constructor(device) {
    this.device = device;
    /** @type {GPUComputePipeline|undefined} */
    this.filling = undefined;
  }

  /** @param {string} code */
  pipeline(code) {
    const module = this.device.createShaderModule({ code });
    return this.device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  }

  /** @param {number} size  bytes */
  buffer(size) {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    return this.device.createBuffer({ size, usage });
  }

  /** @param {GPUComputePipeline} pipeline @param {GPUBuffer[]} buffers */
  bind(pipeline, buffers) {
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    return this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  }

  /**
   * Runs what `encode` writes, and waits for it; the shortest of a few times, since other programs only make it longer.
   * @param {(encoder: GPUCommandEncoder) => void} encode
   * @param {number} [repeats]
   */
  async seconds(encode, repeats = REPEATS) {
    let least = Number.POSITIVE_INFINITY;
    const until = performance.now() + PATIENCE * 1000;
    for (let i = 0; i <= repeats && (i < 2 || performance.now() < until); i++) {
      const began = performance.now();
      const encoder = this.device.createCommandEncoder();
      encode(encoder);
      this.device.queue.submit([encoder.finish()]);
      await this.device.queue.onSubmittedWorkDone();
      const seconds = (performance.now() - began) / 1000;
      if (i > 0) least = Math.min(least, seconds); // the first one compiles
      if (i > 0 && seconds > 4 * LONG_ENOUGH) break;
    }
    return least;
  }

  /** What a word to the graphics card and back takes, and what each kernel takes besides, started the way WebLLM does. */
  async starting() {
    const pipeline = await this.pipeline(KERNEL_COST);
    const [result, value] = [this.buffer(256), this.buffer(16)];
    const run = (/** @type {number} */ count) => (/** @type {GPUCommandEncoder} */ encoder) => {
      for (let i = 0; i < count; i++) {
        this.device.queue.writeBuffer(value, 0, new Uint32Array([i, 0, 0, 0]));
        pass(encoder, pipeline, this.bind(pipeline, [result, value]), [1, 1]);
      }
    };
    const sync = await this.seconds(run(1));
    const all = await this.seconds(run(KERNELS));
    return { sync, kernel: Math.max(0, all - sync) / (KERNELS - 1) };
  }

  /** The rate of the fastest of some kernels for the same. @param {number} sync  seconds @param {Kernel[]} kernels */
  async best(sync, kernels) {
    let most = 0;
    for (const kernel of kernels) most = Math.max(most, await this.rate(kernel, sync));
    return most;
  }

  /**
   * Rows of weights that a kernel does a second: of so many, and so many times, that it takes long enough.
   * @param {Kernel} kernel
   * @param {number} sync  seconds
   */
  async rate({ code, groups }, sync) {
    const pipeline = await this.pipeline(code);
    for (let rows = ROWS_FIRST, times = 1; ; ) {
      const weights = this.buffer(rows * WEIGHTS);
      const buffers = [weights, ...[rows * SCALES, K * 4 * TOKENS, rows * 4 * TOKENS].map((size) => this.buffer(size))];
      await this.fill(weights);
      const group = this.bind(pipeline, buffers);
      const run = (/** @type {GPUCommandEncoder} */ encoder) => {
        for (let i = 0; i < times; i++) pass(encoder, pipeline, group, groups(rows));
      };
      const isLast = (await this.seconds(run, 1)) >= LONG_ENOUGH || times >= MOST_TIMES;
      const seconds = isLast ? await this.seconds(run) : 0;
      for (const buffer of buffers) buffer.destroy();
      if (isLast) return (rows * times) / Math.max(seconds - sync, 1e-6);
      if (rows < ROWS_MOST) rows = Math.min(ROWS_MOST, rows * 4);
      else times *= 4;
    }
  }

  /** @param {GPUBuffer} weights */
  async fill(weights) {
    this.filling ??= await this.pipeline(FILL);
    const encoder = this.device.createCommandEncoder();
    pass(encoder, this.filling, this.bind(this.filling, [weights]), [FILL_GROUPS, 1]);
    this.device.queue.submit([encoder.finish()]);
  }
}

/** @param {GPUCommandEncoder} encoder @param {GPUComputePipeline} pipeline @param {GPUBindGroup} group @param {[number, number]} groups */
function pass(encoder, pipeline, group, [x, y]) {
  const compute = encoder.beginComputePass();
  compute.setPipeline(pipeline);
  compute.setBindGroup(0, group);
  compute.dispatchWorkgroups(x, y);
  compute.end();
}

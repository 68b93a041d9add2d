// How long each kernel of a runtime takes on the graphics card, by its passes' timestamps. Only for looking: passes that take
// their time are slower as a whole.

const MOST = 2048; // passes between two looks

export class KernelTimes {
  constructor() {
    /** @type {Map<string, {calls: number, nanoseconds: number}>} */
    this.totals = new Map();
    /** @type {string[]} the kernels of the passes since the last look */
    this.names = [];
    /** @type {Promise<void>[]} */
    this.looks = [];
  }

  /** @param {GPUDevice} device */
  watch(device) {
    const names = new WeakMap();
    const createPipeline = device.createComputePipelineAsync.bind(device);
    device.createComputePipelineAsync = async (descriptor) => {
      const pipeline = await createPipeline(descriptor);
      names.set(pipeline, descriptor.compute.entryPoint);
      return pipeline;
    };
    const makeEncoder = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (descriptor) => this.timed(device, makeEncoder(descriptor), names);
  }

  /** @param {GPUDevice} device @param {GPUCommandEncoder} encoder @param {WeakMap<GPUComputePipeline, string>} names */
  timed(device, encoder, names) {
    /** @type {GPUQuerySet|null} */
    let queries = null;
    /** @type {string[]} */
    const passes = [];
    const beginPass = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = () => {
      queries ??= device.createQuerySet({ type: "timestamp", count: 2 * MOST });
      const at = passes.push("") - 1;
      const timestampWrites = { querySet: queries, beginningOfPassWriteIndex: 2 * at, endOfPassWriteIndex: 2 * at + 1 };
      const pass = beginPass({ timestampWrites });
      const setPipeline = pass.setPipeline.bind(pass);
      pass.setPipeline = (pipeline) => {
        passes[at] = names.get(pipeline) ?? "?";
        setPipeline(pipeline);
      };
      return pass;
    };
    const finish = encoder.finish.bind(encoder);
    encoder.finish = (descriptor) => {
      if (!queries) return finish(descriptor);
      const size = passes.length * 16;
      const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
      const read = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      encoder.resolveQuerySet(queries, 0, passes.length * 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, read, 0, size);
      const done = finish(descriptor);
      queueMicrotask(() => this.looks.push(this.look(read, passes)));
      return done;
    };
    return encoder;
  }

  /** @param {GPUBuffer} read @param {string[]} passes */
  async look(read, passes) {
    await read.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(read.getMappedRange());
    for (const [i, name] of passes.entries()) {
      const total = this.totals.get(name) ?? { calls: 0, nanoseconds: 0 };
      total.calls++;
      total.nanoseconds += Number((stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n));
      this.totals.set(name, total);
    }
    read.destroy();
  }

  clear() {
    this.totals.clear();
  }

  /** Kernel, calls, microseconds a call. */
  async table() {
    await Promise.all(this.looks);
    const rows = [...this.totals].map(([name, { calls, nanoseconds }]) => [name, calls, nanoseconds / calls / 1000]);
    return rows.sort((a, b) => Number(b[1]) * Number(b[2]) - Number(a[1]) * Number(a[2]));
  }
}

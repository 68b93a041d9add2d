// WebLLM's runtime begins a compute pass, writes a uniform buffer and makes a bind group for every kernel it starts, some
// hundred times a token; on a fast GPU that takes longer than the kernels. Its kernels' arguments are nearly always those of
// the token before. So, below it, on the device that it uses: neighbouring passes become one, which WebGPU orders just
// the same; small uniform buffers become constants, one for each content; and bind groups are kept. And the GPU is given the
// first kernels while the last are still being asked for.

/** Kernels that are handed over at once. */
const BATCH = 40;
const MOST_GROUPS = 4096;
const LARGEST_UNIFORM = 256; // bytes
const UNIFORM = 0x40; // GPUBufferUsage, which Node's tests lack
const COPY_DST = 0x8;

/**
 * Changes the device's methods. What it asks of the user of the device: a bind group is made after the last write to its
 * uniform buffers, and not used after the next one; TVM's runtime makes one for each dispatch. And an encoder's commands are
 * submitted before anything else is written that they read, since parts of them may run before the rest is there.
 * @param {GPUDevice} device
 */
export function mergePasses(device) {
  const constants = new Constants(device);
  const groups = new Groups(device, constants);
  const begin = device.createCommandEncoder.bind(device);
  device.createBuffer = (descriptor) => constants.createBuffer(descriptor);
  device.queue.writeBuffer = (...args) => constants.write(...args);
  device.createBindGroup = (descriptor) => groups.get(descriptor);
  device.createCommandEncoder = (descriptor) => mergingEncoder(device.queue, () => begin(descriptor));
}

/** The uniform buffers that are kept from the GPU, and those that stand for their contents. */
class Constants {
  /** @param {GPUDevice} device */
  constructor(device) {
    this.create = device.createBuffer.bind(device);
    this.writeThrough = device.queue.writeBuffer.bind(device.queue);
    /** @type {WeakMap<GPUBuffer, Uint32Array<ArrayBuffer>>} uniform buffer -> its words */
    this.contents = new WeakMap();
  }

  /** @param {GPUBufferDescriptor} descriptor @returns {GPUBuffer} */
  createBuffer(descriptor) {
    const buffer = this.create(descriptor);
    const isUniform = descriptor.usage === (UNIFORM | COPY_DST) && !descriptor.mappedAtCreation;
    if (isUniform && descriptor.size <= LARGEST_UNIFORM && descriptor.size % 4 === 0)
      this.contents.set(buffer, new Uint32Array(descriptor.size / 4));
    return buffer;
  }

  /**
   * @param {GPUBuffer} buffer @param {number} offset  bytes @param {any} data
   * @param {number} [from] @param {number} [size]  in elements of data; in bytes for an ArrayBuffer
   */
  write(buffer, offset, data, from = 0, size = undefined) {
    const content = this.contents.get(buffer);
    if (!content) return this.writeThrough(buffer, offset, data, from, size);
    const unit = data.BYTES_PER_ELEMENT ?? 1;
    const length = size === undefined ? data.byteLength - from * unit : size * unit;
    const start = (data.byteOffset ?? 0) + from * unit;
    new Uint8Array(content.buffer).set(new Uint8Array(data.buffer ?? data, start, length), offset);
  }

  /** A buffer that holds what another would hold now, and always will. @param {Uint32Array<ArrayBuffer>} content */
  constant(content) {
    const buffer = this.create({ size: content.byteLength, usage: UNIFORM | COPY_DST });
    this.writeThrough(buffer, 0, content);
    return buffer;
  }
}

/** Bind groups by what is bound. */
class Groups {
  /** @param {GPUDevice} device @param {Constants} constants */
  constructor(device, constants) {
    this.create = device.createBindGroup.bind(device);
    this.constants = constants;
    /** @type {WeakMap<object, number>} */
    this.numbers = new WeakMap();
    this.next = 0;
    /** @type {Map<string, {group: GPUBindGroup, owned: GPUBuffer[]}>} the least recently made first */
    this.made = new Map();
  }

  /** @param {GPUBindGroupDescriptor} descriptor @returns {GPUBindGroup} */
  get(descriptor) {
    const entries = /** @type {GPUBindGroupEntry[]} */ (descriptor.entries);
    let key = `${this.number(descriptor.layout)}`;
    for (const { binding, resource } of entries) {
      const { buffer, offset, size } = /** @type {GPUBufferBinding} */ (resource);
      if (!buffer) return this.create(descriptor); // a texture or a sampler
      const content = this.constants.contents.get(buffer);
      key += `|${binding}:${content ? `=${content}` : this.number(buffer)}:${offset ?? ""}:${size ?? ""}`;
    }
    let kept = this.made.get(key);
    if (!kept) {
      kept = this.make(descriptor, entries);
      this.made.set(key, kept);
      if (this.made.size > MOST_GROUPS) this.forgetOldest();
    }
    return kept.group;
  }

  /** @param {GPUBindGroupDescriptor} descriptor @param {GPUBindGroupEntry[]} entries */
  make(descriptor, entries) {
    /** @type {GPUBuffer[]} */
    const owned = [];
    const bound = entries.map(({ binding, resource }) => {
      const { buffer, ...range } = /** @type {GPUBufferBinding} */ (resource);
      const content = this.constants.contents.get(buffer);
      if (!content) return { binding, resource };
      const constant = this.constants.constant(content);
      owned.push(constant);
      return { binding, resource: { buffer: constant, ...range } };
    });
    return { group: this.create({ ...descriptor, entries: bound }), owned };
  }

  /** Commands that are not submitted yet may use it, so that its buffers are left to the garbage collector. */
  forgetOldest() {
    for (const key of this.made.keys()) {
      this.made.delete(key);
      return;
    }
  }

  /** @param {object} object */
  number(object) {
    let number = this.numbers.get(object);
    if (number === undefined) {
      number = this.next++;
      this.numbers.set(object, number);
    }
    return number;
  }
}

/**
 * An encoder that leaves a compute pass open, and goes on with it, until something else is asked of it.
 * @param {GPUQueue} queue @param {() => GPUCommandEncoder} begin @returns {GPUCommandEncoder}
 */
function mergingEncoder(queue, begin) {
  let encoder = begin();
  let pass = /** @type {GPUComputePassEncoder|null} */ (null);
  let pipeline = /** @type {GPUComputePipeline|null} */ (null);
  let kernels = 0;
  const close = () => {
    pass?.end();
    pass = null;
    pipeline = null;
  };
  const handOver = () => {
    close();
    queue.submit([encoder.finish()]);
    encoder = begin();
    kernels = 0;
  };
  const merged = {
    /** @param {GPUComputePipeline} wanted */
    setPipeline(wanted) {
      if (wanted !== pipeline) pass?.setPipeline(wanted);
      pipeline = wanted;
    },
    /** @param {[any, any]} args */
    setBindGroup: (...args) => pass?.setBindGroup(...args),
    /** @param {[number, number?, number?]} args */
    dispatchWorkgroups: (...args) => pass?.dispatchWorkgroups(...args),
    end() {
      if (++kernels === BATCH) handOver();
    },
  };
  const beginPass = (/** @type {GPUComputePassDescriptor|undefined} */ descriptor) => {
    if (descriptor) {
      close();
      return encoder.beginComputePass(descriptor);
    }
    pass ??= encoder.beginComputePass();
    return merged;
  };
  return new Proxy(encoder, {
    get(_, name) {
      if (name === "beginComputePass") return beginPass;
      const value = Reflect.get(encoder, name, encoder);
      if (typeof value !== "function") return value;
      return (/** @type {unknown[]} */ ...args) => {
        close();
        return value.apply(encoder, args);
      };
    },
  });
}

// Asks our embedding Worker, a bare Transformers.js and a library without a model; each `globalThis` function is a promise.

/** Starts a Worker, and gives what asks it. */
function started(path) {
  const worker = new Worker(path, { type: "module" });
  let key = 0;
  return (request) =>
    new Promise((resolve, reject) => {
      const mine = key++;
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => {
        if (data.type === "failed") reject(new Error(data.message));
        else if (data.key === mine) resolve(data);
      };
      worker.postMessage({ ...request, key: mine });
    });
}

const timed = async (work) => {
  const began = performance.now();
  const value = await work();
  return { value, ms: performance.now() - began };
};

/** Milliseconds of each round, of ours and of the bare one, in turns; and how alike their vectors are. */
globalThis.embedAll = async (texts, rounds) => {
  const ask = {
    ours: started("/background/library/embedding-worker.js"),
    bare: started("bare-embedding-worker.js"),
  };
  const taken = { ours: [], bare: [] };
  const vectors = {};
  for (const name of ["ours", "bare"]) {
    await ask[name]({ type: "load", device: "cpu" });
    await ask[name]({ type: "embed", texts: texts.slice(0, 4) }); // the first is slower
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? ["bare", "ours"] : ["ours", "bare"]) {
      const { value, ms } = await timed(() => ask[name]({ type: "embed", texts }));
      taken[name].push(ms);
      vectors[name] = value.vectors;
    }
  }
  const nearness = vectors.ours.map((vector, at) => cosine(vector, vectors.bare[at]));
  return { ...taken, least_cosine: Math.min(...nearness) };
};

/** Index and search times of a library of so many chunks, and its memory. */
globalThis.measureLibrary = async (chunks) => {
  const ask = started("library-bench-worker.js");
  const indexed = await ask({ type: "index", chunks });
  const searched = await ask({ type: "search" });
  const reopened = await ask({ type: "reopen" });
  const memory = await performance.measureUserAgentSpecificMemory();
  return { ...indexed, ...searched, ...reopened, bytes: memory.bytes };
};

function cosine(one, other) {
  let [product, a, b] = [0, 0, 0];
  for (let i = 0; i < one.length; i++) {
    product += one[i] * other[i];
    a += one[i] ** 2;
    b += other[i] ** 2;
  }
  return product / Math.sqrt(a * b);
}

globalThis.isLoaded = true;

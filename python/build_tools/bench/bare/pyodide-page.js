// How long a bare loadPyodide takes, in a module Worker; `globalThis.measured` is a promise of milliseconds.

globalThis.measured = new Promise((resolve, reject) => {
  const began = performance.now();
  const worker = new Worker("pyodide-worker.js", { type: "module" });
  worker.onmessage = ({ data }) => {
    resolve({ ready: performance.now() - began, version: data });
    worker.terminate();
  };
  worker.onerror = (event) => reject(new Error(event.message));
});

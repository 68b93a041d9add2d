// Run the kernel scenarios in Pyodide and print their observations as JSON.
//
//   node run_in_pyodide.mjs OVERLAY_FOLDER WHEEL...
//
// OVERLAY_FOLDER holds our amplifier_core; the wheels are pydantic and what it needs, built for Pyodide.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";

const [overlay, ...wheels] = process.argv.slice(2);
const python = await loadPyodide();
for (const wheel of wheels) {
  python.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel");
}
python.mountNodeFS("/overlay", overlay);
python.mountNodeFS("/tests", dirname(fileURLToPath(import.meta.url)));
const document = await python.runPythonAsync(`
import sys
sys.dont_write_bytecode = True
sys.path[:0] = ["/overlay", "/tests"]
import scenarios
await scenarios.document()
`);
// Pyodide does not clear the timers of timeouts that did not come; Node would wait for them.
process.stdout.write(document, () => process.exit(0));

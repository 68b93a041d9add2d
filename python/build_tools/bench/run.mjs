// node run.mjs ARCHIVES FOLDER: runs events.py of FOLDER in Pyodide as it ships, and prints what it measured as JSON.

import { readFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const [archives, folder] = process.argv.slice(2);
const python = await loadPyodide({ env: { HOME: "/home/pyodide", PYDANTIC_DISABLE_PLUGINS: "__all__" } });
const read = (name) => new Uint8Array(readFileSync(`${archives}/${name}`));
python.unpackArchive(read("pydantic_core.zip"), "zip", {
  extractDir: python.runPython("import site; site.getsitepackages()[0]"),
});
python.FS.writeFile("/app.zip", read("app.zip"));
python.mountNodeFS("/bench", folder);
const measured = await python.runPythonAsync(`
import json, sys
sys.dont_write_bytecode = True
sys.path[:0] = ["/app.zip", "/bench"]
import events
json.dumps(await events.measure())
`);
process.stdout.write(measured, () => process.exit(0));

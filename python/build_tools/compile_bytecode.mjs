// node compile_bytecode.mjs FOLDER: compiles every .py below FOLDER to a .pyc beside it, with Pyodide's own Python, since
// bytecode fits one version only. The .pyc are never checked against a source: they ship without one.

import path from "node:path";
import { loadPyodide } from "pyodide";

const folder = path.resolve(process.argv[2]);
const pyodide = await loadPyodide();
pyodide.mountNodeFS("/work", folder);
const failed = pyodide.runPython(`
import pathlib, py_compile
failed = []
for source in pathlib.Path("/work").rglob("*.py"):
    name = str(source.relative_to("/work"))
    try:
        py_compile.compile(str(source), cfile=str(source) + "c", dfile=name, doraise=True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    except py_compile.PyCompileError as error:
        failed.append(f"{name}: {error.msg}")
"\\n".join(failed)
`);
if (failed) {
  console.error(failed);
  process.exit(1);
}

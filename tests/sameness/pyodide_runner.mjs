// Runs the golden programs under a release of Pyodide and prints what `runner.py` says.
//
//   node pyodide_runner.mjs RELEASE VERSION ROOT FOLDER...
//
// RELEASE: the folder of the npm package, VERSION: of the Python that must be in it, ROOT: this project's folder,
// FOLDER: what comes first on Python's path, relative to ROOT. Nothing is fetched.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [release, version, root, ...folders] = process.argv.slice(2);
const home = "/project";

const { loadPyodide } = await import(pathToFileURL(join(release, "pyodide.mjs")));

async function text() {
  const python = await loadPyodide({
    indexURL: release,
    env: { HOME: "/", PYTHONDONTWRITEBYTECODE: "1" },
  });
  python.FS.mkdir(home);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, home);
  python.globals.set("version", version);
  python.globals.set("folders", python.toPy([...folders, "src", "."].map((folder) => `${home}/${folder}`)));
  return python.runPython(`
import sys

assert sys.version.startswith(version + "."), sys.version
sys.path[:0] = folders

from tests.sameness import runner

runner.text()
`);
}

// Pyodide leaves handles open, so that Node would wait for ever; and of an error that nobody catches Node shows the
// source line, which is a megabyte.
text().then(
  (found) => process.stdout.write(found, () => process.exit(0)),
  (error) => process.stderr.write(`${error.message}\n`, () => process.exit(1)),
);

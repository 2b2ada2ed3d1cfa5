// Turns one script into a prebuilt JupyterLab extension. JupyterLab loads such extensions as containers of module
// federation: an object with `init(scope)` and `get(name)`, where `scope` holds the modules that JupyterLab shares. That
// contract is the same in all of 4.x and small enough to implement here; JupyterLab's builder adds a second bundler.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';

const NAME = 'karospace-jupyter';

/** Returns the esbuild options, besides the common ones, that write the extension to the folder `target`. */
export async function extension(target, plugins) {
  const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));
  return {
    format: 'cjs',
    write: false,
    metafile: true,
    external: ['@jupyterlab/*', '@lumino/*'],
    define: { __VERSION__: JSON.stringify(version) },
    plugins: [
      ...plugins,
      { name: 'extension', setup: (build) => build.onEnd((result) => write(result, target, version)) },
    ],
  };
}

async function write(result, target, version) {
  if (result.errors.length > 0) return;
  const [output] = Object.values(result.metafile.outputs);
  const shared = [...new Set(output.imports.filter(({ external }) => external).map(({ path }) => path))];
  const script = containerOf(result.outputFiles[0].text, shared);
  const hash = createHash('sha256').update(script).digest('hex').slice(0, 16);
  const entry = `remoteEntry.${hash}.js`;
  const folder = new URL('static/', target);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder))
    if (name.startsWith('remoteEntry.') && name !== entry) await rm(new URL(name, folder));
  await writeFile(new URL(entry, folder), script);
  const about = {
    name: NAME,
    version,
    description: 'A panel that turns the AnnData objects of a kernel into static viewers.',
    license: 'MIT',
    jupyterlab: {
      extension: true,
      schemaDir: 'schemas',
      _build: { load: `static/${entry}`, extension: './extension' },
    },
  };
  await writeFile(new URL('package.json', target), `${JSON.stringify(about, null, 2)}\n`);
  const install = {
    packageManager: 'python',
    packageName: NAME,
    uninstallInstructions: `pip uninstall ${NAME}`,
  };
  await writeFile(new URL('install.json', target), `${JSON.stringify(install, null, 2)}\n`);
  const schemas = new URL(`schemas/${NAME}/`, target);
  await mkdir(schemas, { recursive: true });
  await writeFile(
    new URL('panel.json', schemas),
    await readFile(new URL('schema/panel.json', import.meta.url)),
  );
  await writeFile(new URL('package.json.orig', schemas), `${JSON.stringify(about, null, 2)}\n`);
  console.log(`panel ${Math.round(Buffer.byteLength(script) / 1024)} kB`);
}

/** Returns the script that JupyterLab loads: it takes shared modules from JupyterLab's scope and runs the bundle. */
function containerOf(bundle, shared) {
  return `(() => {
const evaluate = (require, module, exports) => {
${bundle}
};
const order = (a, b) => b.localeCompare(a, undefined, { numeric: true });
let scope = {};
let loaded;
const take = async (name) => {
  const versions = scope[name] ?? {};
  const [newest] = Object.keys(versions).sort(order);
  return newest === undefined ? {} : (await versions[newest].get())();
};
const load = async () => {
  const names = ${JSON.stringify(shared)};
  const found = new Map(await Promise.all(names.map(async (name) => [name, await take(name)])));
  const module = { exports: {} };
  evaluate((name) => found.get(name), module, module.exports);
  return module.exports;
};
(globalThis._JUPYTERLAB ??= {})[${JSON.stringify(NAME)}] = {
  init(given) {
    scope = given;
  },
  async get(name) {
    if (name !== './extension') throw new Error('${NAME} has no ' + name);
    loaded ??= load();
    const exports = await loaded;
    return () => exports;
  },
};
})();
`;
}

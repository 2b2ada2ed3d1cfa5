// Checks the imports of src: they point down, never form a cycle, and only the panel knows JupyterLab. Imports of types
// count like all others.
//
// A script of our own, because dependency-cruiser reads types through the API of the TypeScript compiler, which
// TypeScript 7 does not have, and needs a newer Node.js than the viewer does.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const below = {
  contract: [],
  lib: ['contract'],
  source: ['contract', 'lib'],
  data: ['contract', 'lib', 'source'],
  state: ['contract', 'lib', 'source', 'data'],
  render: ['contract', 'lib', 'source', 'data', 'state'],
  picture: ['contract', 'lib', 'source', 'data', 'state'],
  panels: ['contract', 'lib', 'source', 'data', 'state', 'picture'],
  bundles: ['contract', 'lib', 'source'],
  widget: ['contract', 'lib'],
  lab: ['contract', 'lib', 'widget'],
  entries: [
    'contract',
    'lib',
    'source',
    'data',
    'state',
    'render',
    'picture',
    'panels',
    'bundles',
    'widget',
    'lab',
  ],
};

const root = fileURLToPath(new URL('src', import.meta.url));
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** Imports of each source file: files as paths relative to src, packages as `npm:` and their name. */
async function readImports() {
  const imports = new Map();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, 'utf8');
    const targets = [...text.matchAll(IMPORT)].map(([, target]) =>
      target.startsWith('.') ? nameOf(resolveFile(resolve(dirname(path), target))) : `npm:${target}`,
    );
    imports.set(nameOf(path), targets);
  }
  return imports;
}

const nameOf = (path) => relative(root, path).split(sep).join('/');
const resolveFile = (path) => ['.ts', '.tsx', ''].map((end) => path + end).find(existsSync) ?? path;
const layerOf = (name) => name.split('/')[0];

function layerProblems(imports) {
  const problems = [];
  for (const [name, targets] of imports) {
    const layer = layerOf(name);
    const isLab = layer === 'lab' || name === 'entries/lab.ts';
    for (const target of targets) {
      const other = layerOf(target);
      if (/^npm:@(jupyterlab|lumino)\//.test(target) && !isLab)
        problems.push(`${name}: only the panel may import JupyterLab`);
      if (!target.startsWith('npm:') && other !== layer && !below[layer]?.includes(other))
        problems.push(`${name}: ${layer} must not import ${other} (${target})`);
    }
  }
  return problems;
}

/** Follows the imports of each file, depth first. An import of a file that is still being followed closes a cycle. */
function cycles(imports) {
  const found = [];
  const done = new Set();
  const path = [];
  const follow = (name) => {
    if (path.includes(name))
      found.push(`import cycle: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`);
    if (done.has(name) || path.includes(name)) return;
    path.push(name);
    for (const target of imports.get(name) ?? []) follow(target);
    path.pop();
    done.add(name);
  };
  for (const name of imports.keys()) follow(name);
  return found;
}

const imports = await readImports();
const problems = [...layerProblems(imports), ...cycles(imports)];
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}

// Imports point down only; render and panels meet only through state; only the panel knows JupyterLab.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
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
  widget: ['contract', 'lib'],
  lab: ['contract', 'lib', 'widget'],
  entries: ['contract', 'lib', 'source', 'data', 'state', 'render', 'picture', 'panels', 'widget', 'lab'],
};

const root = fileURLToPath(new URL('src', import.meta.url));
const layerOf = (path) => relative(root, path).split(/[\\/]/)[0] ?? '';
const problems = [];
for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const layer = layerOf(path);
  const text = await readFile(path, 'utf8');
  const isLab = layer === 'lab' || relative(root, path) === join('entries', 'lab.ts');
  if (!isLab && /from\s+'@(jupyterlab|lumino)\//.test(text))
    problems.push(`${relative(root, path)}: only the panel may import JupyterLab`);
  for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const other = layerOf(resolve(dirname(path), target));
    if (other !== layer && !(below[layer] ?? []).includes(other)) {
      problems.push(`${relative(root, path)}: ${layer} must not import ${other} (${target})`);
    }
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}

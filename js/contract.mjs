// Generates src/contract from files of the Python package: types from JSON Schemas, palettes, and words in column names.
// With --check, fails if a file is out of date.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { compile } from 'json-schema-to-typescript';

const schemaUrl = new URL('../karospace_jupyter/bundle/manifest.schema.json', import.meta.url);
const contractsUrl = new URL('../karospace_jupyter/contracts/', import.meta.url);
const palettesUrl = new URL('../karospace_jupyter/plan/palettes.json', import.meta.url);
const codesUrl = new URL('../karospace_jupyter/plan/codes.json', import.meta.url);

/** Converts a schema to the dialect of the generator. Drops titles of properties: each would become a type. */
function plain(node, isType) {
  if (Array.isArray(node)) return node.map((item) => plain(item, false));
  if (typeof node !== 'object' || node === null) return node;
  const { prefixItems, title, properties, $defs, ...rest } = node;
  const out = {};
  for (const [key, value] of Object.entries(rest)) out[key] = plain(value, false);
  if (isType && title) out.title = title;
  if (prefixItems) out.items = prefixItems.map((item) => plain(item, false));
  if ($defs) {
    out.$defs = Object.fromEntries(Object.entries($defs).map(([name, value]) => [name, plain(value, true)]));
  }
  if (properties) {
    out.properties = Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, plain(value, false)]),
    );
    // The tag of a union is always written: its default is only a convenience in Python.
    const tags = Object.keys(properties).filter((name) => 'const' in properties[name]);
    out.required = [...new Set([...(node.required ?? []), ...tags])];
  }
  return out;
}

/** Generates the types of a schema; its title becomes the name of the main type. */
const typesOf = (schema, from) =>
  compile(plain(schema, true), schema.title, {
    additionalProperties: false,
    bannerComment: `// Generated from karospace_jupyter/${from} by \`npm run contract\`. Do not edit.`,
    style: { singleQuote: true, printWidth: 110 },
  });

const schema = JSON.parse(await readFile(schemaUrl, 'utf8'));
const types = await typesOf({ ...schema, title: 'Manifest' }, 'bundle/manifest.schema.json');

const ENDING = '.schema.json';
const contracts = [];
for (const name of (await readdir(contractsUrl)).filter((file) => file.endsWith(ENDING)).sort()) {
  const contract = JSON.parse(await readFile(new URL(name, contractsUrl), 'utf8'));
  contracts.push([`${name.slice(0, -ENDING.length)}.ts`, await typesOf(contract, `contracts/${name}`)]);
}

const NOT_CHECKED = new Set([
  ...['title', 'description', 'default', '$schema', '$id'],
  // A later version may add names and kinds.
  ...['const', 'enum', 'maxLength', 'additionalProperties'],
]);

/** Returns the parts of a schema that the viewer checks. */
function shape(node) {
  if (Array.isArray(node)) return node.map(shape);
  if (typeof node !== 'object' || node === null) return node;
  const { properties, $defs, ...all } = node;
  const rest = Object.entries(all).filter(([key]) => !NOT_CHECKED.has(key));
  const out = Object.fromEntries(rest.map(([key, value]) => [key, shape(value)]));
  for (const [key, named] of Object.entries({ properties, $defs }))
    if (named)
      out[key] = Object.fromEntries(Object.entries(named).map(([name, value]) => [name, shape(value)]));
  return out;
}
const shapes = `// Generated from karospace_jupyter/bundle/manifest.schema.json by \`npm run contract\`. Do not edit.

// biome-ignore format: generated
export const MANIFEST_SHAPE = ${JSON.stringify(shape(schema))};
`;

const lists = Object.entries(JSON.parse(await readFile(palettesUrl, 'utf8'))).map(
  ([name, colors]) => `  ${name}: '${colors.map((color) => color.slice(1)).join(' ')}',\n`,
);
const palettes = `// Generated from karospace_jupyter/plan/palettes.json by \`npm run contract\`. Do not edit.

/** Colors of categories, \`rrggbb\`: each as different as possible from those before it. */
export const PALETTES = {
${lists.join('')}} as const;
`;

const words = Object.entries(JSON.parse(await readFile(codesUrl, 'utf8'))).map(
  ([name, text]) => `  ${name}:${text.length > 90 ? '\n   ' : ''} '${text}',\n`,
);
const codes = `// Generated from karospace_jupyter/plan/codes.json by \`npm run contract\`. Do not edit.

/** Words in column names: for codes, for measures (anywhere, or as the first word), and for axes. */
export const WORDS = {
${words.join('')}} as const;
`;

for (const [file, text] of [
  ['manifest.ts', types],
  ['manifest-shape.ts', shapes],
  ...contracts,
  ['palettes.ts', palettes],
  ['codes.ts', codes],
]) {
  const target = new URL(`src/contract/${file}`, import.meta.url);
  if (!process.argv.includes('--check')) await writeFile(target, text);
  else if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
    console.error(`src/contract/${file} is out of date: run \`npm run contract\` and commit it.`);
    process.exitCode = 1;
  }
}

// Generates src/contract from files of the Python package: types from JSON Schemas, palettes, and words in column names.
// With --check, fails if a file is out of date.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { compile } from 'json-schema-to-typescript';

const schemaUrl = new URL('../karospace_jupyter/bundle/manifest.schema.json', import.meta.url);
const contractsUrl = new URL('../karospace_jupyter/contracts/', import.meta.url);
const palettesUrl = new URL('../karospace_jupyter/plan/palettes.json', import.meta.url);
const limitsUrl = new URL('../karospace_jupyter/bundle/limits.json', import.meta.url);
const codesUrl = new URL('../karospace_jupyter/plan/codes.json', import.meta.url);

/** Converts a schema to the dialect of the generator. Drops titles of properties: each would become a type. */
function plain(node, isType) {
  if (Array.isArray(node)) return node.map((item) => plain(item, false));
  if (typeof node !== 'object' || node === null) return node;
  const { prefixItems, title, properties, $defs, ...all } = node;
  // Lengths of lists would become unions of tuples, to which no computed list can be assigned.
  const { minItems, maxItems, ...rest } = all;
  const out = prefixItems ? { minItems, maxItems } : {};
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

const NOT_CHECKED = new Set(['title', 'description', 'default', '$schema', '$id']);
// A later version may add names and kinds to the manifest, and allow longer names.
const OPEN = new Set([...NOT_CHECKED, 'const', 'enum', 'additionalProperties', 'maxLength']);

/** The schema as the viewer checks it, without the keywords in `left`. */
function shape(node, left) {
  if (Array.isArray(node)) return node.map((item) => shape(item, left));
  if (typeof node !== 'object' || node === null) return node;
  const { properties, $defs, ...all } = node;
  // The discriminator of alternatives names the same shapes.
  const without = (key) => left.has(key) || (key === 'oneOf' && all.discriminator);
  const rest = Object.entries(all).filter(([key, value]) => !without(key) && value !== false);
  const out = Object.fromEntries(rest.map(([key, value]) => [key, shape(value, left)]));
  for (const [key, held] of Object.entries({ properties, $defs }))
    if (held)
      out[key] = Object.fromEntries(Object.entries(held).map(([name, value]) => [name, shape(value, left)]));
  return out;
}
const shapes = `// Generated from karospace_jupyter/bundle/manifest.schema.json by \`npm run contract\`. Do not edit.

// biome-ignore format: as it is generated
export const MANIFEST_SHAPE = ${JSON.stringify(shape(schema, OPEN))};
`;

const constant = (name, value, comment = '') =>
  `\n${comment}// biome-ignore format: as it is generated\nexport const ${name} = ${JSON.stringify(value)} as const;\n`;
const { $defs: savedParts, ...saved } = JSON.parse(
  await readFile(new URL('view.schema.json', contractsUrl), 'utf8'),
);
const { ViewState: state, SavedRegion, ...parts } = savedParts;
const outer = {
  ...saved,
  properties: { ...saved.properties, state: { type: 'object' } },
  $defs: { SavedRegion },
};
const defaults = Object.entries(state.properties).map(([name, { default: value }]) => [name, value]);
const viewShapes = [
  '// Generated from karospace_jupyter/contracts/view.schema.json by `npm run contract`. Do not edit.\n',
  constant('VIEW_SHAPE', shape({ ...state, $defs: parts }, NOT_CHECKED)),
  constant('VIEW_DEFAULTS', Object.fromEntries(defaults)),
  constant(
    'SAVED_VIEW_SHAPE',
    shape(outer, NOT_CHECKED),
    '/** Without the fields of the state: invalid ones are ignored when it is applied. */\n',
  ),
].join('');

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

const limited = {
  ...JSON.parse(await readFile(limitsUrl, 'utf8')),
  dataset_name: schema.properties.dataset_name.maxLength,
};
const limits = `// Generated from karospace_jupyter/bundle/limits.json and manifest.schema.json by \`npm run contract\`. Do not edit.

/** Maximum bytes of files whose size no manifest states, and maximum characters of the dataset name. */
export const LIMITS = {
${Object.entries(limited)
  .map(([name, value]) => `  ${name}: ${value},\n`)
  .join('')}} as const;
`;

for (const [file, text] of [
  ['manifest.ts', types],
  ['manifest-shape.ts', shapes],
  ['view-shape.ts', viewShapes],
  ...contracts,
  ['palettes.ts', palettes],
  ['codes.ts', codes],
  ['limits.ts', limits],
]) {
  const target = new URL(`src/contract/${file}`, import.meta.url);
  if (!process.argv.includes('--check')) await writeFile(target, text);
  else if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
    console.error(`src/contract/${file} is out of date: run \`npm run contract\` and commit it.`);
    process.exitCode = 1;
  }
}

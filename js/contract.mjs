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

/** By name of each generated definition: the file with its type, and its text, for comparison. */
const known = new Map();

/** Returns the definition `name` as text, together with the definitions that it refers to. */
function whole(name, defs, seen = new Set()) {
  if (seen.has(name)) return '';
  seen.add(name);
  const text = JSON.stringify(defs[name]);
  const names = [...text.matchAll(/"#\/\$defs\/(\w+)"/g)].map((match) => match[1]);
  return [text, ...names.map((each) => whole(each, defs, seen))].join();
}

/** Replaces references to definitions with names of imported types. */
function imported(node, names) {
  if (Array.isArray(node)) return node.map((item) => imported(item, names));
  if (typeof node !== 'object' || node === null) return node;
  const name = node.$ref?.split('/').at(-1);
  if (names.includes(name)) return { ...node, $ref: undefined, tsType: name };
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, imported(value, names)]));
}

/** Generates the types of a schema; its title becomes the name of the main type. Imports types that another schema already generated. */
function typesOf(schema, from, file) {
  const { $defs: defs = {}, ...main } = schema;
  const shared = new Map();
  for (const name of Object.keys(defs).filter((each) => defs[each].properties)) {
    const text = whole(name, defs);
    const before = known.get(name);
    if (before?.text === text) shared.set(name, before.file);
    else if (!before) known.set(name, { file, text });
  }
  const own = Object.fromEntries(Object.entries(defs).filter(([name]) => !shared.has(name)));
  const local = imported({ ...main, $defs: own }, [...shared.keys()]);
  const used = JSON.stringify(local);
  const files = [...new Set(shared.values())].sort();
  const imports = files.flatMap((each) => {
    const from = [...shared.keys()].filter((name) => shared.get(name) === each);
    const names = from.filter((name) => used.includes(`"tsType":"${name}"`)).sort();
    return names.length ? [`import type { ${names.join(', ')} } from './${each}';\n`] : [];
  });
  return compile(plain(local, true), schema.title, {
    additionalProperties: false,
    bannerComment: `// Generated from karospace_jupyter/${from} by \`npm run contract\`. Do not edit.\n${imports.join('')}`,
    style: { singleQuote: true, printWidth: 110, bracketSpacing: true },
  });
}

const schema = JSON.parse(await readFile(schemaUrl, 'utf8'));
const types = await typesOf({ ...schema, title: 'Manifest' }, 'bundle/manifest.schema.json', 'manifest');

const ENDING = '.schema.json';
const contracts = [];
const names = (await readdir(contractsUrl)).filter((file) => file.endsWith(ENDING)).sort();
// The view first: messages contain its state.
for (const name of names.sort(
  (a, b) => Number(b === 'view.schema.json') - Number(a === 'view.schema.json'),
)) {
  const contract = JSON.parse(await readFile(new URL(name, contractsUrl), 'utf8'));
  const base = name.slice(0, -ENDING.length);
  contracts.push([`${base}.ts`, await typesOf(contract, `contracts/${name}`, base)]);
}

const NOT_CHECKED = new Set(['title', 'description', 'default', '$schema', '$id']);
// A later version may add names and kinds to the manifest, and allow longer names.
const OPEN = new Set([...NOT_CHECKED, 'const', 'enum', 'additionalProperties', 'maxLength']);

/** Returns the schema as the viewer checks it, without the keywords in `omitted`. */
function shape(node, omitted) {
  if (Array.isArray(node)) return node.map((item) => shape(item, omitted));
  if (typeof node !== 'object' || node === null) return node;
  const { properties, $defs, ...all } = node;
  // Drop `oneOf` next to a discriminator, whose mapping lists the same shapes.
  const rest = Object.entries(all).filter(
    ([key, value]) => !omitted.has(key) && value !== false && !(key === 'oneOf' && node.discriminator),
  );
  const out = Object.fromEntries(rest.map(([key, value]) => [key, shape(value, omitted)]));
  for (const [key, held] of Object.entries({ properties, $defs }))
    if (held)
      out[key] = Object.fromEntries(
        Object.entries(held).map(([name, value]) => [name, shape(value, omitted)]),
      );
  return out;
}
/** Fields that the viewer does not check: it can show the tissue even if one of them is invalid. */
const LENIENT = new Set([
  ...[
    'image',
    'view',
    'embed_origins',
    'warnings',
    'generator',
    'created_at',
    'max_asset_bytes',
    'packed',
    'other_matrices',
  ],
  ...['dataset_name', 'coordinate_source', 'preview_path', 'n_genes_exported'],
]);
const withoutLenient = ({ properties, required, $defs, ...rest }) => {
  const checked = Object.fromEntries(Object.entries(properties).filter(([name]) => !LENIENT.has(name)));
  // Leave out definitions that no checked field refers to.
  const used = whole('checked', { ...$defs, checked });
  return {
    ...rest,
    properties: checked,
    $defs: Object.fromEntries(Object.entries($defs).filter(([, one]) => used.includes(JSON.stringify(one)))),
    required: required.filter((name) => !LENIENT.has(name)),
  };
};

const shapes = `// Generated from karospace_jupyter/bundle/manifest.schema.json by \`npm run contract\`. Do not edit.

// biome-ignore format: generated
export const MANIFEST_SHAPE = ${JSON.stringify(shape(withoutLenient(schema), OPEN))};
`;

const constant = (name, value, comment = '') =>
  `\n${comment}// biome-ignore format: generated\nexport const ${name} = ${JSON.stringify(value)} as const;\n`;
const { $defs: savedParts, ...saved } = JSON.parse(
  await readFile(new URL('view.schema.json', contractsUrl), 'utf8'),
);
const { ViewState: state, SavedRegion, LinkedGeneSet, ...parts } = savedParts;
const outer = {
  ...saved,
  properties: { ...saved.properties, state: { type: 'object' } },
  $defs: { SavedRegion, LinkedGeneSet },
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

const indexShape = [
  '// Generated from karospace_jupyter/contracts/bundle-index.schema.json by `npm run contract`. Do not edit.\n',
  constant(
    'INDEX_SHAPE',
    shape(JSON.parse(await readFile(new URL('bundle-index.schema.json', contractsUrl), 'utf8')), OPEN),
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
  ['bundle-index-shape.ts', indexShape],
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

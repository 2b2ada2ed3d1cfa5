// Collects the licenses of bundled packages: anyone who redistributes the bundle must include them.
import { readdir, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const MAY_BE_BUNDLED = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0']);
// Folder of a package; for nested packages, the innermost.
const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;

/** Returns the folders of the packages whose files are in a build, according to esbuild's metafile. */
export const packagesIn = (metafile) =>
  Object.keys(metafile.inputs).flatMap((input) => PACKAGE.exec(input)?.[0] ?? []);

/** Returns the name, version and license text of each package. Throws if a license does not allow bundling. */
export async function noticesOf(folders) {
  const notices = await Promise.all([...new Set(folders)].sort().map(notice));
  return `This file contains third-party software.\n\n${notices.join('\n\n')}`;
}

async function notice(folder) {
  const place = pathToFileURL(`${folder}/`);
  const { name, version, license } = JSON.parse(await readFile(new URL('package.json', place), 'utf8'));
  if (!MAY_BE_BUNDLED.has(license))
    throw new Error(`${name} ${version} has the license ${license}, which is not in MAY_BE_BUNDLED.`);
  const file = (await readdir(place)).find((one) => /^(licen[cs]e|copying)(\.|$)/i.test(one));
  if (!file) throw new Error(`${name} ${version} (${license}) has no license file.`);
  return `${name} ${version} (${license})\n\n${(await readFile(new URL(file, place), 'utf8')).trim()}\n`;
}

/** Returns the text as an HTML comment; splits double dashes, which could end it. */
export const asComment = (text) => `<!--\n${text.replaceAll('--', '- -')}-->\n`;

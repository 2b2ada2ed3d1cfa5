// The licenses of what is bundled: whoever passes it on has to pass them on, too.
import { readdir, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const MAY_BE_BUNDLED = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0']);
// Of packages inside packages, the innermost.
const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;

/** The folders of the packages that a build took files of, by esbuild's account of it. */
export const packagesIn = (metafile) =>
  Object.keys(metafile.inputs).flatMap((input) => PACKAGE.exec(input)?.[0] ?? []);

/** Name, version and license text of each package; fails where one may not be passed on. */
export async function noticesOf(folders) {
  const notices = await Promise.all([...new Set(folders)].sort().map(notice));
  return `This file holds parts of other programs.\n\n${notices.join('\n\n')}`;
}

async function notice(folder) {
  const place = pathToFileURL(`${folder}/`);
  const { name, version, license } = JSON.parse(await readFile(new URL('package.json', place), 'utf8'));
  if (!MAY_BE_BUNDLED.has(license))
    throw new Error(`${name} ${version} is under ${license}: it may not be bundled.`);
  const file = (await readdir(place)).find((one) => /^(licen[cs]e|copying)(\.|$)/i.test(one));
  if (!file) throw new Error(`${name} ${version} (${license}) comes without the text of its license.`);
  return `${name} ${version} (${license})\n\n${(await readFile(new URL(file, place), 'utf8')).trim()}\n`;
}

/** As a comment of HTML, which two dashes would end. */
export const asComment = (text) => `<!--\n${text.replaceAll('--', '- -')}-->\n`;

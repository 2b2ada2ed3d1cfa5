import type { BundleIndex } from '../contract/bundle-index';
import { INDEX_SHAPE } from '../contract/bundle-index-shape';
import { fromBase64 } from '../lib/bytes';
import { FormatError, HttpError, NotFoundError, UnreachableError } from '../lib/errors';
import { isInside } from '../lib/path';
import { differs } from '../lib/shape';

const LIST = 'bundles.js';
const NAME = 'bundles.json';
/** The list is a script, so that a page opened from disk can read it; over HTTP, it is read as text. */
const SCRIPT = /^karospaceFile\("bundles\.json","([A-Za-z0-9+/=]*)"\)\s*$/;

/** Reads the list of the bundles in a folder, given its URL, which ends with `/`. */
export async function readIndex(folder: string): Promise<BundleIndex> {
  const url = new URL(LIST, folder).href;
  const base64 = url.startsWith('file:') ? await run(url) : encoded(await text(url));
  return parsed(base64);
}

async function text(url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { cache: 'no-cache' });
  } catch (cause) {
    throw new UnreachableError(LIST, url, cause);
  }
  if (response.status === 404) throw new NotFoundError(LIST, { url });
  if (!response.ok) throw new HttpError(LIST, url, response.status);
  return response.text();
}

/** Returns the data in the text of the script. */
export function encoded(script: string): string {
  const found = SCRIPT.exec(script)?.[1];
  if (found === undefined) throw new FormatError(LIST, 'it is not a list of bundles');
  return found;
}

function run(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const scope = window as unknown as {
      karospaceFile?: ((name: string, base64: string) => void) | undefined;
    };
    const before = scope.karospaceFile;
    let handed: string | undefined;
    scope.karospaceFile = (name, base64) => {
      if (name === NAME) handed = base64;
      // The viewer may be reading other scripts at the same time.
      else before?.(name, base64);
    };
    const script = document.createElement('script');
    const done = () => {
      script.remove();
      scope.karospaceFile = before;
      if (handed === undefined) reject(new NotFoundError(LIST));
      else resolve(handed);
    };
    script.onload = done;
    script.onerror = done;
    script.src = url;
    document.head.append(script);
  });
}

/** Decodes and checks a list. */
export function parsed(base64: string): BundleIndex {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(fromBase64(base64)));
  } catch (cause) {
    throw new FormatError(LIST, 'it is not JSON', cause);
  }
  const problem = differs(value, INDEX_SHAPE);
  if (problem) throw new FormatError(LIST, problem);
  const index = value as BundleIndex;
  for (const { path, preview } of index.bundles)
    for (const one of [path, preview ?? path])
      if (!isInside(one)) throw new FormatError(LIST, `“${one}” is outside the folder`);
  return index;
}

/** Returns the URL of a file, given a relative path whose segments may contain any character. */
export function urlOf(folder: string, ...paths: readonly string[]): string {
  const segments = paths.flatMap((path) => path.split('/'));
  // Concatenated: a path that starts with slashes must not name a host.
  return new URL(folder + segments.map(encodeURIComponent).join('/')).href;
}

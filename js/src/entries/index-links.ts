import type { IndexLinks } from '../panels/index-nav';
import { readIndex, urlOf } from '../source/bundle-index';

/** Maximum number of folders between an index and its bundles. */
const DEEPEST = 8;

/**
 * Reads the index from which the page was opened; null if there is none. `?index=2` means two folders up. It is a number
 * rather than a URL, so that no link can lead to another site.
 */
export async function indexLinks(): Promise<IndexLinks | null> {
  const depth = Number(new URLSearchParams(location.search).get('index') ?? 0);
  if (!Number.isInteger(depth) || depth < 1 || depth > DEEPEST) return null;
  const own = new URL('.', location.href);
  const folder = new URL('../'.repeat(depth), own).href;
  const { title, bundles } = await readIndex(folder);
  const links = bundles.map(({ path, title }) => ({
    title,
    href: `${urlOf(folder, path, 'index.html')}?index=${path.split('/').length}`,
  }));
  // Decoded: hosts and links encode different characters.
  const placeOf = (href: string) => decodeURIComponent(new URL('.', href).pathname);
  const current = links.find(({ href }) => placeOf(href) === placeOf(own.href));
  // If the bundle is not in the list, the index belongs to something else.
  return current ? { title, href: `${folder}index.html`, bundles: links, current: current.href } : null;
}

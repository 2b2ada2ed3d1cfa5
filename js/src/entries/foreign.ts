import { ForeignError } from '../lib/errors';
import type { BundleSource } from '../source/bundle-source';
import { httpSource } from '../source/http-source';

/** Lists the origins from which this page may read bundles. Only pages that are published with such origins have it. */
const NAMED = 'karospace-data-origins';

/**
 * The bundle that the address names by `?data=URL`, if any. A page with named origins also opens bundles of its own. The
 * policy of the page refuses other origins, too; the check only explains it.
 */
export function foreignSource(): BundleSource | null {
  const given = new URLSearchParams(location.search).get('data');
  if (given === null) return null;
  const named = document.querySelector<HTMLMetaElement>(`meta[name="${NAMED}"]`)?.content.split(' ') ?? [];
  const url = given && URL.canParse(given, location.href) ? new URL(given, location.href) : null;
  if (!url || !/^https?:$/.test(url.protocol)) {
    return refused(given || 'an empty address', 'Use the https:// address of the folder of a bundle.');
  }
  if (!named.includes(url.origin) && !(named.length > 0 && url.origin === location.origin)) {
    return refused(
      url.origin,
      named.length > 0
        ? `It opens bundles from ${named.join(', ')}. The owner of this page can name other origins.`
        : 'Open the bundle at its own address.',
    );
  }
  url.pathname = url.pathname.replace(/(index\.html|manifest\.json)$/, '').replace(/\/*$/, '/');
  return httpSource(url.origin + url.pathname);
}

function refused(address: string, advice: string): BundleSource {
  return { read: () => Promise.reject(new ForeignError(address, advice)), dispose() {} };
}

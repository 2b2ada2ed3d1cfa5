import { ForeignError } from '../lib/errors';
import type { BundleSource } from '../source/bundle-source';
import { httpSource } from '../source/http-source';

/** Name of the meta element that lists the origins from which this page may read bundles; absent if there are none. */
const NAMED = 'karospace-data-origins';

/**
 * Returns the bundle that `?data=URL` in the address names, or null. A page that lists origins also opens bundles
 * from its own origin. The security policy of the page already blocks all others; the check only explains why.
 */
export function foreignSource(): BundleSource | null {
  const given = new URLSearchParams(location.search).get('data');
  if (given === null) return null;
  const named = document.querySelector<HTMLMetaElement>(`meta[name="${NAMED}"]`)?.content.split(' ') ?? [];
  const url = given && URL.canParse(given, location.href) ? new URL(given, location.href) : null;
  if (!url || !/^https?:$/.test(url.protocol)) {
    return refused(given || 'an empty address', 'Use the https:// URL of the folder of a bundle.');
  }
  if (!named.includes(url.origin) && !(named.length > 0 && url.origin === location.origin)) {
    return refused(
      url.origin,
      named.length > 0
        ? `It opens bundles from ${named.join(', ')}. The owner of this page can allow other origins.`
        : 'Open the bundle at its own address.',
    );
  }
  url.pathname = url.pathname.replace(/(index\.html|manifest\.json)$/, '').replace(/\/*$/, '/');
  return httpSource(url.origin + url.pathname);
}

function refused(address: string, advice: string): BundleSource {
  return { read: () => Promise.reject(new ForeignError(address, advice)), dispose() {} };
}

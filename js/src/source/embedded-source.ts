import { fromBase64 } from '../lib/bytes';
import { NotFoundError } from '../lib/errors';
import { type BundleSource, checkLength } from './bundle-source';

const ATTRIBUTE = 'data-karospace-path';

/**
 * Reads files embedded in the page as `<script type="text/plain" data-karospace-path="assets/…">base64</script>`.
 * Returns null if no manifest is embedded.
 */
export function embeddedSource(document: Document): BundleSource | null {
  const elements = new Map<string, Element>();
  for (const element of document.querySelectorAll(`script[${ATTRIBUTE}]`)) {
    elements.set(element.getAttribute(ATTRIBUTE) ?? '', element);
  }
  if (!elements.has('manifest.json')) return null;
  return {
    async read(path, ctx) {
      ctx.signal.throwIfAborted();
      const element = elements.get(path);
      if (!element) throw new NotFoundError(path);
      const text = (element.textContent ?? '').trim();
      checkLength(path, Math.floor(text.length / 4) * 3 - 2, ctx);
      const bytes = fromBase64(text);
      ctx.progress?.(bytes.byteLength, bytes.byteLength);
      return bytes;
    },
    dispose() {
      elements.clear();
    },
  };
}

import { joined } from '../lib/bytes';
import { FormatError, HttpError, NotFoundError, UnreachableError } from '../lib/errors';
import { type BundleSource, checkLength, type ReadContext } from './bundle-source';

/** Reads files over HTTP, relative to `base` (a URL that ends with `/`). */
export function httpSource(base: string): BundleSource {
  const closed = new AbortController();
  return {
    ahead: !(globalThis.navigator as { connection?: { saveData?: boolean } } | undefined)?.connection
      ?.saveData,
    async read(path, ctx) {
      const url = new URL(path.split('/').map(encodeURIComponent).join('/'), base).href;
      const signal = AbortSignal.any([ctx.signal, closed.signal]);
      signal.throwIfAborted();
      const response = await responseOf(path, url, signal);
      if (response.status === 404 || response.status === 410) {
        throw new NotFoundError(path, { url, status: response.status });
      }
      if (!response.ok) throw new HttpError(path, url, response.status);
      try {
        return await bytesOf(path, response, ctx);
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        if (cause instanceof FormatError) throw cause;
        throw new UnreachableError(path, url, cause);
      }
    },
    dispose() {
      closed.abort(new DOMException('The source was closed.', 'AbortError'));
    },
  };
}

async function responseOf(path: string, url: string, signal: AbortSignal): Promise<Response> {
  try {
    // Asset names repeat between exports, so revalidate cached copies.
    return await fetch(url, { signal, cache: 'no-cache' });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new UnreachableError(path, url, cause);
  }
}

async function bytesOf(path: string, response: Response, ctx: ReadContext): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array(await response.arrayBuffer());
  // With Content-Encoding, the length counts the compressed bytes, which the page never sees.
  const total = response.headers.get('content-encoding') ? 0 : Number(response.headers.get('content-length'));
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let received = 0;
  for (;;) {
    const part = await reader.read();
    if (part.done) break;
    parts.push(part.value);
    received += part.value.byteLength;
    if (ctx.most !== undefined && received > ctx.most) await reader.cancel();
    checkLength(path, received, ctx);
    ctx.progress?.(received, Math.max(total, 0));
  }
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only) return only;
  return joined(parts);
}

import { NotFoundError } from '../lib/errors';
import { type BundleSource, checkLength } from './bundle-source';

/** Reads files from memory. */
export function memorySource(files: ReadonlyMap<string, Uint8Array>): BundleSource {
  return {
    async read(path, ctx) {
      ctx.signal.throwIfAborted();
      const bytes = files.get(path);
      if (!bytes) throw new NotFoundError(path);
      checkLength(path, bytes.byteLength, ctx);
      ctx.progress?.(bytes.byteLength, bytes.byteLength);
      return bytes;
    },
    dispose() {},
  };
}

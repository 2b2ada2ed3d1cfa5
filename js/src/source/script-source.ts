import type { AssetFile, Manifest, ScriptShard } from '../contract/manifest';
import { fromBase64, joined } from '../lib/bytes';
import { NotFoundError } from '../lib/errors';
import { isInside } from '../lib/path';
import { keepRecent } from '../lib/recent';
import { type BundleSource, checkLength } from './bundle-source';

const MANIFEST = 'manifest.json';
/** Number of decoded shards to cache: neighboring genes are often read next. */
const KEPT = 3;

/** Runs the script at `path` and resolves with the data it passes to the page; rejects if there is no such script. */
export type RunScript = (path: string) => Promise<{ name: string; base64: string }>;

/** Returns the files and shards of a manifest. An invalid manifest is reported later, when the bundle is opened. */
function indexOf(stored: Uint8Array): { asset_files: AssetFile[]; scripts: ScriptShard[] } {
  try {
    const { asset_files, scripts } = JSON.parse(new TextDecoder().decode(stored)) as Manifest;
    return { asset_files: asset_files ?? [], scripts: scripts ?? [] };
  } catch {
    return { asset_files: [], scripts: [] };
  }
}

/**
 * Reads a bundle that was also written as scripts: a page opened from disk may run local scripts but not read local
 * files. Returns null if the bundle has no scripts.
 */
export async function scriptSource(run: RunScript): Promise<BundleSource | null> {
  let text: string;
  try {
    text = (await run('manifest.js')).base64;
  } catch {
    return null;
  }
  const stored = fromBase64(text);
  const { asset_files: files, scripts: shards } = indexOf(stored);
  const places = new Map<string, { start: number; end: number }>();
  let at = 0;
  for (const { kind, path, size_bytes: size } of files) {
    if (kind === 'script') continue;
    places.set(path, { start: at, end: at + size });
    at += size;
  }
  const kept = new Map<string, Promise<Uint8Array>>();
  const bytesOf = (path: string) => {
    const bytes = kept.get(path) ?? run(path).then(({ base64 }) => fromBase64(base64));
    keepRecent(kept, path, bytes, KEPT);
    bytes.catch(() => kept.delete(path));
    return bytes;
  };

  return {
    async read(path, ctx) {
      ctx.signal.throwIfAborted();
      if (path === MANIFEST) return stored;
      const place = places.get(path);
      if (!place) throw new NotFoundError(path);
      checkLength(path, place.end - place.start, ctx);
      const parts: Uint8Array[] = [];
      let done = 0;
      for (const { path: script, start, end } of shards) {
        if (end <= place.start || start >= place.end) continue;
        const bytes = await bytesOf(script);
        ctx.signal.throwIfAborted();
        const part = bytes.subarray(Math.max(0, place.start - start), Math.min(end, place.end) - start);
        parts.push(part);
        done += part.byteLength;
        ctx.progress?.(done, place.end - place.start);
      }
      if (done !== place.end - place.start) throw new NotFoundError(path);
      // Copy: a shard contains several files and stays in the cache.
      return joined(parts);
    },
    dispose() {
      kept.clear();
    },
  };
}

/** Runs scripts in the folder of the page. Each passes its data by calling `karospaceFile(name, base64)`. */
export function scriptRunner(document: Document): RunScript {
  const handed = new Map<string, string>();
  const scope = window as unknown as { karospaceFile?: (name: string, base64: string) => void };
  scope.karospaceFile = (name, base64) => handed.set(name, base64);
  return (path) =>
    new Promise((resolve, reject) => {
      if (!isInside(path)) return reject(new NotFoundError(path));
      const script = document.createElement('script');
      script.onload = () => {
        // Do not keep the element: its base64 text is a third larger than the data.
        script.remove();
        const name = path === 'manifest.js' ? MANIFEST : path;
        const base64 = handed.get(name);
        handed.delete(name);
        if (base64 === undefined) reject(new NotFoundError(path));
        else resolve({ name, base64 });
      };
      script.onerror = () => {
        script.remove();
        reject(new NotFoundError(path));
      };
      script.src = path.split('/').map(encodeURIComponent).join('/');
      document.head.append(script);
    });
}

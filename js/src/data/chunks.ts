import type { AssetFile, Chunk, Manifest } from '../contract/manifest';
import { FormatError } from '../lib/errors';
import type { BundleSource, ReadContext } from '../source/bundle-source';
import { readAsset } from './asset';

/** Reads the files of one bundle, checked against sizes and checksums in the manifest. */
export interface AssetReader {
  readonly files: ReadonlyMap<string, AssetFile>;
  read(path: string, raw: number | undefined, ctx: ReadContext): Promise<Uint8Array>;
  /** Runs these reads one after the other while no other read is active; replaces reads that are still waiting. */
  readAhead?(reads: readonly ((ctx: ReadContext) => Promise<unknown>)[]): void;
}

export function assetReader(source: BundleSource, manifest: Manifest): AssetReader {
  const files = new Map(manifest.asset_files.map((file) => [file.path, file]));
  return {
    files,
    read(path, raw, ctx) {
      const file = files.get(path);
      return readAsset(
        source,
        path,
        {
          stored: file?.size_bytes,
          raw: raw ?? file?.raw_bytes ?? undefined,
          sha256: file?.sha256 ?? undefined,
          rawCrc32: file?.raw_crc32 ?? undefined,
        },
        ctx,
      );
    },
  };
}

/** Returns chunks in order. Throws unless they cover all `cells` without gap or overlap. */
export function orderedChunks(chunks: readonly Chunk[], cells: number, what: string): Chunk[] {
  const sorted = [...chunks].sort((a, b) => a.start - b.start);
  let at = 0;
  for (const chunk of sorted) {
    if (chunk.start !== at || chunk.end < chunk.start) {
      throw new FormatError(
        'manifest.json',
        `the files of ${what} do not cover all cells: gap or overlap at cell ${at}`,
      );
    }
    at = chunk.end;
  }
  if (at !== cells) {
    throw new FormatError('manifest.json', `the files of ${what} contain ${at} of ${cells} cells`);
  }
  return sorted;
}

/** Reads chunks with `bytesPerCell` into one array and reports progress over all of them. */
export async function readChunks(
  reader: AssetReader,
  chunks: readonly Chunk[],
  cells: number,
  bytesPerCell: number,
  what: string,
  ctx: ReadContext,
): Promise<Uint8Array> {
  const ordered = orderedChunks(chunks, cells, what);
  const total = ordered.reduce((sum, chunk) => sum + chunk.size_bytes, 0);
  const done = new Map<string, number>();
  const parts = await Promise.all(
    ordered.map((chunk) =>
      reader.read(chunk.path, (chunk.end - chunk.start) * bytesPerCell, {
        ...ctx,
        progress: (bytes) => {
          done.set(chunk.path, Math.min(bytes, chunk.size_bytes));
          let sum = 0;
          for (const part of done.values()) sum += part;
          ctx.progress?.(sum, total);
        },
      }),
    ),
  );
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only) return only;
  const bytes = new Uint8Array(cells * bytesPerCell);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** Wraps `later` so that a failed deferred check also removes the file from its cache (`forget`). */
export function forgetting(later: ReadContext['later'], forget: () => void): ReadContext['later'] {
  return (
    later &&
    ((check) =>
      later(async () => {
        try {
          await check();
        } catch (error) {
          forget();
          throw error;
        }
      }))
  );
}

/** Views bytes as little-endian float32; copies only if they are not aligned. */
export function asFloat32(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}

export function asFloat64(bytes: Uint8Array): Float64Array {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 3);
}

export function asUint32(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}

export function asUint16(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 1);
}

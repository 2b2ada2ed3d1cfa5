import { joined } from '../lib/bytes';
import { FormatError, isAbort } from '../lib/errors';
import { formatBytes } from '../lib/format';
import { isInside } from '../lib/path';
import type { BundleSource, ReadContext } from '../source/bundle-source';

export interface AssetSize {
  /** Bytes as stored, where known. */
  stored?: number | undefined;
  /** Bytes after decompression, where known. */
  raw?: number | undefined;
}

/** Reads one file and decompresses it if it is gzipped: hosts differ in whether they already did. */
export async function readAsset(
  source: BundleSource,
  path: string,
  size: AssetSize,
  ctx: ReadContext,
): Promise<Uint8Array> {
  if (!isInside(path)) throw new FormatError(path, 'the path leads out of the bundle');
  const bytes = await source.read(path, ctx);
  return decode(path, bytes, size, ctx.signal);
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

export async function decode(
  path: string,
  bytes: Uint8Array,
  { stored, raw }: AssetSize,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const length = bytes.byteLength;
  if (raw !== undefined && length === raw) {
    // Small files can be as long gzipped as raw: only then ask the bytes themselves.
    if (!isGzip(bytes) || stored !== raw) return bytes;
    try {
      const unpacked = await gunzip(path, bytes, signal);
      return unpacked.byteLength === raw ? unpacked : bytes;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      return bytes;
    }
  }
  if (isGzip(bytes)) {
    const unpacked = await gunzip(path, bytes, signal);
    if (raw !== undefined && unpacked.byteLength !== raw) {
      throw new FormatError(
        path,
        `it unpacks to ${formatBytes(unpacked.byteLength)} (${unpacked.byteLength}) where the manifest says ${raw} bytes`,
      );
    }
    return unpacked;
  }
  if (raw !== undefined) {
    throw new FormatError(path, `it has ${length} bytes where the manifest says ${raw}, and is not gzipped`);
  }
  const plainName = !path.endsWith('.gz');
  if (plainName && stored !== undefined && length !== stored) {
    throw new FormatError(path, `it has ${length} bytes where the manifest says ${stored}`);
  }
  return bytes;
}

/** The stream is read by hand: `new Response(stream)` reports corrupt gzip as a failed fetch. */
async function gunzip(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const stream = new DecompressionStream('gzip');
  const writer = stream.writable.getWriter();
  // Failures surface at the reader; unhandled here, they would be reported a second time.
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  const parts: Uint8Array[] = [];
  try {
    for (;;) {
      const part = await reader.read();
      if (part.done) break;
      parts.push(part.value);
    }
  } catch (cause) {
    throw new FormatError(path, `its gzip data is corrupt or cut short (${bytes.byteLength} bytes)`, cause);
  }
  signal.throwIfAborted();
  return joined(parts);
}

import { crc32 } from '../lib/crc32';
import { FormatError, isAbort } from '../lib/errors';
import { formatBytes } from '../lib/format';
import { inflate, TooLongError } from '../lib/inflate';
import { isInside } from '../lib/path';
import { pause } from '../lib/pause';
import type { BundleSource, ReadContext } from '../source/bundle-source';

/** What the manifest promises of a file. */
export interface AssetSize {
  /** Bytes as stored, where known. */
  stored?: number | undefined;
  /** Bytes after decompression, where known. */
  raw?: number | undefined;
  /** Hex SHA-256 of the bytes as stored, where known. */
  sha256?: string | undefined;
  /** CRC-32 of the bytes after decompression, where known. */
  rawCrc32?: number | undefined;
}

/** Browsers hash about 1 MB a millisecond, in the page's own thread: larger files would hold up a frame. */
const CHECK_LATER_FROM = 2_000_000;

/** Above this, a digest would hold up a frame. */
const SLICE = 8_400_000;

/** Bytes that are read of a file whose size no manifest states. */
const LARGEST = 2 ** 31;

/** Bytes that are unpacked of a file whose length no manifest states: so many, and so many times those stored. */
const UNPACKED = 2 ** 24;
const UNPACKED_TIMES = 128;

/** Before the browser has made machine code of it, a sum of so many bytes takes some 30 ms. */
const SUM_SLICE = 1_000_000;

/** Reads one file, decompresses it if it is gzipped (hosts differ in whether they already did) and checks it. */
export async function readAsset(
  source: BundleSource,
  path: string,
  size: AssetSize,
  ctx: ReadContext,
): Promise<Uint8Array> {
  if (!isInside(path)) throw new FormatError(path, 'the path leads out of the bundle');
  // Some hosts unpack what they send.
  const most = size.stored === undefined ? LARGEST : Math.max(size.stored, size.raw ?? 0);
  const bytes = await source.read(path, { ...ctx, most: ctx.most ?? most });
  const decoded = await decode(path, bytes, size, ctx.signal);
  const check = checkOf(path, bytes, decoded, size);
  if (check && ctx.later && bytes.byteLength >= CHECK_LATER_FROM) ctx.later(check);
  else await check?.();
  ctx.signal.throwIfAborted();
  return decoded;
}

/** How a file can be told from others of its length; null where the manifest does not say. */
function checkOf(
  path: string,
  bytes: Uint8Array,
  decoded: Uint8Array,
  { stored, sha256, rawCrc32 }: AssetSize,
): (() => Promise<void>) | null {
  // Only bytes as long as the stored ones can be those; and what a host has unpacked is not what is stored.
  const asStored = bytes.byteLength === stored && !(decoded === bytes && path.endsWith('.gz'));
  // Over plain http from another machine, browsers give pages no cryptography.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (sha256 && asStored && subtle) return () => checkDigest(path, bytes, sha256, subtle);
  return rawCrc32 === undefined ? null : () => checkSum(path, decoded, rawCrc32);
}

async function checkDigest(
  path: string,
  bytes: Uint8Array,
  wanted: string,
  subtle: SubtleCrypto,
): Promise<void> {
  if (bytes.byteLength >= SLICE) await pause();
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (found === wanted.toLowerCase()) return;
  const [is, said] = [found, wanted].map((text) => `${text.slice(0, 12)}…`);
  throw anotherFile(path, `SHA-256 ${is} where the manifest says ${said}`);
}

async function checkSum(path: string, raw: Uint8Array, wanted: number): Promise<void> {
  let found = 0;
  for (let at = 0; at < raw.byteLength; at += SUM_SLICE) {
    if (at > 0) await pause();
    found = crc32(raw.subarray(at, at + SUM_SLICE), found);
  }
  if (found === wanted) return;
  const [is, said] = [found, wanted].map((sum) => sum.toString(16).padStart(8, '0'));
  throw anotherFile(path, `CRC-32 ${is} where the manifest says ${said}`);
}

const anotherFile = (path: string, how: string) =>
  new FormatError(path, `it is not the file that was exported (${how})`);

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
      const unpacked = await gunzip(path, bytes, raw, signal);
      return unpacked.byteLength === raw ? unpacked : bytes;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      return bytes;
    }
  }
  if (isGzip(bytes)) {
    if (stored !== undefined && length !== stored) {
      const how = length < stored ? 'it was cut short: it' : 'it';
      throw new FormatError(path, `${how} has ${length} bytes where the manifest says ${stored}`);
    }
    const unpacked = await gunzip(path, bytes, raw, signal);
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

async function gunzip(
  path: string,
  bytes: Uint8Array,
  raw: number | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const most = raw ?? UNPACKED + UNPACKED_TIMES * bytes.byteLength;
  try {
    return await inflate(bytes, 'gzip', most, signal);
  } catch (cause) {
    if (isAbort(cause, signal)) throw cause;
    if (cause instanceof TooLongError) {
      const who = raw === undefined ? 'are read of such a file' : 'the manifest says';
      throw new FormatError(path, `it unpacks to more than the ${most} bytes that ${who}`);
    }
    throw new FormatError(path, `its gzip data is corrupt or cut short (${bytes.byteLength} bytes)`, cause);
  }
}

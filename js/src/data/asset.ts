import { LIMITS } from '../contract/limits';
import { crc32 } from '../lib/crc32';
import { FormatError, isAbort } from '../lib/errors';
import { formatCount } from '../lib/format';
import { inflate, TooLongError } from '../lib/inflate';
import { isInside } from '../lib/path';
import { pause } from '../lib/pause';
import type { BundleSource, ReadContext } from '../source/bundle-source';

/** Sizes and checksums that the manifest states for a file. */
export interface AssetSize {
  /** Bytes as stored, if known. */
  stored?: number | undefined;
  /** Bytes after decompression, if known. */
  raw?: number | undefined;
  /** Hex SHA-256 of the bytes as stored, if known. */
  sha256?: string | undefined;
  /** CRC-32 of the bytes after decompression, if known. */
  rawCrc32?: number | undefined;
}

/** File size from which checks are deferred, in bytes. Browsers hash about 1 MB per millisecond on the main thread. */
const CHECK_LATER_FROM = 2_000_000;

/** File size from which hashing would delay a frame, in bytes: pause first. */
const PAUSE_FROM = 8_400_000;

/** Limit on decompressed bytes if the manifest does not state the length: a base plus a multiple of the stored bytes. */
const UNPACKED = 2 ** 24;
const UNPACKED_TIMES = 128;

/** Bytes per CRC slice; takes about 30 ms before the browser has compiled the loop. */
const SUM_SLICE = 1_000_000;

/** Reads one file, decompresses it if it is gzipped (some hosts already did) and checks it. */
export async function readAsset(
  source: BundleSource,
  path: string,
  size: AssetSize,
  ctx: ReadContext,
): Promise<Uint8Array> {
  if (!isInside(path)) throw new FormatError(path, 'the path points outside the bundle');
  // Some hosts decompress the files they serve.
  const most = size.stored === undefined ? LIMITS.asset : Math.max(size.stored, size.raw ?? 0);
  const bytes = await source.read(path, { ...ctx, most: ctx.most ?? most });
  const decoded = await decode(path, bytes, size, ctx.signal);
  const check = checkOf(path, bytes, decoded, size);
  if (check && ctx.later && bytes.byteLength >= CHECK_LATER_FROM) ctx.later(check);
  else await check?.();
  ctx.signal.throwIfAborted();
  return decoded;
}

/** Returns the checksum test for a file, or null if the manifest states no applicable checksum. */
function checkOf(
  path: string,
  bytes: Uint8Array,
  decoded: Uint8Array,
  { stored, sha256, rawCrc32 }: AssetSize,
): (() => Promise<void>) | null {
  // The SHA-256 applies only to the bytes as stored, not to those that a host has decompressed.
  const asStored = bytes.byteLength === stored && !(decoded === bytes && path.endsWith('.gz'));
  // Browsers provide no SubtleCrypto over plain HTTP, except on localhost.
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
  if (bytes.byteLength >= PAUSE_FROM) await pause();
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (found === wanted.toLowerCase()) return;
  const [actual, stated] = [found, wanted].map((text) => `${text.slice(0, 12)}…`);
  throw anotherFile(path, `SHA-256 is ${actual}, but the manifest states ${stated}`);
}

async function checkSum(path: string, raw: Uint8Array, wanted: number): Promise<void> {
  let found = 0;
  for (let at = 0; at < raw.byteLength; at += SUM_SLICE) {
    if (at > 0) await pause();
    found = crc32(raw.subarray(at, at + SUM_SLICE), found);
  }
  if (found === wanted) return;
  const [actual, stated] = [found, wanted].map((sum) => sum.toString(16).padStart(8, '0'));
  throw anotherFile(path, `CRC-32 is ${actual}, but the manifest states ${stated}`);
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
    // Small files can have the same length with and without gzip; only then inspect the bytes.
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
      const how = length < stored ? 'it is truncated: it has' : 'it has';
      throw new FormatError(path, `${how} ${differing(length, stored)}`);
    }
    const unpacked = await gunzip(path, bytes, raw, signal);
    if (raw !== undefined && unpacked.byteLength !== raw) {
      throw new FormatError(path, `it decompresses to ${differing(unpacked.byteLength, raw)}`);
    }
    return unpacked;
  }
  if (raw !== undefined) {
    throw new FormatError(path, `it has ${differing(length, raw)}, and it is not gzipped`);
  }
  const plainName = !path.endsWith('.gz');
  if (plainName && stored !== undefined && length !== stored) {
    throw new FormatError(path, `it has ${differing(length, stored)}`);
  }
  return bytes;
}

const bytesText = (count: number) => `${formatCount(count)} ${count === 1 ? 'byte' : 'bytes'}`;
const differing = (found: number, stated: number) =>
  `${bytesText(found)}, but the manifest states ${bytesText(stated)}`;

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
      const limit =
        raw === undefined
          ? `${bytesText(most)}, the limit for a file of its compressed size`
          : `the ${bytesText(most)} that the manifest states`;
      throw new FormatError(path, `it decompresses to more than ${limit}`);
    }
    throw new FormatError(
      path,
      `its gzip data is corrupt or truncated (${bytesText(bytes.byteLength)})`,
      cause,
    );
  }
}

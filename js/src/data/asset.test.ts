import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32, createGzip } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { FormatError } from '../lib/errors';
import { memorySource } from '../source/memory-source';
import { decode, readAsset } from './asset';
import { gzipped } from './bundle-fixture';

const { signal } = new AbortController();
const raw = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

describe('decode', () => {
  test('bytes under a .gz name that the host has decompressed are returned unchanged', async () => {
    expect(await decode('a.bin.gz', raw, { raw: 8, stored: 28 }, signal)).toEqual(raw);
  });

  test('gzip is decompressed under any name', async () => {
    expect(await decode('a.bin', await gzipped(raw), { raw: 8 }, signal)).toEqual(raw);
  });

  test('gzip of unknown decompressed length is decompressed', async () => {
    expect(await decode('a.json.gz', await gzipped(raw), {}, signal)).toEqual(raw);
  });

  test('uncompressed bytes that start like gzip are returned unchanged', async () => {
    const odd = new Uint8Array([0x1f, 0x8b, 8, 0]);
    expect(await decode('a.bin', odd, { raw: 4, stored: 4 }, signal)).toEqual(odd);
  });

  test('gzip that is as long as its content is decompressed', async () => {
    for (let length = 20; length < 60; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7919) % 251);
      const packed = await gzipped(bytes);
      const size = { raw: length, stored: packed.byteLength };
      expect(await decode('a.bin.gz', packed, size, signal)).toEqual(bytes);
    }
  });

  test('decompression in slices yields all bytes and can be aborted between slices', async () => {
    const large = new Uint8Array(30_000_000);
    for (let i = 0; i < large.length; i++) large[i] = (i * 2_654_435_761) >>> 24;
    const packed = await gzipped(large);
    const unpacked = await decode('a.bin.gz', packed, { raw: large.length }, signal);
    expect(unpacked.byteLength).toBe(large.length);
    expect(Buffer.compare(unpacked, large)).toBe(0);
    const controller = new AbortController();
    const failure = decode('a.bin.gz', packed, { raw: large.length }, controller.signal);
    controller.abort(new DOMException('Another color was chosen.', 'AbortError'));
    await expect(failure).rejects.toBe(controller.signal.reason);
  });

  test('corrupt gzip is reported with its path', async () => {
    const cut = (await gzipped(raw)).subarray(0, 14);
    const failure = decode('assets/x.gz', cut, { raw: 8 }, signal);
    await expect(failure).rejects.toBeInstanceOf(FormatError);
    await expect(failure).rejects.toThrow(/assets\/x\.gz.*corrupt/);
  });

  test('a length that does not match is rejected', async () => {
    await expect(decode('a', await gzipped(raw), { raw: 9 }, signal)).rejects.toThrow(/9 bytes/);
    await expect(decode('a', raw, { raw: 9 }, signal)).rejects.toThrow(/not gzipped/);
  });
});

describe('a file that decompresses to more than its limit', () => {
  // Compressed in parts: freeing a large input during a test would offset the memory that decompression uses.
  const parts = Array<Uint8Array>(200).fill(new Uint8Array(1_000_000));
  const bomb = buffer(Readable.from(parts).pipe(createGzip()));

  test('is rejected at the length stated in the manifest', async () => {
    const packed = await bomb;
    const before = process.memoryUsage().arrayBuffers;
    const failure = decode('genes/1.gz', packed, { raw: 12_000 }, signal);
    await expect(failure).rejects.toThrow(
      /genes\/1\.gz.*more than the 12,000 bytes that the manifest states/,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
  });

  test('is rejected at the general limit if the manifest states no length', async () => {
    const failure = decode('assets/obs.json.gz', await bomb, {}, signal);
    await expect(failure).rejects.toThrow(
      /more than [\d,]+ bytes, the limit for a file of its compressed size/,
    );
  });
});

describe('readAsset', () => {
  const digestOf = async (bytes: Uint8Array) =>
    [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
  const read = (
    path: string,
    bytes: Uint8Array,
    size: Parameters<typeof readAsset>[2],
    later?: (check: () => Promise<void>) => void,
  ) => readAsset(memorySource(new Map([[path, bytes]])), path, size, { signal, later });

  test('another file of the same length is rejected', async () => {
    const size = { stored: 8, raw: 8, sha256: await digestOf(raw) };
    expect(await read('a.bin', raw, size)).toEqual(raw);
    const failure = read('a.bin', raw.slice().reverse(), size);
    await expect(failure).rejects.toThrow(/a\.bin.*not the file that was exported/);
  });

  test('the digest is checked only for gzip as stored, not if the host has decompressed it', async () => {
    const packed = await gzipped(raw);
    const size = { stored: packed.byteLength, raw: 8, sha256: await digestOf(packed) };
    expect(await read('a.bin.gz', packed, size)).toEqual(raw);
    expect(await read('a.bin.gz', raw, size)).toEqual(raw);
    expect(await read('a.bin.gz', raw, { ...size, stored: 8 })).toEqual(raw);
    await expect(read('a.bin.gz', packed, { ...size, sha256: '00' })).rejects.toThrow(FormatError);
  });

  describe('with a CRC-32 of the content', () => {
    const sized = async () => ({ stored: (await gzipped(raw)).byteLength, raw: 8, rawCrc32: crc32(raw) });
    const reversed = raw.slice().reverse();

    test('another file that the host has decompressed is rejected', async () => {
      const size = { ...(await sized()), sha256: await digestOf(await gzipped(raw)) };
      expect(await read('a.bin.gz', raw, size)).toEqual(raw);
      await expect(read('a.bin.gz', reversed, size)).rejects.toThrow(/a\.bin\.gz.*not the file.*CRC-32/);
    });

    test('another file is rejected where SubtleCrypto is not available', async () => {
      vi.stubGlobal('crypto', {});
      try {
        const size = { ...(await sized()), sha256: '00' };
        expect(await read('a.bin.gz', await gzipped(raw), size)).toEqual(raw);
        await expect(read('a.bin.gz', await gzipped(reversed), size)).rejects.toThrow(/a\.bin\.gz/);
      } finally {
        vi.unstubAllGlobals();
      }
    });

    test('the check of a large file is deferred and runs in slices', async () => {
      const large = new Uint8Array(3_000_001).fill(7);
      const size = { stored: 9, raw: large.byteLength, rawCrc32: crc32(large) };
      const checks: (() => Promise<void>)[] = [];
      const later = (check: () => Promise<void>) => checks.push(check);
      expect(await read('a.bin.gz', large, size, later)).toBe(large);
      await checks[0]?.();
      expect(await read('a.bin.gz', large, { ...size, rawCrc32: 1 }, later)).toBe(large);
      await expect(checks[1]?.()).rejects.toThrow(/a\.bin\.gz/);
    });
  });

  test('truncated gzip is reported with its length', async () => {
    const packed = await gzipped(raw);
    const size = { stored: packed.byteLength, raw: 8 };
    await expect(read('a.gz', packed.subarray(0, 14), size)).rejects.toThrow(/truncated: it has 14 bytes/);
  });

  test('a large file is returned at once with a deferred check', async () => {
    const large = new Uint8Array(3_000_000);
    const size = { stored: large.byteLength, raw: large.byteLength, sha256: '00' };
    const checks: (() => Promise<void>)[] = [];
    expect(await read('a.bin', large, size, (check) => checks.push(check))).toBe(large);
    expect(checks).toHaveLength(1);
    await expect(checks[0]?.()).rejects.toThrow(/a\.bin/);
    await expect(read('a.bin', large, size)).rejects.toThrow(/a\.bin/);
  });
});

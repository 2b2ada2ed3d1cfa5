import { describe, expect, test } from 'vitest';
import { FormatError } from '../lib/errors';
import { decode } from './asset';
import { gzipped } from './bundle-fixture';

const { signal } = new AbortController();
const raw = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

describe('decode', () => {
  test('raw bytes under a .gz name: the host has decompressed them', async () => {
    expect(await decode('a.bin.gz', raw, { raw: 8, stored: 28 }, signal)).toEqual(raw);
  });

  test('gzip under any name', async () => {
    expect(await decode('a.bin', await gzipped(raw), { raw: 8 }, signal)).toEqual(raw);
  });

  test('gzip of unknown raw length', async () => {
    expect(await decode('a.json.gz', await gzipped(raw), {}, signal)).toEqual(raw);
  });

  test('raw bytes that begin like gzip', async () => {
    const odd = new Uint8Array([0x1f, 0x8b, 8, 0]);
    expect(await decode('a.bin', odd, { raw: 4, stored: 4 }, signal)).toEqual(odd);
  });

  test('gzip that is as long as what it holds', async () => {
    for (let length = 20; length < 60; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7919) % 251);
      const packed = await gzipped(bytes);
      const size = { raw: length, stored: packed.byteLength };
      expect(await decode('a.bin.gz', packed, size, signal)).toEqual(bytes);
    }
  });

  test('corrupt gzip says so, with the file', async () => {
    const cut = (await gzipped(raw)).subarray(0, 14);
    const failure = decode('assets/x.gz', cut, { raw: 8 }, signal);
    await expect(failure).rejects.toBeInstanceOf(FormatError);
    await expect(failure).rejects.toThrow(/assets\/x\.gz.*corrupt/);
  });

  test('a length that does not match is refused', async () => {
    await expect(decode('a', await gzipped(raw), { raw: 9 }, signal)).rejects.toThrow(/9 bytes/);
    await expect(decode('a', raw, { raw: 9 }, signal)).rejects.toThrow(/not gzipped/);
  });
});

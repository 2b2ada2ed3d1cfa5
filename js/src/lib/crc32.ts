/** CRC tables of gzip's polynomial for a byte followed by zero to three other bytes (slicing by 4). */
const TABLES = tables();

function tables(): Uint32Array {
  const all = new Uint32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    all[byte] = rest;
  }
  for (let at = 256; at < all.length; at++) {
    const before = all[at - 256] ?? 0;
    all[at] = (before >>> 8) ^ (all[before & 255] ?? 0);
  }
  return all;
}

/**
 * Computes the CRC-32 that gzip uses; `before` is the CRC of the preceding bytes. Processing four bytes per step
 * halves the time.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  const t = TABLES as unknown as number[];
  const b = bytes as unknown as number[];
  let crc = ~before;
  let i = 0;
  for (const end = bytes.length - 3; i < end; i += 4) {
    crc ^=
      (b[i] as number) |
      ((b[i + 1] as number) << 8) |
      ((b[i + 2] as number) << 16) |
      ((b[i + 3] as number) << 24);
    crc =
      (t[768 + (crc & 255)] as number) ^
      (t[512 + ((crc >>> 8) & 255)] as number) ^
      (t[256 + ((crc >>> 16) & 255)] as number) ^
      (t[crc >>> 24] as number);
  }
  for (; i < bytes.length; i++) crc = (t[(crc ^ (b[i] as number)) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

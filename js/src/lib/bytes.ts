/** The parts one after the other, in an array of their own. */
export function joined(parts: readonly (Uint8Array | undefined)[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + (part?.byteLength ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (!part) continue;
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

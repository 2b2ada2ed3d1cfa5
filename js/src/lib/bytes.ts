/** Concatenates the parts into a new array; skips undefined parts. */
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

export function fromBase64(text: string): Uint8Array {
  const native = Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array };
  if (native.fromBase64) return native.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export function toBase64(bytes: Uint8Array): string {
  const native = bytes as unknown as { toBase64?: () => string };
  if (native.toBase64) return native.toBase64();
  let text = '';
  // In chunks: engines limit the number of arguments per call.
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

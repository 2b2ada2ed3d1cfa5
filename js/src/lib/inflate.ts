import { joined } from './bytes';
import { isAbort } from './errors';
import { pause } from './pause';

/** Bytes per write. Browsers decompress one write on the main thread in one go, to up to 1,032 times its size. */
const WRITE_BYTES = 65_536;

/** Decompressed bytes between two pauses that let the page respond. */
const SLICE = 8_400_000;

/** Thrown if the data decompresses to more bytes than allowed; the partial result is discarded. */
export class TooLongError extends Error {}

/**
 * Decompresses at most `most` bytes: a few kilobytes can expand to gigabytes and crash the page.
 *
 * Reads the stream manually because `new Response(stream)` reports corrupt data as a failed fetch.
 *
 * @throws TooLongError if there are more than `most` bytes.
 */
export async function inflate(
  bytes: Uint8Array,
  format: CompressionFormat,
  most: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const stream = new DecompressionStream(format);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  // Await each write: everything written is decompressed at once, even if nobody reads it.
  const feed = async () => {
    for (let at = 0; at < bytes.byteLength; at += WRITE_BYTES)
      await writer.write(bytes.subarray(at, at + WRITE_BYTES) as Uint8Array<ArrayBuffer>);
    await writer.close();
  };
  // Failures surface at the reader; here they would be reported a second time as unhandled.
  feed().catch(() => {});
  const parts: Uint8Array[] = [];
  let length = 0;
  let sincePause = 0;
  try {
    for (;;) {
      const part = await reader.read();
      if (part.done) break;
      length += part.value.byteLength;
      if (length > most) throw new TooLongError();
      parts.push(part.value);
      sincePause += part.value.byteLength;
      if (sincePause < SLICE) continue;
      sincePause = 0;
      await pause();
      signal?.throwIfAborted();
    }
  } catch (thrown) {
    if (thrown instanceof TooLongError || isAbort(thrown, signal)) reader.cancel(thrown).catch(() => {});
    throw thrown;
  }
  signal?.throwIfAborted();
  return joined(parts);
}

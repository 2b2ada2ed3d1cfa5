import { joined } from './bytes';
import { isAbort } from './errors';
import { pause } from './pause';

/** Browsers unpack in the page's own thread all that they are given at once, which is up to 1,032 times as much. */
const GIVEN = 65_536;

/** So much may come out between two pauses of the page. */
const SLICE = 8_400_000;

/** Thrown where more comes out than was asked for; what came until then is let go. */
export class TooLongError extends Error {}

/**
 * Unpacks no more than `most` bytes: a few thousand can hold as many millions, and the page would die of them.
 *
 * The stream is read by hand: `new Response(stream)` reports corrupt data as a failed fetch.
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
  // One after the other: what is written is unpacked, whether someone reads it or not.
  const feed = async () => {
    for (let at = 0; at < bytes.byteLength; at += GIVEN)
      await writer.write(bytes.subarray(at, at + GIVEN) as Uint8Array<ArrayBuffer>);
    await writer.close();
  };
  // Failures surface at the reader; unhandled here, they would be reported a second time.
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

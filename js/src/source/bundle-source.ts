import { FormatError } from '../lib/errors';
import { formatCount } from '../lib/format';

export interface ReadContext {
  signal: AbortSignal;
  /** Maximum number of bytes; a source stops reading a longer file. */
  most?: number | undefined;
  /** Reports bytes read so far and in total; the total is 0 if the source does not know it. */
  progress?: ((done: number, total: number) => void) | undefined;
  /**
   * Receives the check of a large file, whose bytes are then returned unchecked; the caller runs the check after
   * drawing the frame that needs them. Without it, every file is checked before it is returned.
   */
  later?: ((check: () => Promise<void>) => void) | undefined;
}

/** Throws if a file is longer than `most`. */
export function mayHave(path: string, bytes: number, { most }: ReadContext): void {
  if (most !== undefined && bytes > most) {
    throw new FormatError(path, `it has more than the ${formatCount(most)} bytes that are expected`);
  }
}

/** Provides the files of a bundle. */
export interface BundleSource {
  /** Reads the bytes as stored. Rejects with NotFoundError for a missing file and with `signal.reason` on abort. */
  read(path: string, ctx: ReadContext): Promise<Uint8Array>;
  /** File that lists additional genes, readable as `live/gene_N`, where N is the index in the list. */
  readonly live?: string | undefined;
  dispose(): void;
}

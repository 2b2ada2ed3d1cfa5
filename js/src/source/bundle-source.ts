import { FormatError } from '../lib/errors';

export interface ReadContext {
  signal: AbortSignal;
  /** Longer files are not read: whoever carries them stops there. */
  most?: number | undefined;
  /** Bytes so far and in all; the total is 0 where the carrier does not say. */
  progress?: ((done: number, total: number) => void) | undefined;
  /**
   * Takes over the check of a large file, whose bytes are then handed out unchecked: whoever gives this runs the check
   * when the frame that waits for them stands. Without it, every file is checked before it is handed out.
   */
  later?: ((check: () => Promise<void>) => void) | undefined;
}

/** Throws where a file is longer than it may be. */
export function mayHave(path: string, bytes: number, { most }: ReadContext): void {
  if (most !== undefined && bytes > most) {
    throw new FormatError(path, `it has more than the ${most} bytes that it should have`);
  }
}

/** What carries the files of a bundle. */
export interface BundleSource {
  /** The bytes as stored. Rejects with NotFoundError for a missing file and with `signal.reason` on abort. */
  read(path: string, ctx: ReadContext): Promise<Uint8Array>;
  /** File that lists genes which can be read besides those of the bundle, as `live/gene_N`, N its place in the list. */
  readonly live?: string | undefined;
  dispose(): void;
}

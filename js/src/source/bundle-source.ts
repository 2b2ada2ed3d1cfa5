import type { CategoryColumn, NumberColumn } from '../contract/manifest';
import type { LiveMatrix } from '../contract/to-page';
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
  /** Marks a prefetch: all other reads take precedence. */
  ahead?: boolean | undefined;
}

/** Throws if a file is longer than `most`. */
export function checkLength(path: string, bytes: number, { most }: ReadContext): void {
  if (most !== undefined && bytes > most) {
    throw new FormatError(path, `it has more than the expected ${formatCount(most)} bytes`);
  }
}

/** The AnnData object in a kernel, which provides genes and columns besides those of the bundle. */
export interface LiveObject {
  /**
   * File with a `LiveGenes`; the genes are readable as `live/gene_N`, where N is the index in the list.
   */
  readonly genes: string;
  /** File that lists its columns as in a manifest; they replace those of the bundle with the same name. */
  readonly columns: string;
  /** File with `LiveStatistics`, which require a pass over the matrix. */
  readonly statistics: string;
  /** Compares all genes between two groups of cells, each with one bit per cell; returns columns as JSON. */
  compare(a: Uint8Array, b: Uint8Array, ctx: ReadContext): Promise<Uint8Array>;
  /** Calls `listener` when columns, or also the values of genes, have changed. Returns a function that removes it. */
  onChange(listener: (change: LiveChange) => void): () => void;
}

export interface LiveChange {
  columns: readonly Column[];
  /** The matrix that genes are read from; null if they did not change. */
  matrix: LiveMatrix | null;
}

export interface LiveGenes {
  names: readonly string[];
  /** The matrix that they are read from; null if the exported genes are still valid. */
  matrix: LiveMatrix | null;
}

/** Statistics of the genes of a live object, in the order of its genes. */
export interface LiveStatistics {
  /** Means over the cells with a value; null where there is none. */
  mean: readonly (number | null)[];
  fraction: readonly (number | null)[];
  /** Ranks by variability, 1 for the most variable; null if the values cannot be ranked. */
  rank: readonly number[] | null;
}

export type Column = CategoryColumn | NumberColumn;

/** Provides the files of a bundle. */
export interface BundleSource {
  /** Reads the bytes as stored. Rejects with NotFoundError for a missing file and with `signal.reason` on abort. */
  read(path: string, ctx: ReadContext): Promise<Uint8Array>;
  readonly live?: LiveObject | undefined;
  /** Whether files should be prefetched, because each read has latency. */
  readonly ahead?: boolean;
  /** Calls `listener` when the kernel that provides the bytes is gone, with a function that runs the cell again. */
  onLost?(listener: (reconnect: (() => void) | null) => void): void;
  dispose(): void;
}

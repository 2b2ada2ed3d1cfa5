import type { Manifest } from '../contract/manifest';
import type { ReadContext } from '../source/bundle-source';
import { type AssetReader, asFloat32, readChunks } from './chunks';
import type { Batch } from './compare/comparer';
import type { Differences } from './compare/differences';
import type { Scale } from './compare/gene-test';
import type { Steps } from './packed-shard';

/** Genes that are read together. */
export interface GeneBatch {
  /** Position of the first gene. */
  first: number;
  count: number;
  /** The file, for messages. */
  path: string;
  read(ctx: ReadContext): Promise<Batch>;
}

/** All genes of a bundle, to read one after the other. */
export interface GeneTable {
  /** The matrix: `X`, `layer:NAME` or `raw`. Undefined or null if the manifest does not state it. */
  source: string | null | undefined;
  names: readonly string[];
  /** The values that codes of packed genes refer to; null if there are none. */
  steps(ctx: ReadContext): Promise<Steps | null>;
  batches: readonly GeneBatch[];
  /** Returns a function that reads the markers of a category; undefined if they were not computed at export. */
  markers?(
    column: string,
    category: number,
    scale: Scale,
  ): ((ctx: ReadContext) => Promise<Differences>) | undefined;
}

/** Reads genes that have a file each. */
export function tableOfFiles(reader: AssetReader, { expression, n_cells: cells }: Manifest): GeneTable {
  return {
    source: expression.source,
    names: expression.genes.map(({ gene }) => gene),
    steps: async () => null,
    batches: expression.genes.map(({ gene, chunks }, first) => ({
      first,
      count: 1,
      path: chunks[0]?.path ?? 'manifest.json',
      read: async (ctx) => ({
        values: asFloat32(await readChunks(reader, chunks, cells, 4, `gene “${gene}”`, ctx)),
      }),
    })),
  };
}

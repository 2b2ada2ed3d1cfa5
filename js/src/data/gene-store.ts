import type { GeneEntry, GeneSummary, Manifest } from '../contract/manifest';
import { FormatError, UnknownNameError } from '../lib/errors';
import { keepRecent } from '../lib/recent';
import type { ReadContext } from '../source/bundle-source';
import { type AssetReader, asFloat32, forgetting, readChunks } from './chunks';
import { SharedReads } from './shared-reads';
import { type Summary, summarizeGene, withoutInfinite } from './summary';

const FORMAT = 'per_gene_float32_v1';
const CACHE_BYTES = 128 * 1024 * 1024;
const CACHE_MIN_GENES = 4;

export interface GeneValues {
  gene: string;
  /** NaN for cells without a value. */
  values: Float32Array;
  summary: Summary;
}

export interface GeneStore {
  /** Number of genes that can be read. */
  readonly count: number;
  has(gene: string): boolean;
  read(gene: string, ctx: ReadContext): Promise<GeneValues>;
}

/** Reads single genes and caches the most recently used. `live` names those that the kernel provides. */
export function geneStore(reader: AssetReader, manifest: Manifest, live: readonly string[] = []): GeneStore {
  const { expression, n_cells: cells } = manifest;
  let entries: Map<string, GeneEntry> | null = null;
  const entryOf = (gene: string) => {
    // Later entries replace earlier ones: exported genes take precedence over live ones, and the first of
    // several genes with the same name over the others.
    entries ??= new Map([
      ...live.map((name, index) => [name, liveEntry(name, index, cells)] as const),
      ...[...expression.genes].reverse().map((entry) => [entry.gene, entry] as const),
    ]);
    return entries.get(gene);
  };
  const cache = new Map<string, GeneValues>();
  const reads = new SharedReads<GeneValues>();
  /** Number of genes in the cache. */
  const capacity = Math.max(CACHE_MIN_GENES, Math.floor(CACHE_BYTES / Math.max(1, cells * 4)));

  const load = async (entry: GeneEntry, ctx: ReadContext): Promise<GeneValues> => {
    const raw = asFloat32(await readChunks(reader, entry.chunks, cells, 4, `gene “${entry.gene}”`, ctx));
    const { values, missing } = withoutInfinite(raw);
    const summary = statedSummary(entry, missing) ?? summarizeGene(values);
    const loaded = { gene: entry.gene, values, summary };
    keepRecent(cache, entry.gene, loaded, capacity);
    return loaded;
  };

  return {
    count: live.length === 0 ? expression.genes.length : new Set([...live, ...manifest.gene_list]).size,
    has: (gene) => entryOf(gene) !== undefined,
    async read(gene, ctx) {
      ctx.signal.throwIfAborted();
      if (expression.format !== FORMAT) {
        throw new FormatError(
          'manifest.json',
          `expression has the format “${expression.format}”, but this viewer only reads ${FORMAT}`,
        );
      }
      const entry = entryOf(gene);
      if (!entry) throw unknownGene(gene, manifest);
      const cached = cache.get(gene);
      if (cached) {
        keepRecent(cache, gene, cached, capacity);
        return cached;
      }
      const later = forgetting(ctx.later, () => cache.delete(gene));
      return reads.run(gene, ctx.signal, (signal) => load(entry, { signal, progress: ctx.progress, later }));
    },
  };
}

/** Returns the error for a gene that is not in the bundle, or not in the current matrix if there are several. */
export function unknownGene(
  gene: string,
  { expression, other_matrices: others }: Manifest,
): UnknownNameError {
  return new UnknownNameError('gene', gene, others?.length ? `matrix ${expression.source}` : undefined);
}

/**
 * Returns the summary in the manifest; null if it is absent, not numeric, or has another count of missing
 * values.
 */
function statedSummary({ summary }: GeneEntry, missing: number): Summary | null {
  if (!summary || missingOf(summary) !== missing) return null;
  const { min, max, mean, fraction, lower, upper } = summary;
  return [min, max, mean, fraction, lower, upper].every(Number.isFinite) ? summary : null;
}

/** Returns the number of cells without a value, as stated in the summary of a gene. */
export function missingOf(summary: GeneSummary): number {
  return (summary as GeneSummary & { missing?: number }).missing ?? 0;
}

/** Returns the entry of a gene that is read from the AnnData object in the kernel. */
function liveEntry(gene: string, index: number, cells: number): GeneEntry {
  return {
    gene,
    index,
    chunks: [{ path: `live/gene_${index}`, start: 0, end: cells, size_bytes: cells * 4 }],
  };
}

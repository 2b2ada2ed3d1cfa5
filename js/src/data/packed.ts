import type { GeneEntry, Manifest, Packed, PackedShard } from '../contract/manifest';
import { joined } from '../lib/bytes';
import { FormatError } from '../lib/errors';
import { keepRecent } from '../lib/recent';
import type { ReadContext } from '../source/bundle-source';
import { type AssetReader, asUint32, forgetting } from './chunks';
import { columnsOf, readMarkers } from './compare/markers';
import type { GeneTable } from './gene-table';
import { fromPlanes, offsetsOf, readEntries, type Shard, type Steps } from './packed-shard';
import { SharedReads } from './shared-reads';

const VERSION = 1;
const MAGIC = 0x4b50534b;
/** Length of the header of the index, in 32-bit words. */
const HEADER = 5;
/** Arrays of the index: entries, bytes of gaps, missing, variability rank, width; min, max, mean, lower, upper. */
const ARRAYS = 10;
/** Bytes of cached shards: genes of one shard are often read one after the other. */
const CACHE_BYTES = 32 * 1024 * 1024;
/** Maximum size of a file that is read ahead: it must not evict files that are in use. */
const LARGEST_AHEAD = CACHE_BYTES / 4;
/** Prefix of paths that stand for packed genes. It is absolute, so no file of a bundle can have it. */
const GENE = '/packed/';

/** Returns the value if it is an array, else an empty one: a manifest may contain anything. */
const listOf = <T>(value: readonly T[] | null | undefined): readonly T[] =>
  Array.isArray(value) ? value : [];

/** Lists all packed genes in a manifest, and reads them like files with one float32 per cell, or all as a table. */
export async function withPackedGenes(
  manifest: Manifest,
  packed: Packed,
  reader: AssetReader,
  ctx: ReadContext,
): Promise<{ manifest: Manifest; reader: AssetReader; table: GeneTable }> {
  const { n_cells: cells } = manifest;
  const { version, values: form, shards } = packed;
  if (version !== VERSION || (form !== 'ladder' && form !== 'float32')) {
    throw new FormatError(
      'manifest.json',
      `this viewer reads packed genes of version 1, not of version ${version} with values “${form}”, so only some genes are shown`,
    );
  }
  const readAll = async (paths: readonly string[], at: ReadContext) => {
    const parts = await Promise.all(paths.map((path) => reader.read(path, undefined, at)));
    return parts.length === 1 && parts[0] ? parts[0] : joined(parts);
  };
  const damaged = (path: string | undefined) =>
    new FormatError(path ?? 'manifest.json', 'the packed genes do not match their index');

  const bytes = await readAll(packed.index, ctx);
  const words = asUint32(bytes.subarray(0, bytes.length & ~3));
  const genes = packed.n_genes;
  const texts = 1 + (packed.labels?.length ?? 0);
  if ([MAGIC, VERSION, genes, cells, texts].some((word, i) => word !== words[i]))
    throw damaged(packed.index[0]);
  const array = (index: number) => words.subarray(HEADER + index * genes, HEADER + (index + 1) * genes);
  const [stored, gapBytes, missing, ranks, width] = [0, 1, 2, 3, 4].map(array) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const stat = (index: number, gene: number) => floats[HEADER + index * genes + gene] as number;
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let at = HEADER + ARRAYS * genes;
  const [names, ...labels] = Array.from({ length: texts }, () => {
    const ends = words.subarray(at, at + genes + 1);
    const from = 4 * (at + genes + 1);
    at += genes + 1 + Math.ceil((ends[genes] ?? 0) / 4);
    if (at > words.length) throw damaged(packed.index[0]);
    return Array.from(ends.subarray(1), (end, i) =>
      decoder.decode(bytes.subarray(from + (ends[i] as number), from + end)),
    );
  }) as [string[], ...string[][]];
  if (at * 4 !== bytes.length) throw damaged(packed.index[0]);

  const kept = new Map<string, Uint8Array>();
  const reads = new SharedReads<Uint8Array>();
  const share = (paths: readonly string[], ctx: ReadContext, forget: () => void) =>
    reads.run(paths[0] ?? '', ctx.signal, (signal) =>
      readAll(paths, { ...ctx, signal, later: forgetting(ctx.later, forget) }),
    );
  const shardBytes = async (paths: readonly string[], ctx: ReadContext) => {
    const [key = ''] = paths;
    const found = kept.get(key) ?? (await share(paths, ctx, () => kept.delete(key)));
    keepRecent(kept, key, found, CACHE_BYTES, ({ length }) => length);
    return found;
  };

  let loaded: Steps | null = null;
  const stepsOf = async (ctx: ReadContext): Promise<Steps | null> => {
    if (loaded || form === 'float32') return loaded;
    const paths = packed.ladders ?? [];
    const bytes = await share(paths, ctx, () => {
      loaded = null;
    });
    const head = asUint32(bytes.subarray(0, bytes.length & ~3));
    const [ladders = 0, count = 0] = head;
    const starts = head.subarray(2, 3 + ladders);
    const from = 8 + 4 * (ladders + 1);
    const size = ladders <= 256 ? 1 : ladders <= 65536 ? 2 : 4;
    if (
      bytes.length !== from + 4 * count + cells * size ||
      starts[0] !== 0 ||
      starts[ladders] !== count ||
      starts.some((start, i) => start < (starts[i - 1] ?? 0))
    )
      throw damaged(paths[0]);
    const values = new Float32Array(fromPlanes(bytes.subarray(from, from + 4 * count), 4).buffer);
    loaded = { starts, values, ladderOf: fromPlanes(bytes.subarray(from + 4 * count), size) };
    return loaded;
  };

  const shardOf = new Array<PackedShard | undefined>(genes);
  let next = 0;
  for (const shard of shards) {
    if (shard.first !== next || !(shard.end > next)) throw damaged(shard.paths[0]);
    shardOf.fill(shard, next, shard.end);
    next = shard.end;
  }
  if (next !== genes) throw damaged(undefined);
  const sizesOf = ({ first, end }: PackedShard) => ({
    stored: stored.subarray(first, end),
    gapBytes: gapBytes.subarray(first, end),
    width: width.subarray(first, end),
  });
  const readShard = async (info: PackedShard, ctx: ReadContext): Promise<Shard> => ({
    raw: await shardBytes(info.paths, ctx),
    ...sizesOf(info),
  });
  const read = async (gene: number, ctx: ReadContext): Promise<Uint8Array> => {
    const info = shardOf[gene];
    if (!info) throw damaged(undefined);
    const [steps, shard] = await Promise.all([stepsOf(ctx), readShard(info, ctx)]);
    const n = stored[gene] as number;
    // A damaged index may state more entries than there are cells.
    const [at, places] = [0, 1].map(() => new Uint32Array(Math.min(n, cells))) as [Uint32Array, Uint32Array];
    if (readEntries(shard, offsetsOf(shard), gene - info.first, steps, cells, at, places) < 0)
      throw damaged(info.paths[0]);
    const exact = new Float32Array(places.buffer);
    const found = new Float32Array(cells);
    const which = shards.indexOf(info);
    reader.readAhead?.(
      [shards[which + 1], shards[which - 1]].flatMap((near) =>
        near && !kept.has(near.paths[0] ?? '') && offsetsOf(sizesOf(near)).length <= LARGEST_AHEAD
          ? (ctx: ReadContext) => shardBytes(near.paths, ctx)
          : [],
      ),
    );
    for (let i = 0; i < n; i++)
      found[at[i] as number] = steps ? (steps.values[places[i] as number] as number) : (exact[i] as number);
    return new Uint8Array(found.buffer);
  };

  const positions = new Map(names.map((name, i) => [name, i]));
  const listed = manifest.gene_list.flatMap((name) => positions.get(name) ?? []);
  const listedSet = new Set(listed);
  const order = [...listed, ...names.flatMap((_, i) => (listedSet.has(i) ? [] : [i]))];
  const storedBytes = (gene: number) =>
    (shardOf[gene]?.paths ?? []).reduce((sum, path) => sum + (reader.files.get(path)?.size_bytes ?? 0), 0);
  const entry = (gene: number, index: number): GeneEntry => ({
    gene: names[gene] as string,
    index,
    chunks: [{ path: GENE + gene, start: 0, end: cells, size_bytes: storedBytes(gene) }],
    summary: {
      min: stat(5, gene),
      max: stat(6, gene),
      mean: stat(7, gene),
      fraction:
        ((stored[gene] as number) - (missing[gene] as number)) /
        Math.max(1, cells - (missing[gene] as number)),
      lower: stat(8, gene),
      upper: stat(9, gene),
      missing: missing[gene] as number,
    },
    variability_rank: ranks[gene] || null,
  });
  return {
    table: {
      source: packed.source,
      names,
      steps: stepsOf,
      markers(column, category, scale) {
        const stated = listOf(packed.markers).find((one) => one?.column === column);
        const shard = listOf(stated?.shards).find(({ first, end }) => first <= category && category < end);
        if (!shard) return undefined;
        const { paths, first, end } = shard;
        return async (ctx) => {
          const stored = readMarkers(await readAll(paths, ctx), category - first, end - first, genes);
          if (!stored)
            throw new FormatError(paths[0] ?? 'manifest.json', 'it does not hold markers of this bundle');
          return {
            genes: names,
            columns: columnsOf(
              stored,
              (gene) => cells - (missing[gene] as number),
              (gene) => stat(5, gene) < 0,
              scale,
            ),
            problems: [],
          };
        };
      },
      batches: shards.map((shard) => ({
        first: shard.first,
        count: shard.end - shard.first,
        path: shard.paths[0] ?? 'manifest.json',
        // Not cached: each file is read only once here, and would evict those of single genes.
        read: async (ctx) => {
          const raw = await readAll(shard.paths, ctx);
          const { stored, gapBytes, width } = sizesOf(shard);
          // Copies, because posting a view to a worker would transfer or clone its whole buffer.
          return {
            shard: {
              raw: raw.slice(),
              stored: stored.slice(),
              gapBytes: gapBytes.slice(),
              width: width.slice(),
            },
          };
        },
      })),
    },
    manifest: {
      ...manifest,
      gene_list: order.map((gene) => names[gene] as string),
      gene_labels: labels.map((column, i) => ({
        column: packed.labels?.[i] ?? '',
        labels: order.map((gene) => column[gene] as string),
      })),
      expression: { ...manifest.expression, genes: order.map(entry) },
    },
    reader: {
      files: reader.files,
      read: (path, raw, ctx) =>
        path.startsWith(GENE) ? read(Number(path.slice(GENE.length)), ctx) : reader.read(path, raw, ctx),
    },
  };
}

import { describe, expect, test } from 'vitest';
import type { Manifest, Packed } from '../contract/manifest';
import type { AssetReader } from './chunks';
import { withPackedGenes } from './packed';

/** Number of cells in the files, which follow FORMAT.md. Cell i is on ladder i modulo 2. */
const CELLS = 300;
const LADDERS = [
  [0.5, 1.5],
  [0.25, 2, 70],
];
const utf8 = new TextEncoder();
const bytesOf = (array: ArrayLike<number>, kind: typeof Uint32Array | typeof Float32Array) =>
  new Uint8Array(kind.from(array).buffer);
const joined = (parts: readonly Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));
/** Returns the first bytes of all values, then their second bytes, and so on. */
const planes = (bytes: Uint8Array, width: number) =>
  Uint8Array.from(bytes, (_, i) => {
    const count = bytes.length / width;
    return bytes[(i % count) * width + Math.floor(i / count)] as number;
  });

interface Gene {
  name: string;
  gaps: number[];
  values: Uint8Array;
  stored: number;
  width: number;
}

/** Genes with their gaps and values as stored. */
const GENES: Gene[] = [
  // Cells 0, 1, and 257: a gap of 255 is the byte 255 and a 0.
  { name: 'few', gaps: [0, 0, 255, 0], values: new Uint8Array([0, 2, 1]), stored: 3, width: 1 },
  { name: 'none', gaps: [], values: new Uint8Array(0), stored: 0, width: 1 },
  // Codes of two bytes, in every cell: no gaps.
  {
    name: 'Ω all',
    gaps: [],
    values: new Uint8Array([...Array.from({ length: CELLS }, (_, i) => i % 2), ...Array(CELLS).fill(0)]),
    stored: CELLS,
    width: 2,
  },
];

/** Encodes a list of texts: their offsets, their bytes, and padding to a multiple of four bytes. */
const text = (names: readonly string[]) => {
  const parts = names.map((name) => utf8.encode(name));
  const ends = [0];
  for (const part of parts) ends.push((ends.at(-1) as number) + part.length);
  const padding = new Uint8Array((4 - ((ends.at(-1) as number) % 4)) % 4);
  return joined([bytesOf(ends, Uint32Array), ...parts, padding]);
};

function filesOf(genes: readonly Gene[], ladders: readonly number[][]): Map<string, Uint8Array> {
  const counts = (field: (gene: Gene) => number) => bytesOf(genes.map(field), Uint32Array);
  const numbers = (value: number) =>
    bytesOf(
      genes.map((_, i) => value + i),
      Float32Array,
    );
  const index = joined([
    utf8.encode('KSPK'),
    bytesOf([1, genes.length, CELLS, 2], Uint32Array),
    counts(({ stored }) => stored),
    counts(({ gaps }) => gaps.length),
    counts(() => 0),
    bytesOf(
      genes.map((_, i) => i),
      Uint32Array,
    ),
    counts(({ width }) => width),
    ...[0, 10, 20, 30, 40].map(numbers),
    text(genes.map(({ name }) => name)),
    text(genes.map((_, i) => (i === 0 ? 'ENS1|ENS2' : ''))),
  ]);
  const starts = [0];
  for (const ladder of ladders) starts.push((starts.at(-1) as number) + ladder.length);
  const steps = joined([
    bytesOf([ladders.length, starts.at(-1) as number, ...starts], Uint32Array),
    planes(bytesOf(ladders.flat(), Float32Array), 4),
    Uint8Array.from({ length: CELLS }, (_, i) => i % ladders.length),
  ]);
  const shard = (part: readonly Gene[]) =>
    joined([...part.map(({ gaps }) => new Uint8Array(gaps)), ...part.map(({ values }) => values)]);
  const second = shard(genes.slice(1));
  return new Map([
    ['index', index],
    ['ladders', steps],
    ['first', shard(genes.slice(0, 1))],
    ['second a', second.subarray(0, 100)],
    ['second b', second.subarray(100)],
  ]);
}

const packed: Packed = {
  version: 1,
  source: 'X',
  n_genes: GENES.length,
  values: 'ladder',
  index: ['index'],
  ladders: ['ladders'],
  labels: ['gene_ids'],
  shards: [
    { paths: ['first'], first: 0, end: 1 },
    { paths: ['second a', 'second b'], first: 1, end: 3 },
  ],
};
const manifest = {
  n_cells: CELLS,
  gene_list: ['none'],
  expression: { genes: [] },
} as unknown as Manifest;
const ctx = { signal: new AbortController().signal };

function readerOf(files: Map<string, Uint8Array>, reads: string[] = []): AssetReader {
  return {
    files: new Map(),
    read: async (path) => {
      reads.push(path);
      const file = files.get(path);
      if (!file) throw new Error(`no ${path}`);
      return file;
    },
  };
}

const opened = (files = filesOf(GENES, LADDERS), entry: Packed = packed, reads?: string[]) =>
  withPackedGenes(manifest, entry, readerOf(files, reads), ctx);

async function valuesOf(files: Map<string, Uint8Array>, gene: string): Promise<number[]> {
  const { manifest: all, reader } = await opened(files);
  const entry = all.expression.genes.find((listed) => listed.gene === gene);
  const bytes = await reader.read(entry?.chunks[0]?.path ?? '', 4 * CELLS, ctx);
  return [...new Float32Array(bytes.buffer)];
}

describe('packed genes', () => {
  test('have no markers if the manifest is damaged', async () => {
    for (const markers of [7, 'x', {}, [null], [{ column: 'a', shards: 7 }], [{ column: 'a' }]]) {
      const { table } = await opened(undefined, { ...packed, markers } as unknown as Packed);
      expect(table.markers?.('a', 0, null)).toBeUndefined();
    }
  });

  test('are listed after those of format 1.0, with their labels and statistics', async () => {
    const { manifest: all } = await opened();
    expect(all.gene_list).toEqual(['none', 'few', 'Ω all']);
    expect(all.gene_labels).toEqual([{ column: 'gene_ids', labels: ['', 'ENS1|ENS2', ''] }]);
    const [none, few] = all.expression.genes;
    expect(none?.variability_rank).toBe(1);
    expect(few?.variability_rank).toBeNull();
    expect(few?.summary).toMatchObject({ min: 0, max: 10, mean: 20, fraction: 0.01, lower: 30, upper: 40 });
  });

  test('have the values of their cells', async () => {
    const files = filesOf(GENES, LADDERS);
    const few = await valuesOf(files, 'few');
    expect(few.flatMap((value, cell) => (value === 0 ? [] : [[cell, value]]))).toEqual([
      [0, 0.5],
      [1, 70],
      [257, 2],
    ]);
    expect(await valuesOf(files, 'none')).toEqual(Array(CELLS).fill(0));
    expect((await valuesOf(files, 'Ω all')).slice(0, 4)).toEqual([0.5, 2, 0.5, 2]);
  });

  test('in shards with a gap or an overlap are rejected', async () => {
    const [one, two] = packed.shards as [(typeof packed.shards)[0], (typeof packed.shards)[0]];
    for (const first of [0, 2])
      await expect(opened(undefined, { ...packed, shards: [one, { ...two, first }] })).rejects.toThrow(
        'second a',
      );
  });

  test('share one read of each file', async () => {
    const reads: string[] = [];
    const { manifest: all, reader } = await opened(undefined, packed, reads);
    expect(reads).toEqual(['index']);
    for (const { chunks } of all.expression.genes)
      for (const { path } of chunks) await reader.read(path, undefined, ctx);
    expect(reads.slice(1).sort()).toEqual(['first', 'ladders', 'second a', 'second b']);
  });

  test('of another version are rejected', async () => {
    for (const change of [{ version: 2 }, { values: 'float64' }])
      await expect(opened(undefined, { ...packed, ...change })).rejects.toThrow(/version 1/);
  });

  test.each<[string, (file: Uint8Array) => Uint8Array | number[]]>([
    ['index', (file) => file.slice(0, 40)],
    ['index', (file) => [...file.slice(0, 8), 4, ...file.slice(9)]],
    ['index', () => []],
    ['index', (file) => [...file, 0]],
    ['ladders', (file) => file.slice(0, -1)],
    ['ladders', () => []],
  ])('with a damaged file are rejected: %s', async (path, damage) => {
    const files = filesOf(GENES, LADDERS);
    files.set(path, new Uint8Array(damage(files.get(path) ?? new Uint8Array(0))));
    await expect(valuesOf(files, 'few')).rejects.toThrow(path);
  });

  test.each([
    ['a wrong width', { width: 4 }],
    ['missing gaps', { gaps: [] }],
  ])('with %s are rejected', async (_, change) => {
    const [few, ...others] = GENES as [Gene, ...Gene[]];
    const files = filesOf([{ ...few, ...change }, ...others], LADDERS);
    if ('width' in change) files.set('first', new Uint8Array(4 + 12));
    await expect(valuesOf(files, 'few')).rejects.toThrow('first');
  });

  test('stay readable if one of two reads of a file is aborted', async () => {
    const files = filesOf(GENES, LADDERS);
    const { manifest: all, reader } = await opened(files);
    const stop = new AbortController();
    const path = all.expression.genes[1]?.chunks[0]?.path ?? '';
    const stopped = reader.read(path, undefined, { signal: stop.signal });
    const remaining = reader.read(path, undefined, ctx);
    stop.abort();
    await expect(stopped).rejects.toThrow();
    expect((await remaining).byteLength).toBe(4 * CELLS);
  });

  test.each<[string, number[]]>([
    ['a code beyond the ladder', [0, 0, 255, 0, 0, 3, 1]],
    ['a cell beyond the last', [0, 0, 255, 254, 0, 2, 1]],
    ['an unterminated gap', [0, 0, 255, 255, 0, 2, 1]],
    ['a missing byte', [0, 0, 255, 0, 0, 2]],
  ])('with %s are rejected', async (_, bytes) => {
    const files = filesOf(GENES, LADDERS).set('first', new Uint8Array(bytes));
    await expect(valuesOf(files, 'few')).rejects.toThrow('first');
    expect(await valuesOf(files, 'none')).toHaveLength(CELLS);
  });

  test('as float32 are exact', async () => {
    const values = [-1.5, Number.NaN, 3e-40];
    const gene = {
      name: 'x',
      gaps: [2, 0, 0],
      values: planes(bytesOf(values, Float32Array), 4),
      stored: 3,
      width: 4,
    };
    const files = filesOf([gene], [[1]]);
    const { manifest: all, reader } = await opened(files, {
      ...packed,
      n_genes: 1,
      values: 'float32',
      ladders: null,
      shards: [{ paths: ['first'], first: 0, end: 1 }],
    });
    const bytes = await reader.read(all.expression.genes[0]?.chunks[0]?.path ?? '', undefined, ctx);
    expect([...new Float32Array(bytes.buffer)].slice(1, 6)).toEqual([0, ...Float32Array.from(values), 0]);
  });
});

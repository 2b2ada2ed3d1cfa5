import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memorySource } from '../source/memory-source';
import { openBundle } from './bundle';
import type { ColumnValues } from './column-values';
import type { Column } from './compare/differences';
import { neighborsOf } from './neighbors';

/** Bundles that the Python tests compare with the exporter, and the values that every reader must return. */
const GOLDEN = join(import.meta.dirname, '../../../tests/golden');

interface Values {
  ids: string[];
  coordinates: [number, number][];
  embedding: [number, number][];
  categories: Record<string, { names: string[]; colors?: string[]; cells: (string | null)[] }>;
  numbers: Record<string, (number | null)[]>;
  edges: [number, number][];
  genes: Record<string, (number | null)[]>;
  /** Markers of the categories of the column “type”. */
  markers: Record<string, Record<string, (number | string | null)[]>>;
}

const values: Values = JSON.parse(await readFile(join(GOLDEN, 'values.json'), 'utf8'));
const ctx = { signal: new AbortController().signal };

async function opened(version: string) {
  const folder = join(GOLDEN, version);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).replaceAll('\\', '/'), new Uint8Array(await readFile(path)));
  }
  return openBundle(memorySource(files), ctx);
}

const numbersOf = (array: Float32Array | Float64Array) =>
  Array.from(array, (value) => (Number.isNaN(value) ? null : value));

const namesOf = (column: ColumnValues) =>
  column.kind === 'category'
    ? Array.from(column.codes, (code) => column.categories[code]?.name ?? null)
    : null;

describe.each(['1.0', '1.1', '1.2'])('the stored bundle of format %s', (version) => {
  test('has the cells and genes of the object', async () => {
    const bundle = await opened(version);
    expect(bundle.manifest.schema_version).toBe(`${version}.0`);
    expect(bundle.manifest.gene_list).toEqual(Object.keys(values.genes));
    const names = await bundle.cellNames(ctx);
    expect(values.ids.map((_, cell) => names(cell))).toEqual(values.ids);
    for (const [gene, wanted] of Object.entries(values.genes))
      expect([gene, numbersOf((await bundle.genes.read(gene, ctx)).values)]).toEqual([gene, wanted]);
  });

  test('has the annotations of the object', async () => {
    const bundle = await opened(version);
    const names = (await bundle.columns(ctx)).map(({ name }) => name);
    for (const [name, wanted] of Object.entries(values.categories)) {
      const column = await bundle.column(name, ctx);
      expect([name, namesOf(column)]).toEqual([name, wanted.cells]);
      if (column.kind !== 'category' || version === '1.0') continue;
      expect(column.categories.map((category) => category.name)).toEqual(wanted.names);
      if (wanted.colors) expect(column.categories.map(({ color }) => color)).toEqual(wanted.colors);
    }
    for (const [name, wanted] of Object.entries(values.numbers)) {
      if (!names.includes(name)) continue;
      const column = await bundle.column(name, ctx);
      expect([name, column.kind === 'number' && numbersOf(column.values)]).toEqual([name, wanted]);
    }
    expect(names).toEqual(
      expect.arrayContaining([
        ...Object.keys(values.categories),
        'score',
        ...(version === '1.0' ? [] : ['exact']),
      ]),
    );
  });
});

test.each(['1.1', '1.2'])('coordinates far from zero and an embedding are exact (%s)', async (version) => {
  const bundle = await opened(version);
  const { coords, origin } = await bundle.positions(ctx);
  const exact = values.ids.map((_, cell) => [
    (coords[2 * cell] ?? 0) + (origin?.[0] ?? 0),
    (coords[2 * cell + 1] ?? 0) + (origin?.[1] ?? 0),
  ]);
  expect(exact).toEqual(values.coordinates);
  const embedding = await bundle.embedding('X_umap', ctx);
  expect(Array.from(embedding.coords)).toEqual(values.embedding.flat());
});

test('markers from the export match a comparison', async () => {
  const { table } = await opened('1.2');
  const names = Object.keys(values.genes);
  for (const [category, wanted] of Object.entries(values.markers)) {
    const code = values.categories.type?.names.indexOf(category) ?? -1;
    const found = await table?.markers?.('type', code, null)?.(ctx);
    expect(found?.genes).toEqual(names);
    for (const [column, numbers] of Object.entries(wanted))
      numbers.forEach((number, gene) => {
        const stored = found?.columns[column as Column][gene] ?? Number.NaN;
        const expected = number === null || column === 'u' ? Number.NaN : Number(number);
        const same = Object.is(stored, expected) || Math.abs(stored - expected) <= 1e-6;
        expect(same, `${category}, ${column} of ${names[gene]}: ${stored} instead of ${expected}`).toBe(true);
      });
  }
  expect(table?.markers?.('type', 2, null)).toBeUndefined();
  expect(table?.markers?.('cluster', 0, null)).toBeUndefined();
});

test('neighbors match the object', async () => {
  const graph = await (await opened('1.2')).neighbors(ctx);
  const edges = values.ids.flatMap((_, cell) =>
    Array.from(neighborsOf(graph, cell), (other) => [cell, other] as const),
  );
  expect(edges.filter(([a, b]) => a < b)).toEqual(values.edges);
  expect(edges.map(([a, b]) => [b, a]).sort()).toEqual([...edges].map((pair) => [...pair]).sort());
  expect((await opened('1.1')).hasNeighbors).toBe(false);
});

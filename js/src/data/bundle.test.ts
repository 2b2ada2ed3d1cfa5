import { describe, expect, test } from 'vitest';
import { FormatError, NotFoundError, UnknownNameError, VersionError } from '../lib/errors';
import { memorySource } from '../source/memory-source';
import { openBundle } from './bundle';
import { FIXTURE_GENES, type Fixture, fixture } from './bundle-fixture';

const ctx = () => ({ signal: new AbortController().signal });
const open = ({ files }: Fixture) => openBundle(memorySource(files), ctx());
const editManifest = (made: Fixture, change: (manifest: Record<string, unknown>) => void) => {
  const manifest = JSON.parse(JSON.stringify(made.manifest));
  change(manifest);
  made.files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
};

describe.each([
  ['1.0.0', true],
  ['1.0.0', false],
  ['1.1.0', true],
  ['1.1.0', false],
] as const)('format %s, gzip %s', (version, gzip) => {
  test('coordinates are read with extent and direction of y', async () => {
    const positions = await (await open(await fixture(version, gzip))).positions(ctx());
    expect([...positions.coords]).toEqual([0, 10, 5, 20, 10, 30, 15, 40]);
    expect(positions.extent).toEqual([0, 10, 15, 40]);
    expect(positions.yAxis).toBe(version === '1.0.0' ? 'down' : 'up');
  });

  test('cells without a value get a code beyond the categories', async () => {
    const column = await (await open(await fixture(version, gzip))).column('cluster', ctx());
    if (column.kind !== 'category') throw new Error('not a category');
    const names = [...column.codes].map((code) => column.categories[code]?.name ?? null);
    expect(names).toEqual(['1', '10', '2', null]);
    expect(column.missing).toBe(1);
    expect([...column.codes][3]).toBe(column.categories.length);
  });

  test('numeric columns are read with their range', async () => {
    const column = await (await open(await fixture(version, gzip))).column('counts', ctx());
    if (column.kind !== 'number') throw new Error('not a number');
    expect([...column.values]).toEqual([5, Number.NaN, 7.5, 0]);
    expect(column.summary).toMatchObject({ min: 0, max: 7.5 });
  });

  test('cell ids are read, including quotes, non-ASCII and empty ones', async () => {
    const names = await (await open(await fixture(version, gzip))).cellNames(ctx());
    expect([0, 1, 2, 3].map(names)).toEqual(['a-1', 'b "2"', 'ü', '']);
  });

  test('chunks of a gene are joined in order of cells', async () => {
    const bundle = await open(await fixture(version, gzip));
    for (const [gene, values] of Object.entries(FIXTURE_GENES)) {
      expect([...(await bundle.genes.read(gene, ctx())).values]).toEqual(values);
    }
  });

  test('the summary of a gene is computed if the manifest has none', async () => {
    const bundle = await open(await fixture(version, gzip));
    expect((await bundle.genes.read('Prl8a9', ctx())).summary).toMatchObject({
      min: 0,
      max: 5,
      mean: 1.25,
      fraction: 0.25,
      lower: 0,
      upper: 5,
    });
    expect((await bundle.genes.read('<script>', ctx())).summary.lower).toBeLessThan(0);
  });
});

describe('a gene without a value in some cells', () => {
  const N = Number.NaN;
  const withSummary = async (summary: object, values: number[]) => {
    const made = await fixture('1.1.0', false);
    const [first, second] = made.manifest.expression.genes[0]?.chunks ?? [];
    const bytes = (part: number[]) => new Uint8Array(Float32Array.from(part).buffer);
    made.files.set(second?.path ?? '', bytes(values.slice(0, 3)));
    made.files.set(first?.path ?? '', bytes(values.slice(3)));
    editManifest(made, (manifest) => {
      const { genes } = manifest.expression as { genes: { summary: object }[] };
      if (genes[0]) genes[0].summary = summary;
    });
    return (await open(made)).genes.read('Actb', ctx());
  };
  const stated = { min: 0, max: 9, mean: 5, fraction: 0.5, lower: 0, upper: 9 };

  test('missing and infinite values become NaN and are excluded from the summary', async () => {
    const { values, summary } = await withSummary(stated, [1, N, Infinity, 3]);
    expect([...values]).toEqual([1, N, N, 3]);
    expect(summary).toMatchObject({ min: 1, max: 3, mean: 2, fraction: 1 });
  });

  test('a stated summary that counts missing values is used unchanged', async () => {
    const { summary } = await withSummary({ ...stated, missing: 1 }, [1, N, 2, 3]);
    expect(summary.mean).toBe(5);
  });

  test('a stated summary with a null is recomputed', async () => {
    const { summary } = await withSummary({ ...stated, mean: null }, [1, 2, 3, 4]);
    expect(summary.mean).toBe(2.5);
  });
});

test('another major version is rejected naming both versions', async () => {
  const made = await fixture('1.0.0', false);
  editManifest(made, (manifest) => {
    manifest.schema_version = '2.1.0';
  });
  const failure = open(made);
  await expect(failure).rejects.toBeInstanceOf(VersionError);
  await expect(failure).rejects.toThrow(/2\.1\.0.*1\.x/);
});

test('unknown fields are ignored', async () => {
  const made = await fixture('1.1.0', true);
  editManifest(made, (manifest) => {
    manifest.schema_version = '1.9.0';
    manifest.novelty = { deep: [1] };
  });
  expect((await open(made)).manifest.n_cells).toBe(4);
});

test('columns of unknown kinds are left out', async () => {
  const made = await fixture('1.1.0', true);
  editManifest(made, (manifest) => {
    const [, second] = manifest.columns as Record<string, unknown>[];
    if (second) second.kind = 'of a later version';
  });
  const bundle = await open(made);
  const names = (await bundle.columns(ctx())).map(({ name }) => name);
  expect(names).toContain('cluster');
  expect(names).not.toContain('counts');
  await expect(bundle.column('counts', ctx())).rejects.toBeInstanceOf(UnknownNameError);
});

test('a missing file, annotation or gene is named in the error', async () => {
  const made = await fixture('1.1.0', true);
  made.files.delete('assets/columnar/coords_000.bin.gz');
  const bundle = await open(made);
  await expect(bundle.positions(ctx())).rejects.toBeInstanceOf(NotFoundError);
  await expect(bundle.positions(ctx())).rejects.toMatchObject({ path: 'assets/columnar/coords_000.bin.gz' });
  await expect(bundle.column('none', ctx())).rejects.toBeInstanceOf(UnknownNameError);
  await expect(bundle.genes.read('none', ctx())).rejects.toBeInstanceOf(UnknownNameError);
});

test('a path outside the bundle is not read', async () => {
  const made = await fixture('1.1.0', false);
  editManifest(made, (manifest) => {
    const coordinates = manifest.coordinates as { chunks: { path: string }[] };
    for (const chunk of coordinates.chunks) chunk.path = '../secret';
  });
  made.files.set('../secret', new Uint8Array(32));
  await expect((await open(made)).positions(ctx())).rejects.toBeInstanceOf(FormatError);
});

test('chunks that leave a gap are rejected', async () => {
  const made = await fixture('1.0.0', false);
  editManifest(made, (manifest) => {
    const { genes } = manifest.expression as { genes: { chunks: unknown[] }[] };
    genes[0]?.chunks.pop();
  });
  await expect((await open(made)).genes.read('Actb', ctx())).rejects.toThrow(/do not cover all cells/);
});

test('search ranks exact matches, then prefixes, then substrings, and finds alternative names', async () => {
  const { search } = await open(await fixture('1.1.0', false));
  expect(search.find('prl', 5)).toEqual([{ gene: 'Prl8a9', label: 'ENSMUSG22', summary: null, rank: null }]);
  expect(search.find('musg22', 5).map(({ gene }) => gene)).toEqual(['Prl8a9']);
  expect(search.find('', 2)).toHaveLength(2);
  expect(search.find('zzz', 5)).toEqual([]);
});

test('search sorted by a statistic puts exact matches first and genes without it last', async () => {
  const made = await fixture('1.1.0', false);
  editManifest(made, (manifest) => {
    const { genes } = manifest.expression as { genes: { gene: string; summary?: unknown }[] };
    const summary = { min: 0, max: 9, lower: 0, upper: 9 };
    for (const entry of genes) {
      if (entry.gene === 'Actb') entry.summary = { ...summary, mean: 1.5, fraction: 0.75 };
      if (entry.gene === 'Prl8a9') entry.summary = { ...summary, mean: 2, fraction: 0.25 };
    }
  });
  const { search } = await open(made);
  const names = (query: string, order: 'mean' | 'fraction') =>
    search.find(query, 5, order).map(({ gene }) => gene);
  expect(search.ranked).toBe(true);
  expect(names('', 'mean')).toEqual(['Prl8a9', 'Actb', '<script>']);
  expect(names('', 'fraction')).toEqual(['Actb', 'Prl8a9', '<script>']);
  expect(names('actb', 'mean')).toEqual(['Actb']);
  expect(search.find('', 1, 'mean')[0]?.summary?.mean).toBe(2);
});

test('a float64 column is read without loss of precision', async () => {
  const made = await fixture('1.1.0', false);
  const values = [1_600_000_001.5, Number.NaN, 2 ** 53 - 1, 0.1];
  const path = 'assets/columnar/column_001_000.bin';
  made.files.set(path, new Uint8Array(Float64Array.from(values).buffer));
  editManifest(made, (manifest) => {
    const column = (manifest.columns as Record<string, unknown>[])[1] ?? {};
    column.dtype = 'float64';
    column.chunks = [{ path, start: 0, end: 4, size_bytes: 32 }];
    for (const file of manifest.asset_files as Record<string, unknown>[])
      if (file.path === path) Object.assign(file, { size_bytes: 32, raw_bytes: 32 });
  });
  const column = await (await open(made)).column('counts', ctx());
  if (column.kind !== 'number') throw new Error('not a number');
  expect([...column.values]).toEqual(values);
  expect(column.summary).toMatchObject({ min: 0.1, max: 2 ** 53 - 1 });
});

test('a 1.0 table keeps every digit of integers and of text that looks like integers', async () => {
  const made = await fixture('1.0.0', false);
  const rows = [
    '[{"cell_id":"a-1","cluster":"x: 1152921504606846977,","counts":1152921504606846977},',
    '{"cell_id":"b \\"2\\"",',
  ];
  rows.push(
    '"cluster":"1152921504606846977","counts":0.12345678901234567890},{"cell_id":"ü","counts":null}]',
  );
  const path = 'assets/obs_records_000.json';
  const text = new TextEncoder().encode(rows.join(''));
  made.files.set(path, text);
  editManifest(made, (manifest) => {
    for (const file of manifest.asset_files as Record<string, unknown>[])
      if (file.path === path) file.size_bytes = text.byteLength;
  });
  const bundle = await open(made);
  const labels = async (name: string) => {
    const column = await bundle.column(name, ctx());
    if (column.kind !== 'category') throw new Error('not a category');
    return [...column.codes].map((code) => column.categories[code]?.name ?? null);
  };
  expect(await labels('counts')).toEqual(['1152921504606846977', '0.12345678901234568', null, '0']);
  expect(await labels('cluster')).toEqual(['x: 1152921504606846977,', '1152921504606846977', null, null]);
});

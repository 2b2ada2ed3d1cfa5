import type { Manifest } from '../contract/manifest';

/** Small in-memory bundle for tests, in the 1.0 format or with the 1.x additions. */
export interface Fixture {
  manifest: Manifest;
  files: Map<string, Uint8Array>;
}

const utf8 = new TextEncoder();

export const FIXTURE_GENES: Record<string, number[]> = {
  Actb: [0, 1, 2, 3],
  Prl8a9: [0, 0, 0, 5],
  '<script>': [-1, 0, 1, 2],
};

export async function gzipped(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Adds another matrix to a fixture, as defined in FORMAT.md; no value may be zero. */
export function addMatrix(
  { manifest, files }: Fixture,
  source: string,
  genes: Record<string, number[]>,
): void {
  const folder = `assets/packed_${(manifest.other_matrices?.length ?? 0) + 1}`;
  const names = Object.keys(genes);
  const all = Object.values(genes);
  const [cells, g] = [manifest.n_cells, names.length];
  const counts = (count: number) => names.map(() => count);
  const text = utf8.encode(names.join(''));
  let at = 0;
  const ends = [0, ...names.map((name) => (at += utf8.encode(name).length))];
  const numbers = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const index = [
    utf8.encode('KSPK'),
    // Version, genes, cells, texts; for each gene: entries, bytes of gaps, missing, rank, bytes per value.
    new Uint8Array(Uint32Array.from([1, g, cells, 1, ...[cells, 0, 0, 0, 4].flatMap(counts)]).buffer),
    numbers(all.map((values) => Math.min(...values))),
    numbers(all.map((values) => Math.max(...values))),
    ...[0, 1, 2].map(() => numbers(counts(1))),
    new Uint8Array(Uint32Array.from(ends).buffer),
    text,
    new Uint8Array((4 - (text.length % 4)) % 4),
  ];
  const planes = all.flatMap((values) => {
    const bytes = numbers(values);
    return Array.from(bytes, (_, i) => bytes[(i % cells) * 4 + Math.floor(i / cells)] as number);
  });
  files.set(`${folder}/index.bin`, new Uint8Array(index.flatMap((part) => [...part])));
  files.set(`${folder}/shard.bin`, new Uint8Array(planes));
  const packed = {
    version: 1,
    source,
    n_genes: g,
    values: 'float32',
    index: [`${folder}/index.bin`],
    shards: [{ paths: [`${folder}/shard.bin`], first: 0, end: g }],
  };
  const values = { kind: 'counts' as const };
  manifest.other_matrices = [...(manifest.other_matrices ?? []), { packed, values }];
  files.set('manifest.json', utf8.encode(JSON.stringify(manifest)));
}

/** Builds a fixture; `far` is added to all coordinates and stated as their origin. */
export async function fixture(
  version: '1.0.0' | '1.1.0',
  gzip: boolean,
  far: readonly [number, number] = [0, 0],
): Promise<Fixture> {
  const files = new Map<string, Uint8Array>();
  const assets: Manifest['asset_files'] = [];
  const add = async (kind: string, name: string, raw: Uint8Array) => {
    const path = gzip ? `${name}.gz` : name;
    const stored = gzip ? await gzipped(raw) : raw;
    files.set(path, stored);
    assets.push({
      kind,
      path,
      size_bytes: stored.byteLength,
      ...(version === '1.1.0' ? { raw_bytes: raw.byteLength } : {}),
    });
    return { path, size_bytes: stored.byteLength };
  };
  const floats = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const ids = ['a-1', 'b "2"', 'ü', ''];
  const xy = [0, 10, 5, 20, 10, 30, 15, 40];
  const obs = [
    { cell_id: 'a-1', cluster: '1', counts: 5, ok: true },
    { cell_id: 'b "2"', cluster: '10', counts: null, ok: false },
    { cell_id: 'ü', cluster: '2', counts: 7.5, ok: null },
    { cell_id: '', cluster: null, counts: 0, ok: true },
  ];
  const coords = ids.map((cell_id, i) => ({
    cell_id,
    x: (xy[2 * i] ?? 0) + far[0],
    y: (xy[2 * i + 1] ?? 0) + far[1],
  }));
  await add('obs_json', 'assets/obs_records_000.json', utf8.encode(JSON.stringify(obs.slice(0, 3))));
  await add('obs_json', 'assets/obs_records_001.json', utf8.encode(JSON.stringify(obs.slice(3))));
  await add('coords_json', 'assets/coords_000.json', utf8.encode(JSON.stringify(coords)));
  const genes: Manifest['expression']['genes'] = [];
  for (const [gene, values] of Object.entries(FIXTURE_GENES)) {
    const index = genes.length;
    const name = `assets/expression/gene_0000${index}_part_`;
    const one = await add('expression_chunk', `${name}000.bin`, floats(values.slice(0, 3)));
    const two = await add('expression_chunk', `${name}001.bin`, floats(values.slice(3)));
    genes.push({
      gene,
      index,
      chunks: [
        { ...two, start: 3, end: 4 },
        { ...one, start: 0, end: 3 },
      ],
    });
  }
  const manifest: Manifest = {
    schema_version: version,
    dataset_name: 'fixture',
    created_at: '2026-01-01T00:00:00Z',
    n_cells: 4,
    n_genes_exported: genes.length,
    coordinate_source: 'obsm:spatial',
    annotation_columns: ['cluster', 'counts', 'ok'],
    gene_list: Object.keys(FIXTURE_GENES),
    asset_files: assets,
    expression: { format: 'per_gene_float32_v1', dtype: 'float32', n_cells: 4, gzip, genes },
  };
  if (version === '1.1.0') {
    const whole = { start: 0, end: 4 };
    const text = ids.map((id) => utf8.encode(id));
    let at = 0;
    const offsets = Uint32Array.from([0, ...text.map((id) => (at += id.byteLength))]);
    const blob = new Uint8Array([...new Uint8Array(offsets.buffer), ...text.flatMap((id) => [...id])]);
    manifest.coordinates = {
      extent: [far[0], 10 + far[1], 15 + far[0], 40 + far[1]],
      ...(far.some(Boolean) ? { origin: [...far] } : {}),
      y_axis: 'up',
      unit_um: 0.5,
      dtype: 'float32',
      chunks: [{ ...(await add('columnar', 'assets/columnar/coords_000.bin', floats(xy))), ...whole }],
    };
    manifest.cell_ids = {
      chunks: [{ ...(await add('columnar', 'assets/columnar/ids_000.bin', blob)), ...whole }],
    };
    const codes = await add('columnar', 'assets/columnar/column_000_000.bin', new Uint8Array([0, 1, 2, 3]));
    const counts = await add(
      'columnar',
      'assets/columnar/column_001_000.bin',
      floats([5, Number.NaN, 7.5, 0]),
    );
    manifest.columns = [
      {
        kind: 'category',
        name: 'cluster',
        dtype: 'uint8',
        categories: ['1', '10', '2'].map((name) => ({ name, color: '#102030', count: 1 })),
        missing: 1,
        chunks: [{ ...codes, ...whole }],
      },
      {
        kind: 'number',
        name: 'counts',
        dtype: 'float32',
        min: 0,
        max: 7.5,
        missing: 1,
        chunks: [{ ...counts, ...whole }],
      },
    ];
    manifest.gene_labels = [{ column: 'gene_ids', labels: ['ENSMUSG11', 'ENSMUSG22', ''] }];
  }
  files.set('manifest.json', utf8.encode(JSON.stringify(manifest)));
  return { manifest, files };
}

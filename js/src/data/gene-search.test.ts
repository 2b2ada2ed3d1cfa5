import { expect, test } from 'vitest';
import type { Manifest } from '../contract/manifest';
import { geneSearch } from './gene-search';

function search(genes: string[], labels: Record<string, string[]>, live: string[] = []) {
  const gene_labels = Object.entries(labels).map(([column, list]) => ({ column, labels: list }));
  const expression = { genes: genes.map((gene, index) => ({ gene, index, chunks: [] })) };
  return geneSearch({ gene_list: genes, gene_labels, expression } as unknown as Manifest, live);
}

const { find, named } = search(
  ['TP53', 'TP53BP1', 'GAPDH', 'p53', 'ENSG00000999999.7', 'line\nbreak'],
  {
    gene_ids: ['ENSG00000141510', 'ENSG00000067369.14', 'ENSG00000111640', '', '', 'broken'],
    alias: ['P53|LFS1 | BCC7', '53BP1; p202', 'G3PD,GAPD', '', 'GAPDH|LONELY', ''],
  },
  ['LIVE1', 'GAPDH'],
);
const genes = (query: string, limit = 9) => find(query, limit).map(({ gene }) => gene);

test.each([
  ['ENSG00000141510.18', 'TP53'], // stored without a version
  ['ensg00000067369', 'TP53BP1'], // stored with a version
  ['ENSG00000067369.2', 'TP53BP1'], // stored with another version
  ['ENSG00000999999', 'ENSG00000999999.7'],
  ['lfs1', 'TP53'],
  [' BCC7 ', 'TP53'],
  ['p202', 'TP53BP1'],
  ['gapd', 'GAPDH'],
  ['lonely', 'ENSG00000999999.7'],
  ['P53|LFS1 | BCC7', 'TP53'],
  ['live1', 'LIVE1'],
  ['line\nbreak', 'line\nbreak'],
])('%s names %s', (label, gene) => {
  expect(named(label)).toBe(gene);
  expect(genes(label)).toContain(gene);
});

test('a gene name takes precedence over an alias of another gene', () => {
  expect(named('p53')).toBe('p53');
  expect(named('P53')).toBe('p53');
  expect(named('gapdh')).toBe('GAPDH');
});

test.each(['', 'ENSG', 'P5', 'constructor', 'ENSG00000141510.x'])('“%s” matches no gene', (label) => {
  expect(named(label)).toBeUndefined();
});

test('exact matches come before prefixes and substrings, with the label that matched', () => {
  expect(genes('p53')).toEqual(['TP53', 'p53', 'TP53BP1']);
  expect(find('p53', 1)[0]?.label).toBe('P53');
  expect(find('p20', 1)).toMatchObject([{ gene: 'TP53BP1', label: 'p202' }]);
  expect(find('ensg00000141510.', 1)[0]?.gene).toBe('TP53');
  expect(find('ENSG00000067369.99', 1)[0]?.label).toBe('ENSG00000067369.14');
  expect(genes('tp53')).toEqual(['TP53', 'TP53BP1']);
  expect(find('broken', 1)).toMatchObject([{ gene: 'line\nbreak', label: 'broken' }]);
});

test('aliases are found among thirty thousand genes', () => {
  const many = Array.from({ length: 30_000 }, (_, i) => `GENE${i}`);
  const { find, named } = search(many, {
    gene_ids: many.map((_, i) => `ENSG${String(i).padStart(11, '0')}.${i % 9}`),
    alias: many.map((_, i) => `AL${i}A|AL${i}B|OLD-${i}`),
  });
  expect(find('al29999b', 9).map(({ gene }) => gene)).toEqual(['GENE29999']);
  expect(find('ENSG00000012345.77', 9).map(({ gene }) => gene)).toEqual(['GENE12345']);
  for (const i of [0, 12_345, 29_999]) expect(named(`old-${i}`)).toBe(`GENE${i}`);
}, 30_000);

test('a gene without a value in any cell is listed last, without a summary', () => {
  const entry = (gene: string, index: number, mean: number, missing?: number) => {
    const summary = { min: 0, max: 1, mean, fraction: mean, lower: 0, upper: 1, missing };
    return { gene, index, chunks: [], summary };
  };
  const manifest = {
    n_cells: 4,
    gene_list: ['none', 'low', 'some'],
    expression: { genes: [entry('none', 0, 0, 4), entry('low', 1, -0.5), entry('some', 2, 0.2, 3)] },
  };
  const hits = geneSearch(manifest as unknown as Manifest).find('', 9, 'mean');
  expect(hits.map(({ gene }) => gene)).toEqual(['some', 'low', 'none']);
  expect(hits.at(-1)?.summary).toBeNull();
});

test('genes are sorted by name and by variability; those without a rank come last', () => {
  const stated = [
    ['g10', 2],
    ['g2', null],
    ['a', 1],
  ] as const;
  const sorted = geneSearch({
    gene_list: stated.map(([gene]) => gene),
    expression: {
      genes: stated.map(([gene, rank], index) => ({ gene, index, chunks: [], variability_rank: rank })),
    },
  } as unknown as Manifest);
  const names = (query: string, order: 'file' | 'name' | 'variability') =>
    sorted.find(query, 9, order).map(({ gene }) => gene);
  expect(sorted.variable).toBe(true);
  expect(names('', 'file')).toEqual(['g10', 'g2', 'a']);
  expect(names('', 'name')).toEqual(['a', 'g2', 'g10']);
  expect(names('g', 'name')).toEqual(['g2', 'g10']);
  expect(names('', 'variability')).toEqual(['a', 'g10', 'g2']);
  expect(sorted.find('a', 1)[0]?.rank).toBe(1);
  expect(search(['x'], {}).find('', 1)).toMatchObject([{ gene: 'x', rank: null }]);
});

test('statistics of the live object replace those of the bundle; genes without a value come last', () => {
  const expression = { values: { kind: 'log1p' }, genes: [] };
  const live = ['none', 'low', 'high'];
  const manifest = (kind: string) =>
    ({ gene_list: [], n_cells: 4, expression: { ...expression, values: { kind } } }) as unknown as Manifest;
  const sorted = geneSearch(manifest('log1p'), live);
  const names = (order: 'mean' | 'fraction' | 'variability') =>
    sorted.find('', 9, order).map(({ gene }) => gene);
  expect(names('mean')).toEqual(live);
  sorted.take({ mean: [null, 1, 2], fraction: [null, 0.9, 0.1], rank: [3, 1, 2] });
  expect(names('mean')).toEqual(['high', 'low', 'none']);
  expect(names('fraction')).toEqual(['low', 'high', 'none']);
  expect(names('variability')).toEqual(['low', 'high', 'none']);
  expect(sorted.find('', 1, 'mean')[0]?.summary).toEqual({ mean: 2, fraction: 0.1 });
  expect(sorted.find('none', 1)[0]?.summary).toBeNull();
  const scaled = geneSearch(manifest('scaled'), live);
  expect([scaled.ranked, scaled.variable]).toEqual([true, false]);
});

import { expect, test } from 'vitest';
import { memorySource } from '../source/memory-source';
import { openBundle } from './bundle';
import { fixture } from './bundle-fixture';
import { genesOf } from './gene-list';

async function opened() {
  const { files, manifest } = await fixture('1.1.0', false);
  manifest.gene_labels = [{ column: 'gene_ids', labels: ['ENSMUSG11.3', 'ENSMUSG22', 'my gene'] }];
  files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  return openBundle(memorySource(files), { signal: new AbortController().signal });
}

test('a pasted list matches any case, alternative names, ids of any version and names with spaces', async () => {
  const bundle = await opened();
  expect(genesOf('actb, my gene\nPRL8A9; nope  nope', bundle)).toEqual({
    genes: ['Actb', '<script>', 'Prl8a9'],
    unknown: ['nope'],
  });
  for (const id of ['ENSMUSG11.3', 'ensmusg11', 'ENSMUSG11.4'])
    expect(genesOf(id, bundle)).toEqual({ genes: ['Actb'], unknown: [] });
  expect(genesOf('ENSMUSG22.1 ENSMUSG', bundle)).toEqual({ genes: ['Prl8a9'], unknown: ['ENSMUSG'] });
});

test('lists in Python or R syntax and names that contain separators are recognized', async () => {
  const bundle = await opened();
  for (const list of ['["Actb", \'Prl8a9\']', 'c("ACTB","prl8a9")', '“Actb”\n(Prl8a9)'])
    expect(genesOf(list, bundle)).toEqual({ genes: ['Actb', 'Prl8a9'], unknown: [] });
  expect(genesOf('"nope", ""', bundle)).toEqual({ genes: [], unknown: ['nope'] });
  const { files, manifest } = await fixture('1.1.0', false);
  manifest.gene_labels = [{ column: 'pair', labels: ['DRB1;DRB5', 'DRB1', 'CD3 epsilon'] }];
  files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  const pairs = await openBundle(memorySource(files), { signal: new AbortController().signal });
  expect(genesOf('DRB1;DRB5', pairs).genes).toEqual(['Actb']);
  expect(genesOf('CD3 epsilon', pairs).genes).toHaveLength(1);
});

test.each(['(', ')', '"', ' ', '[', 'c(', ',', '\n', 'c("'])(
  'text that consists only of %j is parsed in linear time',
  async (mark) => {
    const bundle = await opened();
    const many = mark.repeat(100_000);
    for (const text of [many, `${many}Actb`, `x${many}x`])
      expect(genesOf(text, bundle).genes.length).toBeLessThan(2);
  },
);

import { expect, test } from 'vitest';
import type { LiveMatrix } from '../contract/to-page';
import { fixture } from '../data/bundle-fixture';
import { toBase64 } from '../lib/bytes';
import { HostError } from '../lib/errors';
import type { BundleSource, Column, LiveChange } from '../source/bundle-source';
import { memorySource } from '../source/memory-source';
import { createActions } from './actions';
import { geneMeaningOf } from './color/gene-meaning';
import { valueAt } from './color/layer';
import { createLoader } from './loader';
import { createModel } from './model';
import type { ViewState } from './view-state';

const asJson = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Imitates a comparison in the kernel: returns the first byte of each mask as the mean of its group. */
const fakeComparison = (a: Uint8Array, b: Uint8Array) => {
  const numbers = { mean_a: a[0] ?? 0, mean_b: b[0] ?? 0, auc: Number.NaN };
  const encoded = Object.entries(numbers).map(([name, value]) => [
    name,
    toBase64(new Uint8Array(Float64Array.of(value).buffer)),
  ]);
  return asJson(Object.fromEntries(encoded));
};
const LIVE = {
  compare: async (a: Uint8Array, b: Uint8Array) => fakeComparison(a, b),
  genes: 'live/genes.json',
  columns: 'live/columns.json',
  statistics: 'live/statistics.json',
};

/** Returns a categorical column of four cells, read from `path`. */
const column = (name: string, path: string, categories: string[]): Column => ({
  kind: 'category',
  name,
  dtype: 'uint8',
  categories: categories.map((category) => ({ name: category, color: '#102030', count: 1 })),
  missing: 0,
  ordered: false,
  chunks: [{ path, start: 0, end: 4, size_bytes: 4 }],
});

/** Opens a small bundle with a live object that has one more gene. */
async function openLive(initial: Partial<ViewState> = {}, matrix: LiveMatrix | null = null) {
  const made = await fixture('1.1.0', true);
  const { files } = made;
  files.set('live/genes.json', asJson({ names: ['Live'], matrix }));
  files.set('live/columns.json', asJson([]));
  files.set('live/gene_0', new Uint8Array(Float32Array.from([1, 2, 3, 4]).buffer));
  let announce: (change: LiveChange) => void = () => {};
  const live = {
    ...LIVE,
    onChange: (listener: typeof announce) => {
      announce = listener;
      return () => {};
    },
  };
  const source: BundleSource = { ...memorySource(files), live };
  const model = createModel(initial);
  const loader = createLoader(model, source);
  const actions = createActions(model, loader);
  await loader.start();
  return { model, loader, actions, files, announce: (change: LiveChange) => announce(change) };
}

const COUNTS = { source: 'layer:counts', values: { kind: 'counts' as const, log_base: null } };
const annotation = (name: string) => ({ color: { kind: 'annotation' as const, column: name } });

test('a column of the live object is listed and colors the tissue as soon as it is announced', async () => {
  const { model, actions, files, announce } = await openLive();
  files.set('live/column_1', new Uint8Array([1, 0, 0, 1]));
  announce({ columns: [column('niche', 'live/column_1', ['rim', 'core'])], matrix: null });
  expect(model.columns.value.map(({ name }) => name)).toEqual(['cluster', 'counts', 'niche']);
  await actions.setState(annotation('niche'));
  expect(valueAt(model.layer.value, 0)).toBe('core');
});

test('the current color follows changes of its column and is reset when the column is removed', async () => {
  const { model, actions, loader, files, announce } = await openLive();
  files.set('live/column_1', new Uint8Array([1, 0, 0, 1]));
  files.set('live/column_2', new Uint8Array([0, 0, 0, 0]));
  announce({ columns: [column('cluster', 'live/column_1', ['rim', 'core'])], matrix: null });
  await loader.settled();
  expect(valueAt(model.layer.value, 0)).toBe('core');
  announce({ columns: [column('cluster', 'live/column_2', ['rim', 'core'])], matrix: null });
  await loader.settled();
  expect(valueAt(model.layer.value, 0)).toBe('rim');
  // The column of the bundle comes back.
  announce({ columns: [], matrix: null });
  await loader.settled();
  expect(valueAt(model.layer.value, 1)).toBe('10');
  announce({ columns: [column('niche', 'live/column_1', ['rim', 'core'])], matrix: null });
  await actions.setState(annotation('niche'));
  announce({ columns: [], matrix: null });
  await loader.settled();
  expect(model.state.value.color).toEqual(annotation('cluster').color);
});

test('genes are read again after the matrix of the live object has changed', async () => {
  const { model, actions, loader, files, announce } = await openLive();
  await actions.setState({ color: { kind: 'gene', gene: 'Live' } });
  expect(valueAt(model.layer.value, 3)).toBe(4);
  files.set('live/gene_0', new Uint8Array(Float32Array.from([9, 9, 9, 9]).buffer));
  announce({ columns: [], matrix: COUNTS });
  await loader.settled();
  expect(valueAt(model.layer.value, 3)).toBe(9);
});

test('exported genes are read from another matrix of the live object, with its meaning', async () => {
  const { model, actions, loader, files, announce } = await openLive();
  const [exported] = model.bundle.value?.manifest.gene_list ?? [];
  if (exported === undefined) throw new Error('the fixture has no genes');
  files.set('live/genes.json', asJson({ names: [exported], matrix: COUNTS }));
  await actions.setState({ color: { kind: 'gene', gene: exported } });
  const before = valueAt(model.layer.value, 3);
  announce({ columns: [], matrix: COUNTS });
  await loader.settled();
  // The live object of this test does not have this gene.
  expect(model.problem.value?.message).toContain(exported);

  // A page that opens later gets the matrix with the genes.
  const source = {
    ...memorySource(files),
    live: { ...LIVE, onChange: () => () => {} },
  };
  const later = createModel({ color: { kind: 'gene', gene: exported } });
  await createLoader(later, source).start();
  expect(valueAt(later.layer.value, 3)).toBe(4);
  expect(before).not.toBe(4);
  expect(geneMeaningOf(later).noun).toBe('counts');
  expect(later.bundle.value?.manifest.expression.source).toBe('layer:counts');
  // The statistics of the bundle belong to its own matrix.
  expect(later.bundle.value?.search.find('', 9, 'mean').some(({ summary }) => summary)).toBe(false);
  expect(later.bundle.value?.search.lacks('mean')).toBe(true);
});

test('genes of the live object are sorted by statistics that are read on demand', async () => {
  const { model, actions, files, announce } = await openLive();
  files.set('live/genes.json', asJson({ names: ['Live'], matrix: null }));
  const search = () => model.bundle.value?.search;
  const first = (order: 'mean' | 'variability') => search()?.find('', 1, order)[0]?.gene;
  expect([search()?.ranked, search()?.variable]).toEqual([true, true]);
  expect([search()?.lacks('mean'), search()?.lacks('name'), search()?.lacks('file')]).toEqual([
    true,
    false,
    false,
  ]);
  actions.setGeneOrder('mean');
  // If the kernel does not answer, an error is shown and genes are listed in file order, which needs no statistics.
  await actions.rankGenes();
  expect(model.geneOrder.value).toBe('file');
  expect(model.notices.value).toHaveLength(1);
  files.set('live/statistics.json', asJson({ mean: [1e3], fraction: [0.5], rank: [1] }));
  actions.setGeneOrder('mean');
  await actions.rankGenes();
  expect(model.geneOrder.value).toBe('mean');
  expect(search()?.lacks('mean')).toBe(false);
  expect([first('mean'), first('variability')]).toEqual(['Live', 'Live']);
  // The statistics of one matrix must not be used for another.
  announce({ columns: [], matrix: COUNTS });
  expect(search()?.lacks('mean')).toBe(true);
  model.lost.value = { reconnect: null, wanted: '' };
  files.delete('live/statistics.json');
  await actions.rankGenes();
  expect(model.lost.value.wanted).toBe('The gene order');
  expect(model.notices.value).toHaveLength(1);
});

test('labels of exported genes stay with their genes after the matrix has changed', async () => {
  const { model, files } = await openLive();
  const search = () => model.bundle.value?.search;
  const genes = model.bundle.value?.manifest.gene_list ?? [];
  const labels = genes.map((gene) => search()?.find(gene, 1)[0]?.label ?? '');
  expect(labels.filter((label) => label !== '').length).toBeGreaterThan(1);
  // The object lists its genes in a different order than the bundle.
  files.set('live/genes.json', asJson({ names: ['Live', ...[...genes].reverse()], matrix: COUNTS }));
  const live = { ...LIVE, onChange: () => () => {} };
  const later = createModel();
  await createLoader(later, { ...memorySource(files), live }).start();
  const after = genes.map((gene) => later.bundle.value?.search.find(gene, 1)[0]?.label ?? '');
  expect(after).toEqual(labels);
});

test('losing the kernel keeps the current color and its limits', async () => {
  const made = await fixture('1.1.0', true);
  let lose: (reconnect: (() => void) | null) => void = () => {};
  let gone = false;
  const memory = memorySource(made.files);
  const source: BundleSource = {
    ...memory,
    read: async (path, ctx) => {
      if (gone) throw new HostError(path, 'The kernel has stopped.');
      return memory.read(path, ctx);
    },
    onLost: (listener) => {
      lose = listener;
    },
  };
  const model = createModel();
  const loader = createLoader(model, source);
  const actions = createActions(model, loader);
  await loader.start();
  await actions.setState({ color: { kind: 'gene', gene: 'Actb' }, range: [1, 2] });
  gone = true;
  lose(null);
  expect(model.lost.value?.wanted).toBe('');
  await expect(actions.setState({ color: { kind: 'gene', gene: 'Prl8a9' } })).rejects.toThrow(
    'kernel has stopped',
  );
  expect(model.state.value.color).toEqual({ kind: 'gene', gene: 'Actb' });
  expect(model.state.value.range).toEqual([1, 2]);
  expect(valueAt(model.layer.value, 3)).toBe(3);
  expect(model.problem.value).toBeNull();
  expect(model.lost.value?.wanted).toBe('Prl8a9');
  // Failed background reads are not reported, because the user did not request them.
  await loader.loadRest();
  expect(model.notices.value).toEqual([]);
});

test('genes of the live object are compared in its kernel', async () => {
  const { model, loader } = await openLive();
  model.selection.value = { mask: Uint8Array.from([1, 1, 1, 0]), count: 3 };
  await loader.compare([{ kind: 'selection' }, { kind: 'rest' }]);
  expect(model.comparison.value?.problem).toContain('“Rest” has 1 visible cell.');
  // A group needs at least three cells, and the bundle has only four: call compareLive directly.
  const comparison = await model.bundle.value?.compareLive(Uint8Array.from([1, 0, 2, 2]), {
    signal: new AbortController().signal,
  });
  expect(comparison?.genes).toEqual(['Live']);
  expect([...(comparison?.columns.mean_a ?? [])]).toEqual([0b0001]);
  expect([...(comparison?.columns.mean_b ?? [])]).toEqual([0b1100]);
  expect(comparison?.columns.auc[0]).toBeNaN();
});

test('a view of the current matrix opens with its limits, one of another matrix without them', async () => {
  const state = { color: { kind: 'gene', gene: 'Live' }, range: [1, 2], matrix: COUNTS.source } as const;
  const { model, actions } = await openLive(state, COUNTS);
  expect(model.state.value).toMatchObject({ matrix: null, range: [1, 2] });
  expect(model.notices.value).toEqual([]);
  await expect(actions.setState({ matrix: 'X' })).rejects.toThrow(
    'shows the matrix layer:counts of the object, not “X”',
  );
  await actions.setState({ matrix: COUNTS.source, opacity: 0.5 });
  expect(model.state.value).toMatchObject({ matrix: null, range: [1, 2], opacity: 0.5 });
  const other = await openLive(state);
  expect(other.model.state.value).toMatchObject({ matrix: null, range: null });
  expect(other.model.notices.value.map(({ message }) => message)).toEqual([
    'The view shows the matrix X of the object, not “layer:counts”.',
  ]);
});

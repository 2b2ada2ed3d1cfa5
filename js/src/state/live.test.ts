import { expect, test } from 'vitest';
import { fixture } from '../data/bundle-fixture';
import { HostError } from '../lib/errors';
import type { BundleSource, Column, LiveChange } from '../source/bundle-source';
import { memorySource } from '../source/memory-source';
import { createActions } from './actions';
import { valueAt } from './color/layer';
import { createLoader } from './loader';
import { createModel } from './model';

const asJson = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

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
async function openLive() {
  const made = await fixture('1.1.0', true);
  const { files } = made;
  files.set('live/genes.json', asJson(['Live']));
  files.set('live/columns.json', asJson([]));
  files.set('live/gene_0', new Uint8Array(Float32Array.from([1, 2, 3, 4]).buffer));
  let tell: (change: LiveChange) => void = () => {};
  const live = {
    genes: 'live/genes.json',
    columns: 'live/columns.json',
    onChange: (listener: typeof tell) => {
      tell = listener;
      return () => {};
    },
  };
  const source: BundleSource = { ...memorySource(files), live };
  const model = createModel();
  const loader = createLoader(model, source);
  const actions = createActions(model, loader);
  await loader.start();
  return { model, loader, actions, files, tell: (change: LiveChange) => tell(change) };
}

const annotation = (name: string) => ({ color: { kind: 'annotation' as const, column: name } });

test('a column of the live object is listed and colors the tissue as soon as it is announced', async () => {
  const { model, actions, files, tell } = await openLive();
  files.set('live/column_1', new Uint8Array([1, 0, 0, 1]));
  tell({ columns: [column('niche', 'live/column_1', ['rim', 'core'])], genes: false });
  expect(model.columns.value.map(({ name }) => name)).toEqual(['cluster', 'counts', 'niche']);
  await actions.setState(annotation('niche'));
  expect(valueAt(model.layer.value, 0)).toBe('core');
});

test('the current color follows a column that changed, and ends with a column that is gone', async () => {
  const { model, actions, loader, files, tell } = await openLive();
  files.set('live/column_1', new Uint8Array([1, 0, 0, 1]));
  files.set('live/column_2', new Uint8Array([0, 0, 0, 0]));
  tell({ columns: [column('cluster', 'live/column_1', ['rim', 'core'])], genes: false });
  await loader.settled();
  expect(valueAt(model.layer.value, 0)).toBe('core');
  tell({ columns: [column('cluster', 'live/column_2', ['rim', 'core'])], genes: false });
  await loader.settled();
  expect(valueAt(model.layer.value, 0)).toBe('rim');
  // The column of the bundle comes back.
  tell({ columns: [], genes: false });
  await loader.settled();
  expect(valueAt(model.layer.value, 1)).toBe('10');
  tell({ columns: [column('niche', 'live/column_1', ['rim', 'core'])], genes: false });
  await actions.setState(annotation('niche'));
  tell({ columns: [], genes: false });
  await loader.settled();
  expect(model.state.value.color).toEqual(annotation('cluster').color);
});

test('genes are read again after the matrix of the live object has changed', async () => {
  const { model, actions, loader, files, tell } = await openLive();
  await actions.setState({ color: { kind: 'gene', gene: 'Live' } });
  expect(valueAt(model.layer.value, 3)).toBe(4);
  files.set('live/gene_0', new Uint8Array(Float32Array.from([9, 9, 9, 9]).buffer));
  tell({ columns: [], genes: true });
  await loader.settled();
  expect(valueAt(model.layer.value, 3)).toBe(9);
});

test('without a kernel, the color that is shown stays, with its limits', async () => {
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
});

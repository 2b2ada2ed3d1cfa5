import { expect, test } from 'vitest';
import { addMatrix, FIXTURE_GENES, fixture } from '../data/bundle-fixture';
import { memorySource } from '../source/memory-source';
import { createActions } from './actions';
import { geneMeaningOf } from './color/gene-meaning';
import { valueAt } from './color/layer';
import { createLoader } from './loader';
import { createModel } from './model';
import { savedView } from './save/saved-view';
import type { ViewState } from './view-state';

const COUNTS = 'layer:counts';
const RAW = { Actb: [5, 6, 7, 8], Only: [9, 9, 9, 1] };
const [, GENE] = Object.keys(FIXTURE_GENES) as [string, string];
const ofGene = (gene: string) => ({ color: { kind: 'gene' as const, gene } });

/** Opens a bundle with the matrices X, `layer:counts` and `raw`; `damage` may change its files first. */
async function opened(
  initial: Partial<ViewState> = {},
  damage: (files: Map<string, Uint8Array>) => void = () => {},
) {
  const made = await fixture('1.1.0', true);
  addMatrix(made, COUNTS, { Actb: [1, 2, 3, 4], [GENE]: [10, 20, 30, 40] });
  addMatrix(made, 'raw', RAW);
  damage(made.files);
  const model = createModel(initial);
  const loader = createLoader(model, memorySource(made.files));
  const actions = createActions(model, loader);
  await loader.start();
  return { model, actions };
}

type Opened = Awaited<ReturnType<typeof opened>>;
const source = ({ model }: Pick<Opened, 'model'>) => model.bundle.value?.manifest.expression.source;

test('matrices are listed in order', async () => {
  const { model } = await opened();
  expect(model.bundle.value?.matrices).toEqual(['X', COUNTS, 'raw']);
});

test('changing the matrix updates the color, its limits and its meaning', async () => {
  const { model, actions } = await opened(ofGene(GENE));
  expect(valueAt(model.layer.value, 3)).toBe(5);
  await actions.setState({ range: [1, 2] });
  await actions.setState({ matrix: COUNTS });
  expect(valueAt(model.layer.value, 3)).toBe(40);
  expect(model.state.value.range).toBeNull();
  expect(geneMeaningOf(model).noun).toBe('counts');
  expect(model.layer.value).toMatchObject({ label: `${GENE} (${COUNTS})` });
  await actions.setState({ matrix: null });
  expect(valueAt(model.layer.value, 3)).toBe(5);
  expect(model.layer.value).toMatchObject({ label: GENE });
});

test('changing the matrix keeps the limits of an annotation', async () => {
  const { model, actions } = await opened({ color: { kind: 'annotation', column: 'counts' } });
  await actions.setState({ range: [1, 2] });
  await actions.setState({ matrix: COUNTS });
  expect(model.state.value.range).toEqual([1, 2]);
});

test('a matrix has its own genes; errors name the matrix that lacks a gene', async () => {
  const { model, actions } = await opened();
  await actions.setState({ matrix: 'raw', ...ofGene('Only') });
  expect(valueAt(model.layer.value, 0)).toBe(9);
  expect(model.bundle.value?.genes.count).toBe(2);
  actions.setMatrix(COUNTS);
  await expect.poll(() => model.problem.value?.message).toBe(`The matrix ${COUNTS} has no gene “Only”.`);
  await expect(actions.setState(ofGene('Nothing'))).rejects.toThrow(COUNTS);
});

test('naming the first matrix is the same as naming no matrix', async () => {
  const { model, actions } = await opened({ matrix: COUNTS, ...ofGene(GENE) });
  expect(valueAt(model.layer.value, 3)).toBe(40);
  actions.setMatrix('X');
  await expect.poll(() => valueAt(model.layer.value, 3)).toBe(5);
  expect(model.state.value.matrix).toBeNull();
});

test('a view with an unknown matrix is applied without the matrix and the limits', async () => {
  const { model, actions } = await opened();
  const state = { matrix: 'layer:gone', ...ofGene(GENE), opacity: 0.5, range: [7, 8] as const };
  await expect(actions.openView({ karospace_view: 1, n_cells: 4, state })).rejects.toThrow('layer:gone');
  expect(model.state.value).toMatchObject({ matrix: null, opacity: 0.5, range: null, ...ofGene(GENE) });
  const later = await opened(state as Partial<ViewState>);
  expect(later.model.state.value).toMatchObject({ matrix: null, range: null, ...ofGene(GENE) });
  expect(later.model.notices.value).toHaveLength(1);
});

test('the later of two choices is shown', async () => {
  const made = await opened(ofGene('Actb'));
  const first = made.actions.setState({ matrix: COUNTS });
  const second = made.actions.setState({ matrix: 'raw' });
  await expect(first).rejects.toThrow();
  await second;
  expect([made.model.state.value.matrix, source(made)]).toEqual(['raw', 'raw']);
  expect(valueAt(made.model.layer.value, 0)).toBe(5);
});

test('a gene that was set together with a superseded matrix is discarded with it', async () => {
  const { model, actions } = await opened(ofGene('Actb'));
  const first = actions.setState({ matrix: 'raw', ...ofGene('Only') });
  const second = actions.setState({ matrix: COUNTS });
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  await second;
  expect(model.state.value).toMatchObject({ matrix: COUNTS, ...ofGene('Actb') });
  // Both matrices are loaded already, so only the other fields are awaited.
  const third = actions.setState({ matrix: 'raw', ...ofGene('Only'), groupBy: 'cluster' });
  const fourth = actions.setState({ matrix: null });
  await expect(third).rejects.toMatchObject({ name: 'AbortError' });
  await fourth;
  expect(model.state.value).toMatchObject({ matrix: null, ...ofGene('Actb') });
  expect(model.problem.value).toBeNull();
});

test('a gene that was chosen while the matrix changed is checked against the matrix that is shown', async () => {
  const { model, actions } = await opened(ofGene('Actb'));
  const first = actions.setState({ ...ofGene(GENE), groupBy: 'cluster' });
  await actions.setState({ matrix: 'raw' });
  await first.catch(() => {});
  expect(model.state.value).toMatchObject({ matrix: 'raw', ...ofGene('Actb') });
});

test('a score keeps the genes that the matrix has, and the score of a gene set starts from the whole set', async () => {
  const genes = ['Actb', 'Only', GENE];
  const { model, actions } = await opened({ geneSets: [{ name: 'mine', genes }] });
  const score = (name: string, ...of: string[]) => ({ color: { kind: 'score' as const, name, genes: of } });
  await actions.setState(score('mine', 'Actb', GENE));
  await actions.setState({ matrix: 'raw' });
  expect(model.state.value).toMatchObject({ matrix: 'raw', ...score('mine', 'Actb', 'Only') });
  expect(valueAt(model.layer.value, 0)).toBe(7);
  expect(model.hint.value?.text).toBe('raw lacks 1 gene of the score');
  await actions.setState({ matrix: null });
  expect(model.state.value).toMatchObject(score('mine', 'Actb', GENE));
  await actions.setState(score('typed', 'Actb', GENE));
  await actions.setState({ matrix: 'raw' });
  expect(model.state.value).toMatchObject(score('typed', 'Actb'));
  expect(model.problem.value).toBeNull();
});

test('a saved view names its matrix, and opens with its limits', async () => {
  const { model, actions } = await opened(ofGene(GENE));
  await actions.setState({ range: [1, 2] });
  const saved = savedView(model);
  expect(saved.state).toMatchObject({ matrix: 'X', range: [1, 2] });
  await actions.setState({ matrix: COUNTS });
  await actions.openView(saved);
  expect(model.state.value).toMatchObject({ matrix: null, range: [1, 2] });
  const reopened = await opened(saved.state as Partial<ViewState>);
  expect(reopened.model.state.value).toMatchObject({ matrix: null, range: [1, 2] });
  expect(savedView(model, { whole: false }).state).not.toHaveProperty('matrix');
});

test('a damaged matrix leaves the others usable', async () => {
  const made = await opened(ofGene('Actb'), (files) => {
    files.set('assets/packed_1/index.bin', new Uint8Array(8));
  });
  made.actions.setMatrix(COUNTS);
  await expect.poll(() => made.model.notices.value.length).toBe(1);
  expect([made.model.state.value.matrix, source(made) ?? 'X']).toEqual([null, 'X']);
  await made.actions.setState({ matrix: 'raw' });
  expect(valueAt(made.model.layer.value, 0)).toBe(5);
});

test('invalid entries of other_matrices are ignored', async () => {
  const made = await fixture('1.1.0', true);
  Object.assign(made.manifest, { other_matrices: [null, { packed: 3 }, 'x'] });
  made.files.set('manifest.json', new TextEncoder().encode(JSON.stringify(made.manifest)));
  const model = createModel();
  await createLoader(model, memorySource(made.files)).start();
  expect(model.bundle.value?.matrices).toEqual(['X']);
});

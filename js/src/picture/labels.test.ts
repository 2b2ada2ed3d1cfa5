import { expect, test } from 'vitest';
import { openedModel } from '../state/model-fixture';
import { update } from '../state/state-model';
import { labelsOf } from './labels';
import type { Measure } from './marks';

const measure: Measure = (text, size) => text.length * size * 0.55;

test('visible categories are named while labels are on', async () => {
  const { model, actions } = await openedModel();
  actions.resize({ width: 800, height: 600 });
  const column = model.columns.value.find(({ kind }) => kind === 'category');
  if (!column) throw new Error('The fixture has no categories.');
  await actions.setState({ color: { kind: 'annotation', column: column.name } });
  expect(labelsOf(model, measure)).toEqual([]);
  actions.setLabels(true);
  const names = () => labelsOf(model, measure).map(({ text }) => text);
  expect(names().length).toBeGreaterThan(0);
  const [first = ''] = names();
  actions.toggleCategories(column.name, [first]);
  expect(names()).not.toContain(first);
  actions.toggleCategories(column.name, [first]);
  expect(names()).toContain(first);
  await actions.setState({ color: { kind: 'none' }, groupBy: null });
  expect(names()).toEqual([]);
});

test('a title replaces the dataset name until it is blank or the same', async () => {
  const { model, actions } = await openedModel();
  const name = model.bundle.value?.manifest.dataset_name ?? '';
  expect(model.title.value).toBe(name);
  actions.setTitle(' Ileum, day 3 ');
  expect([model.title.value, model.state.value.title]).toEqual(['Ileum, day 3', 'Ileum, day 3']);
  actions.setTitle('  ');
  expect([model.title.value, model.state.value.title]).toEqual([name, null]);
  actions.setTitle(name);
  expect(model.state.value.title).toBe(null);
});

test('a valid scale of the view replaces that of the bundle, but not for embeddings', async () => {
  const { model, actions } = await openedModel();
  expect(model.unitUm.value).toBe(0.5);
  actions.setUmPerUnit(2);
  expect(model.unitUm.value).toBe(2);
  actions.setUmPerUnit(Number.NaN);
  expect(model.unitUm.value, 'an invalid scale is ignored').toBe(2);
  update(model, { layout: { kind: 'embedding', name: 'X_umap' } });
  expect(model.unitUm.value).toBe(null);
  update(model, { layout: { kind: 'tissue' } });
  expect(model.unitUm.value).toBe(2);
  actions.setUmPerUnit(null);
  expect(model.unitUm.value).toBe(0.5);
});

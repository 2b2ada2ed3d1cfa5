import { expect, test } from 'vitest';
import { fixture } from '../data/bundle-fixture';
import { memorySource } from '../source/memory-source';
import { createActions } from './actions';
import { valueAt } from './color/layer';
import { createLoader } from './loader';
import { createModel } from './model';

test('an eager loader has every column before its host disappears', async () => {
  const made = await fixture('1.1.0', true);
  const model = createModel();
  const loader = createLoader(model, memorySource(made.files), { eager: true });
  const actions = createActions(model, loader);
  await loader.start();
  await loader.loadRest();
  made.files.clear();
  for (const { name } of model.columns.value) {
    await actions.setState({ color: { kind: 'annotation', column: name } });
    expect(valueAt(model.layer.value, 0)).not.toBeNull();
  }
  expect(model.problem.value).toBeNull();
});

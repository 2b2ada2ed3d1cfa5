import { fixture } from '../data/bundle-fixture';
import { memorySource } from '../source/memory-source';
import { createActions } from './actions';
import { createLoader } from './loader';
import { createModel } from './model';
import type { ViewState } from './view-state';

/** Opens a small bundle; returns its model, loader and actions. */
export async function openedModel(initial: Partial<ViewState> = {}, far: readonly [number, number] = [0, 0]) {
  const made = await fixture('1.1.0', true, far);
  const model = createModel(initial);
  const loader = createLoader(model, memorySource(made.files));
  const actions = createActions(model, loader);
  await loader.start();
  return { model, loader, actions, made };
}

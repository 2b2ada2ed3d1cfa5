import { expect, test } from 'vitest';
import { fixture } from '../../data/bundle-fixture';
import { memorySource } from '../../source/memory-source';
import { createActions } from '../actions';
import { createLoader } from '../loader';
import { createModel } from '../model';
import { savedView } from '../save/saved-view';
import type { ViewState } from '../view-state';

/** Opens a bundle of four cells with edges 0–1 and 1–3; `damage` gives the second an invalid cell. */
async function opened(damage = false, initial: Partial<ViewState> = {}) {
  const { files, manifest } = await fixture('1.1.0', false);
  const header = new Uint8Array(Uint32Array.of(0x4e50534b, 1, 4, 2).buffer);
  const bytes = new Uint8Array([...header, 1, 1, 0, 0, 0, damage ? 9 : 1]);
  files.set('assets/neighbors_000.bin', bytes);
  manifest.asset_files.push({
    kind: 'neighbors',
    path: 'assets/neighbors_000.bin',
    size_bytes: bytes.length,
  });
  manifest.neighbors = { version: 1, source: 'nearest:6', n_edges: 2, paths: ['assets/neighbors_000.bin'] };
  files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  const model = createModel(initial);
  const loader = createLoader(model, memorySource(files));
  const actions = createActions(model, loader);
  await loader.start();
  return { model, actions };
}

test('neighbors are shown until they are switched off', async () => {
  const { model, actions } = await opened();
  actions.setNeighbors(true);
  await expect.poll(() => Array.from(model.graph.value?.cells ?? [])).toEqual([1, 0, 3, 1]);
  actions.setNeighbors(false);
  expect(model.graph.value).toBeNull();
});

test('neighbors that are switched off while they load stay hidden', async () => {
  const { model, actions } = await opened();
  actions.setNeighbors(true);
  actions.setNeighbors(false);
  await actions.readNeighborhoods(
    { kind: 'category', name: 'x', categories: [], codes: new Uint8Array(4), missing: 4 },
    null,
    new AbortController().signal,
  );
  expect(model.graph.value).toBeNull();
});

test('damaged neighbors are reported and switched off', async () => {
  const { model, actions } = await opened(true);
  actions.setNeighbors(true);
  await expect.poll(() => model.state.value.neighbors).toBe(false);
  expect(model.notices.value.map(({ message }) => message).join()).toContain('the neighbors are damaged');
});

test('a view restores the neighbors switch, and an older view leaves it unchanged', async () => {
  const { model, actions } = await opened(false, { neighbors: true });
  await expect.poll(() => model.graph.value?.cells.length).toBe(4);
  const view = savedView(model);
  expect(view.state).toMatchObject({ neighbors: true });
  actions.setNeighbors(false);
  await actions.openView(view);
  await expect.poll(() => model.graph.value?.cells.length).toBe(4);
  const { neighbors: _, ...older } = view.state;
  await actions.openView({ ...view, state: older });
  expect(model.state.value.neighbors).toBe(true);
});

test('neighborhoods and the dot plot replace each other', async () => {
  const { model, actions } = await opened();
  actions.showDots(['Actb']);
  actions.showNeighborhoods(true);
  expect(model.dotGenes.value).toBeNull();
  actions.showDots(['Actb']);
  expect(model.neighborhoods.value).toBe(false);
});

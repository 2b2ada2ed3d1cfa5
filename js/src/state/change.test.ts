import { describe, expect, test } from 'vitest';
import { fixture } from '../data/bundle-fixture';
import { memorySource } from '../source/memory-source';
import { createActions } from './actions';
import { createLoader } from './loader';
import { createModel } from './model';
import type { ViewState } from './view-state';

/** Opens a bundle with two embeddings and two sections; the first embedding arrives only when `arrive` is called. */
async function opened(initial: Partial<ViewState> = {}) {
  const made = await fixture('1.1.0', true);
  const path = 'assets/columnar/umap.bin';
  const points = new Uint8Array(Float32Array.of(0, 0, 1, 1, 2, 2, 3, 3).buffer);
  made.files.set(path, points);
  const chunks = [{ path, start: 0, end: 4, size_bytes: points.length }];
  const embedding = (name: string, files: typeof chunks) => ({
    name,
    label: name.slice(2),
    extent: [0, 0, 3, 3],
    dtype: 'float32',
    chunks: files,
  });
  const tsne = 'assets/columnar/tsne.bin';
  made.files.set(tsne, points);
  const [cluster] = made.manifest.columns ?? [];
  Object.assign(made.manifest, {
    columns: [...(made.manifest.columns ?? []), { ...cluster, name: 'ok' }],
    embeddings: [embedding('X_umap', chunks), embedding('X_tsne', [{ ...chunks[0], path: tsne } as never])],
    sections: {
      column: 'cluster',
      overlapping: false,
      missing: 2,
      items: ['1', '10'].map((name, at) => ({ name, count: 1, extent: [at, at, at + 1, at + 1] })),
    },
  });
  made.files.set('manifest.json', new TextEncoder().encode(JSON.stringify(made.manifest)));
  let arrive = () => {};
  const gate = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const inMemory = memorySource(made.files);
  const source: typeof inMemory = {
    ...inMemory,
    async read(requested, ctx) {
      if (requested === path) await gate;
      return inMemory.read(requested, ctx);
    },
  };
  const model = createModel(initial);
  const loader = createLoader(model, source);
  const actions = createActions(model, loader);
  await loader.start();
  return { model, actions, arrive, loadRest: loader.loadRest };
}

const UMAP = { kind: 'embedding', name: 'X_umap' } as const;
const TSNE = { kind: 'embedding', name: 'X_tsne' } as const;
const TISSUE = { kind: 'tissue' } as const;

describe('the last of two choices wins', () => {
  test.each([TISSUE, TSNE])('for the layout: %o', async (last) => {
    const { model, actions, arrive } = await opened();
    const early = actions.setState({ layout: UMAP, opacity: 0.5 });
    expect(model.task.value?.label).toBe('umap');
    const late = actions.setState({ layout: last });
    arrive();
    await expect(early).rejects.toThrow(/Something else was chosen/);
    await late;
    expect(model.state.value.layout).toEqual(last);
    // The other fields of the first change are applied.
    expect(model.state.value.opacity).toBe(0.5);
    expect(model.task.value).toBeNull();
  });

  test('for the second view, without affecting the main view', async () => {
    const { model, actions, arrive } = await opened();
    const front = actions.setState({ layout: UMAP });
    const early = actions.setState({ beside: UMAP });
    const late = actions.setState({ beside: TSNE });
    arrive();
    await expect(early).rejects.toThrow(/Something else was chosen/);
    await Promise.all([front, late]);
    expect(model.state.value).toMatchObject({ layout: UMAP, beside: TSNE });
  });
});

test('a second view chosen while a layout is loading is kept', async () => {
  const { model, actions, arrive } = await opened();
  const early = actions.setState({ layout: UMAP, beside: TISSUE });
  await actions.setState({ beside: TSNE });
  arrive();
  await expect(early).rejects.toThrow(/Something else was chosen/);
  expect(model.state.value).toMatchObject({ layout: UMAP, beside: TSNE });
});

describe('a change that asks for something the bundle does not have', () => {
  const camera = { x: 1, y: 2, zoom: 3 };

  test('is applied without that field and those that depend on it', async () => {
    const { model, actions } = await opened();
    const before = model.state.value;
    const change = actions.setStateOrRest({
      color: { kind: 'gene', gene: 'none' },
      range: [5, 6],
      layout: TSNE,
      camera,
      opacity: 0.5,
    });
    await expect(change).rejects.toThrow(/no gene “none”/);
    expect(model.state.value).toMatchObject({ color: before.color, range: null, layout: TSNE, camera });
    expect(model.state.value.opacity).toBe(0.5);
  });

  test('does not apply the camera of a missing layout', async () => {
    const { model, actions } = await opened();
    const before = model.state.value;
    const gene = { kind: 'gene', gene: 'Actb' } as const;
    const layout = { kind: 'embedding', name: 'none' } as const;
    const change = actions.setStateOrRest({ color: gene, range: [0, 2], layout, camera });
    await expect(change).rejects.toThrow(/no embedding “none”/);
    expect(model.state.value).toMatchObject({ color: gene, range: [0, 2], layout: TISSUE });
    expect(model.state.value.camera).toEqual(before.camera);
  });

  test('is rejected entirely by setState', async () => {
    const { model, actions } = await opened();
    const before = model.state.value;
    const change = actions.setState({ opacity: 0.5, layout: { kind: 'section', name: 'none' } });
    await expect(change).rejects.toThrow(/no section/);
    expect(model.state.value).toBe(before);
  });
});

describe('the camera', () => {
  test('fits all cells if set to null', async () => {
    const { model, actions } = await opened();
    const fitted = model.state.value.camera;
    actions.setCamera({ x: 0, y: 0, zoom: 40 });
    await actions.setState({ camera: null });
    expect(model.state.value.camera).toEqual(fitted);
  });

  test('is limited to the maximum zoom and ignores infinite values', async () => {
    const { model, actions } = await opened();
    await actions.setState({ camera: { x: 1, y: 2, zoom: 1e9 } });
    expect(model.state.value.camera).toEqual({ x: 1, y: 2, zoom: 2000 });
    await actions.setState({ camera: { x: 1, y: 2, zoom: Number.POSITIVE_INFINITY } });
    expect(model.state.value.camera).toEqual({ x: 1, y: 2, zoom: 2000 });
  });
});

test('the outline of a selection is removed with the layout it was drawn in', async () => {
  const { model, actions } = await opened();
  actions.select(Uint32Array.of(0, 1), 'replace', [0, 0, 1, 0, 1, 1]);
  await actions.setState({ opacity: 0.5 });
  expect(model.outline.value).not.toBeNull();
  await actions.setState({ layout: { kind: 'sections', order: 'file' } });
  expect(model.outline.value).toBeNull();
  expect(model.selection.value?.count).toBe(2);
});

test('the number of columns of sections follows the window unless it was chosen', async () => {
  const { model, actions } = await opened();
  actions.resize({ width: 900, height: 200 });
  await actions.setState({ layout: { kind: 'sections', order: 'file' } });
  expect(model.gridColumns.value).toBe(2);
  const wide = model.state.value.camera;
  actions.zoom(3);
  actions.resize({ width: 200, height: 900 });
  expect(model.gridColumns.value).toBe(1);
  expect(model.state.value.camera).toEqual(wide);
  await actions.setState({ layout: { kind: 'sections', order: 'file', columns: 2 } });
  expect(model.gridColumns.value).toBe(2);
});

test('a grouping set together with an annotation is kept', async () => {
  const { model, actions } = await opened();
  const color = { kind: 'annotation', column: 'cluster' } as const;
  await actions.setState({ color: { kind: 'gene', gene: 'Actb' } });
  await actions.setState({ color, groupBy: 'ok' });
  expect(model.state.value.groupBy).toBe('ok');
  await actions.setState({ color: { kind: 'gene', gene: 'Actb' } });
  await actions.setState({ color });
  expect(model.state.value.groupBy).toBe('cluster');
});

test('signed values use a diverging color map unless another one was chosen', async () => {
  const { model, actions } = await opened();
  await actions.setState({ color: { kind: 'gene', gene: '<script>' } });
  expect(model.colormap.value).toBe('rdbu');
  const [low, high] = model.range.value;
  expect(low).toBe(-high);
  await actions.setState({ color: { kind: 'gene', gene: 'Actb' } });
  expect(model.colormap.value).toBe('viridis');
  await actions.setState({ colormap: 'magma', color: { kind: 'gene', gene: '<script>' } });
  expect(model.colormap.value).toBe('magma');
});

test('fields changed while a layout is loading are kept', async () => {
  const { model, actions, arrive } = await opened();
  const opening = actions.openView({
    layout: UMAP,
    color: { kind: 'gene', gene: 'Actb' },
    theme: 'dark',
    opacity: 0.5,
  });
  actions.setColor({ kind: 'annotation', column: 'ok' });
  actions.setTheme('light');
  arrive();
  await expect(opening).rejects.toThrow('Something else was chosen');
  expect(model.state.value).toMatchObject({ layout: UMAP, theme: 'light', opacity: 0.5 });
  expect(model.layer.value.color).toEqual({ kind: 'annotation', column: 'ok' });
});

test('the camera of the second view is reset with its layout', async () => {
  const { model, actions, arrive } = await opened();
  arrive();
  const besideCamera = { x: 1, y: 2, zoom: 3 };
  await actions.setState({ beside: UMAP, besideCamera });
  expect(model.state.value.besideCamera).toEqual(besideCamera);
  await actions.setState({ turn: 90 });
  expect(model.state.value.besideCamera).toEqual(besideCamera);
  await actions.setState({ beside: TSNE });
  expect(model.state.value.besideCamera).toBeNull();
});

test('a numeric annotation is rejected as a grouping, and an invalid color is ignored', async () => {
  const { model, actions } = await opened();
  await expect(actions.setState({ groupBy: 'counts' })).rejects.toThrow('no categorical annotation “counts”');
  expect(model.group.value?.name).not.toBe('counts');
  const { color } = model.state.value;
  await actions.setState({ color: 'EPCAM' as never });
  await actions.setState({ color: { kind: 'score', name: '', genes: 5 } as never });
  expect(model.state.value.color).toBe(color);
});

describe('an initial view that asks for something the bundle does not have', () => {
  test('keeps its layout if the second view is missing', async () => {
    const layout = { kind: 'sections', order: 'file' } as const;
    const { model } = await opened({ layout, beside: { kind: 'embedding', name: 'X_none' } });
    expect(model.state.value).toMatchObject({ layout, beside: null });
    expect(model.notices.value.map(({ message }) => message)).toEqual([
      'The bundle has no embedding “X_none”.',
    ]);
  });

  test('shows another color and a notice', async () => {
    const { model } = await opened({ color: { kind: 'gene', gene: 'NONE' } });
    expect(model.layer.value.color).toEqual({ kind: 'annotation', column: 'cluster' });
    expect(model.notices.value.map(({ message }) => message)).toEqual(['The bundle has no gene “NONE”.']);
  });

  test('uses another grouping and shows a notice', async () => {
    const { model, loadRest } = await opened({ groupBy: 'none' });
    await loadRest();
    expect(model.group.value?.name).toBe('cluster');
    expect(model.notices.value.map(({ message }) => message)).toEqual([
      'The bundle has no annotation “none”.',
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import { fixture } from '../data/bundle-fixture';
import { memorySource } from '../source/memory-source';
import { createActions } from './actions';
import { createLoader } from './loader';
import { createModel } from './model';
import type { ViewState } from './view-state';

/** A bundle with two embeddings and two sections, whose first embedding comes when `come` is called. */
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
  const quick = 'assets/columnar/tsne.bin';
  made.files.set(quick, points);
  Object.assign(made.manifest, {
    embeddings: [embedding('X_umap', chunks), embedding('X_tsne', [{ ...chunks[0], path: quick } as never])],
    sections: {
      column: 'cluster',
      overlapping: false,
      missing: 2,
      items: ['1', '10'].map((name, at) => ({ name, count: 1, extent: [at, at, at + 1, at + 1] })),
    },
  });
  made.files.set('manifest.json', new TextEncoder().encode(JSON.stringify(made.manifest)));
  let come = () => {};
  const gate = new Promise<void>((resolve) => {
    come = resolve;
  });
  const inMemory = memorySource(made.files);
  const source: typeof inMemory = {
    ...inMemory,
    async read(asked, ctx) {
      if (asked === path) await gate;
      return inMemory.read(asked, ctx);
    },
  };
  const model = createModel(initial);
  const loader = createLoader(model, source);
  const actions = createActions(model, loader);
  await loader.start();
  return { model, actions, come };
}

const UMAP = { kind: 'embedding', name: 'X_umap' } as const;
const TSNE = { kind: 'embedding', name: 'X_tsne' } as const;
const TISSUE = { kind: 'tissue' } as const;

describe('of two choices the last one stays', () => {
  test.each([TISSUE, TSNE])('where cells stand: %o', async (last) => {
    const { model, actions, come } = await opened();
    const early = actions.setState({ layout: UMAP, opacity: 0.5 });
    expect(model.task.value?.label).toBe('umap');
    const late = actions.setState({ layout: last });
    come();
    await expect(early).rejects.toThrow(/Something else/);
    await late;
    expect(model.state.value.layout).toEqual(last);
    // What else the first one asked for holds.
    expect(model.state.value.opacity).toBe(0.5);
    expect(model.task.value).toBeNull();
  });

  test('what stands beside, which leaves the place in front alone', async () => {
    const { model, actions, come } = await opened();
    const front = actions.setState({ layout: UMAP });
    const early = actions.setState({ beside: UMAP });
    const late = actions.setState({ beside: TSNE });
    come();
    await expect(early).rejects.toThrow(/Something else/);
    await Promise.all([front, late]);
    expect(model.state.value).toMatchObject({ layout: UMAP, beside: TSNE });
  });
});

test('what was chosen while another space was on its way stays', async () => {
  const { model, actions, come } = await opened();
  const early = actions.setState({ layout: UMAP, beside: TISSUE });
  await actions.setState({ beside: TSNE });
  come();
  await expect(early).rejects.toThrow(/Something else/);
  expect(model.state.value).toMatchObject({ layout: UMAP, beside: TSNE });
});

describe('what the bundle does not have', () => {
  const camera = { x: 1, y: 2, zoom: 3 };

  test('goes with what belongs to it, and the rest holds', async () => {
    const { model, actions } = await opened();
    const before = model.state.value;
    const asked = actions.setStateOrRest({
      color: { kind: 'gene', gene: 'none' },
      range: [5, 6],
      layout: TSNE,
      camera,
      opacity: 0.5,
    });
    await expect(asked).rejects.toThrow(/no gene “none”/);
    expect(model.state.value).toMatchObject({ color: before.color, range: null, layout: TSNE, camera });
    expect(model.state.value.opacity).toBe(0.5);
  });

  test('a camera of a space that is not there does not look elsewhere', async () => {
    const { model, actions } = await opened();
    const before = model.state.value;
    const gene = { kind: 'gene', gene: 'Actb' } as const;
    const layout = { kind: 'embedding', name: 'none' } as const;
    const asked = actions.setStateOrRest({ color: gene, range: [0, 2], layout, camera });
    await expect(asked).rejects.toThrow(/no embedding “none”/);
    expect(model.state.value).toMatchObject({ color: gene, range: [0, 2], layout: TISSUE });
    expect(model.state.value.camera).toEqual(before.camera);
  });

  test('is refused whole where nobody asked for the rest', async () => {
    const { model, actions } = await opened();
    const before = model.state.value;
    const asked = actions.setState({ opacity: 0.5, layout: { kind: 'section', name: 'none' } });
    await expect(asked).rejects.toThrow(/no section/);
    expect(model.state.value).toBe(before);
  });
});

describe('the camera', () => {
  test('null is all cells in view', async () => {
    const { model, actions } = await opened();
    const fitted = model.state.value.camera;
    actions.setCamera({ x: 0, y: 0, zoom: 40 });
    await actions.setState({ camera: null });
    expect(model.state.value.camera).toEqual(fitted);
  });

  test('comes no nearer than cells can be told apart, and is never infinite', async () => {
    const { model, actions } = await opened();
    await actions.setState({ camera: { x: 1, y: 2, zoom: 1e9 } });
    expect(model.state.value.camera).toEqual({ x: 1, y: 2, zoom: 2000 });
    await actions.setState({ camera: { x: 1, y: 2, zoom: Number.POSITIVE_INFINITY } });
    expect(model.state.value.camera).toEqual({ x: 1, y: 2, zoom: 2000 });
  });
});

test('the line around a selection belongs to the space that it was drawn in', async () => {
  const { model, actions } = await opened();
  actions.select(Uint32Array.of(0, 1), 'replace', [0, 0, 1, 0, 1, 1]);
  await actions.setState({ opacity: 0.5 });
  expect(model.outline.value).not.toBeNull();
  await actions.setState({ layout: { kind: 'sections', order: 'file' } });
  expect(model.outline.value).toBeNull();
  expect(model.selection.value?.count).toBe(2);
});

test('rows of sections follow the window, unless their number was chosen', async () => {
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

test('a split that was chosen stays with an annotation that was chosen with it', async () => {
  const { model, actions } = await opened();
  const color = { kind: 'annotation', column: 'cluster' } as const;
  await actions.setState({ color: { kind: 'gene', gene: 'Actb' } });
  await actions.setState({ color, groupBy: 'counts' });
  expect(model.state.value.groupBy).toBe('counts');
  await actions.setState({ color: { kind: 'gene', gene: 'Actb' } });
  await actions.setState({ color });
  expect(model.state.value.groupBy).toBe('cluster');
});

test('values on both sides of zero are blue and red, unless a map was chosen', async () => {
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

import { expect, test } from 'vitest';
import { openBundle } from '../data/bundle';
import { fixture } from '../data/bundle-fixture';
import { project } from '../lib/camera';
import { memorySource } from '../source/memory-source';
import { NO_LAYER } from '../state/color/layer';
import { openedModel } from '../state/model-fixture';
import { openedView, savedView } from '../state/save/saved-view';
import { csvOf, TISSUE_AXES } from './table';

const FAR = [1e7 + 0.25, -3e7 + 0.5] as const;
const XY = [0, 10, 5, 20, 10, 30, 15, 40];
const ctx = () => ({ signal: new AbortController().signal });

test.each(['columnar', 'tables', 'columnar without an origin'])(
  'coordinates far from zero stay exact: %s',
  async (kind) => {
    const { manifest, files } = await fixture(kind === 'tables' ? '1.0.0' : '1.1.0', true, FAR);
    if (kind === 'columnar without an origin' && manifest.coordinates) {
      const { origin: _, ...rest } = manifest.coordinates;
      const old = { ...manifest, coordinates: rest };
      files.set('manifest.json', new TextEncoder().encode(JSON.stringify(old)));
    }
    const bundle = await openBundle(memorySource(files), ctx());
    const { coords, extent, origin = [0, 0] } = await bundle.positions(ctx());
    expect([...coords].map((value, i) => value + (origin[i % 2] ?? 0))).toEqual(
      XY.map((value, i) => value + (FAR[i % 2] ?? 0)),
    );
    expect(extent.map((value, i) => value + (origin[i % 2] ?? 0))).toEqual([
      FAR[0],
      10 + FAR[1],
      15 + FAR[0],
      40 + FAR[1],
    ]);
    const names = await bundle.cellNames(ctx());
    const positions = await bundle.positions(ctx());
    const parts = await csvOf({
      cells: Uint32Array.of(0, 3),
      names,
      positions,
      layer: NO_LAYER,
      axes: TISSUE_AXES,
      unitUm: null,
    });
    expect(await new Blob(parts).text()).toBe(
      'cell_id,x,y\r\na-1,10000000.25,-29999989.5\r\n,10000015.25,-29999959.5\r\n',
    );
  },
);

test('the camera in the state and in saved views is in source coordinates', async () => {
  const { model, actions } = await openedModel({}, FAR);
  actions.resize({ width: 800, height: 600 });
  expect(model.state.value.camera).toEqual({ x: FAR[0] + 7.5, y: FAR[1] + 25, zoom: 1 });
  const view = model.view.value;
  expect(view && project(view, 7.5, 25)).toEqual([400, 300]);
  actions.zoom(4, { x: 400, y: 300 });
  expect(model.state.value.camera).toEqual({ x: FAR[0] + 7.5, y: FAR[1] + 25, zoom: 4 });
  actions.zoomTo([0, 10, 5, 20]);
  const { camera } = model.state.value;
  expect([camera?.x, camera?.y]).toEqual([FAR[0] + 2.5, FAR[1] + 15]);
  const saved = JSON.parse(JSON.stringify(savedView(model)));
  expect(saved.state.camera).toEqual(camera);
  actions.fit();
  expect(openedView(saved, 4).state.camera).toEqual(camera);
  await actions.openView(saved);
  expect(model.state.value.camera).toEqual(camera);
});

test('cells far from zero are drawn at distinct positions', async () => {
  const { model, actions } = await openedModel({}, FAR);
  actions.resize({ width: 800, height: 600 });
  const { coords } = model.positions.value ?? { coords: [] };
  const view = model.view.value;
  if (!view) throw new Error('no view');
  const at = [0, 1, 2, 3].map((cell) => project(view, coords[2 * cell] ?? 0, coords[2 * cell + 1] ?? 0));
  const [first = [0, 0], second = [0, 0]] = at;
  expect(second[0] - first[0]).toBeCloseTo(5 * view.scale, 6);
  // The y axis points up in this bundle.
  expect(second[1] - first[1]).toBeCloseTo(-10 * view.scale, 6);
});

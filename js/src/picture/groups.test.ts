import { expect, test } from 'vitest';
import { openedModel } from '../state/model-fixture';
import { legendOf } from './legend';
import { csvOf } from './table';

test('pictures show groups; tables contain the categories and the groups', async () => {
  const both = { name: 'Both', members: ['1', '10'], color: '#00ff00' };
  const { model } = await openedModel({ groups: { cluster: [both] } });
  const cells = Uint32Array.of(0, 1, 2, 3);
  expect(legendOf(model, [cells])).toMatchObject({
    entries: [{ name: 'Both', color: [0, 255, 0] }, { name: '2' }, { name: 'no value' }],
  });
  const positions = model.positions.value;
  if (!positions) throw new Error('expected positions');
  const axes = ['x', 'y'] as const;
  const csv = await csvOf({ cells, names: String, positions, layer: model.layer.value, axes, unitUm: null });
  const lines = (await new Blob(csv).text())
    .trim()
    .split('\r\n')
    .map((line) => line.split(',').slice(3).join());
  expect(lines[0]).toBe('cluster,cluster_groups');
  expect(lines.slice(1)).toEqual(expect.arrayContaining(['1,Both', '10,Both', '2,2', ',']));
});

import { afterEach, expect, test, vi } from 'vitest';
import { announce, managerOf, retract } from '../widget/alive';
import { MIME_TYPE, outputIn, withExport } from './output-data';

afterEach(() => vi.unstubAllGlobals());

const tissue = { model: 'v', title: 'Tonsil', detail: '3,000 cells', picture: '', bundle: null };
const output = { kind: 'view', model: 'v', title: 'Tonsil', height: 470, columns: 1, tissues: [tissue] };

test('the output of a saved notebook is read only if it is complete', () => {
  expect(outputIn(output)).toEqual(output);
  const bundle = { folder: 'out', created: 'now', places: ['/srv/out'] };
  expect(outputIn({ ...output, tissues: [{ ...tissue, bundle }] })).not.toBeNull();
  for (const bad of [undefined, null, 'x', {}, { ...output, height: '470' }, { ...output, tissues: {} }])
    expect(outputIn(bad)).toBeNull();
  for (const bad of [null, { ...tissue, picture: 3 }, { ...tissue, bundle: { ...bundle, places: [1] } }])
    expect(outputIn({ ...output, tissues: [bad] })).toBeNull();
});

test('of an export from a form, the notebook stores only our MIME type and the HTML', () => {
  const form = { ...output, kind: 'form', model: 'w', tissues: [] };
  const data = { [MIME_TYPE]: form, 'text/html': 'A form', 'text/plain': 'Form' };
  const exported = { ...form, tissues: [tissue] };
  const exportOutput = {
    [MIME_TYPE]: exported,
    'text/html': 'A preview',
    'text/plain': 'x',
    'image/svg+xml': '<svg/>',
  };
  const stored = { ...data, [MIME_TYPE]: exported, 'text/html': 'A preview' };
  expect(withExport(data, exportOutput)).toEqual(stored);
  expect(withExport(stored, exportOutput)).toBeNull();
  expect(withExport({ ...data, [MIME_TYPE]: { ...form, model: 'other' } }, exportOutput)).toBeNull();
  for (const invalid of [null, {}, { [MIME_TYPE]: 3 }]) expect(withExport(data, invalid)).toBeNull();
});

test('a widget that was closed is distinguished from one that never existed', () => {
  const manager = { get_model: async () => null, create_view: async () => null };
  vi.stubGlobal('document', new EventTarget());
  expect(managerOf('w')).toBeUndefined();
  announce('w', manager);
  expect(managerOf('w')).toBe(manager);
  retract('w');
  expect(managerOf('w')).toBeNull();
});

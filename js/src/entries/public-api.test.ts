import { expect, test } from 'vitest';
import { EVENTS, MEMBERS } from './messages';
import widget from './widget';

const INSTRUCTION =
  'The public API changed. Pages and notebooks depend on it: describe the change in docs/javascript.md and CHANGELOG.md, keep what they use, and then update this list.';

// `MEMBERS` and `EVENTS` are complete: their types name every key of `Viewer` and `ViewerEvents`.

test('the members of window.karospace are those that are documented', () => {
  const members = [...Object.entries(MEMBERS).map(([name, kind]) => `${name}: ${kind}`), 'on: call'];
  expect(members.sort(), INSTRUCTION).toEqual([
    'cells: value',
    'dispose: call',
    'embedOrigins: value',
    'getState: call',
    'getView: call',
    'liveObjects: value',
    'on: call',
    'picture: call',
    'project: call',
    'ready: value',
    'regions: value',
    'select: call',
    'selection: value',
    'setRegions: call',
    'setState: call',
    'setSystemDark: call',
    'setView: call',
    'setWaiting: call',
    'snapshot: call',
    'table: call',
    'valueAt: call',
  ]);
});

test('the events of window.karospace are those that are documented', () => {
  expect(Object.keys(EVENTS).sort(), INSTRUCTION).toEqual([
    'drawn',
    'error',
    'hover',
    'ready',
    'regions',
    'selection',
    'state',
  ]);
});

test('widget.js exports the entry points of an anywidget module', async () => {
  expect(Object.keys(await import('./widget')), INSTRUCTION).toEqual(['default']);
  expect(Object.keys(widget).sort(), INSTRUCTION).toEqual(['initialize', 'render']);
});

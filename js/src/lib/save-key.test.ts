import { afterEach, expect, test, vi } from 'vitest';
import { isSaveKey, pressSaveKey } from './save-key';

const none = { key: 's', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

afterEach(() => vi.unstubAllGlobals());

test('only Ctrl+S saves, and on a Mac only Command+S', () => {
  for (const [platform, key, other] of [
    ['Linux x86_64', 'ctrlKey', 'metaKey'],
    ['MacIntel', 'metaKey', 'ctrlKey'],
  ] as const) {
    vi.stubGlobal('navigator', { platform });
    expect(isSaveKey({ ...none, [key]: true })).toBe(true);
    expect(isSaveKey({ ...none, key: 'S', [key]: true })).toBe(true); // with Caps Lock
    expect(isSaveKey(none)).toBe(false);
    expect(isSaveKey({ ...none, [other]: true })).toBe(false);
    expect(isSaveKey({ ...none, [key]: true, [other]: true })).toBe(false);
    expect(isSaveKey({ ...none, [key]: true, key: 'd' })).toBe(false);
    expect(isSaveKey({ ...none, [key]: true, shiftKey: true })).toBe(false);
    expect(isSaveKey({ ...none, [key]: true, altKey: true })).toBe(false);
  }
});

test('layouts of other alphabets save with the key of S', () => {
  vi.stubGlobal('navigator', { platform: 'Linux x86_64' });
  const pressed = { ...none, ctrlKey: true };
  for (const key of ['ы', 'σ', 'ד']) {
    expect(isSaveKey({ ...pressed, key, code: 'KeyS' })).toBe(true);
    expect(isSaveKey({ ...pressed, key, code: 'KeyD' })).toBe(false);
  }
  // Dvorak: S is on another key, and O on the key of S.
  expect(isSaveKey({ ...pressed, key: 's', code: 'Semicolon' })).toBe(true);
  expect(isSaveKey({ ...pressed, key: 'o', code: 'KeyS' })).toBe(false);
});

test('an event without a key, as of autofill, is not Ctrl+S', () => {
  expect(isSaveKey({ ...none, key: undefined, code: undefined })).toBe(false);
});

test('pressing the key reports whether the page has handled it', () => {
  class Key extends Event {
    constructor(type: string, init: KeyboardEventInit) {
      super(type, init);
      Object.assign(this, { ...none, key: init.key, ctrlKey: init.ctrlKey, metaKey: init.metaKey });
    }
  }
  vi.stubGlobal('KeyboardEvent', Key);
  const target = new EventTarget();
  expect(pressSaveKey(target)).toBe(false);
  target.addEventListener('keydown', (event) => isSaveKey(event as KeyboardEvent) && event.preventDefault());
  expect(pressSaveKey(target)).toBe(true);
});

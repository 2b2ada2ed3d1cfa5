import { afterEach, expect, test, vi } from 'vitest';
import { isSaveKey, pressSaveKey } from './save-key';

const unmodified = { key: 's', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

afterEach(() => vi.unstubAllGlobals());

test('only Ctrl+S saves, and on a Mac only Command+S', () => {
  for (const [platform, modifier, otherModifier] of [
    ['Linux x86_64', 'ctrlKey', 'metaKey'],
    ['MacIntel', 'metaKey', 'ctrlKey'],
  ] as const) {
    vi.stubGlobal('navigator', { platform });
    expect(isSaveKey({ ...unmodified, [modifier]: true })).toBe(true);
    expect(isSaveKey({ ...unmodified, key: 'S', [modifier]: true })).toBe(true); // with Caps Lock
    expect(isSaveKey(unmodified)).toBe(false);
    expect(isSaveKey({ ...unmodified, [otherModifier]: true })).toBe(false);
    expect(isSaveKey({ ...unmodified, [modifier]: true, [otherModifier]: true })).toBe(false);
    expect(isSaveKey({ ...unmodified, [modifier]: true, key: 'd' })).toBe(false);
    expect(isSaveKey({ ...unmodified, [modifier]: true, shiftKey: true })).toBe(false);
    expect(isSaveKey({ ...unmodified, [modifier]: true, altKey: true })).toBe(false);
  }
});

test('keyboard layouts of other alphabets save with the physical S key', () => {
  vi.stubGlobal('navigator', { platform: 'Linux x86_64' });
  const pressed = { ...unmodified, ctrlKey: true };
  for (const key of ['ы', 'σ', 'ד']) {
    expect(isSaveKey({ ...pressed, key, code: 'KeyS' })).toBe(true);
    expect(isSaveKey({ ...pressed, key, code: 'KeyD' })).toBe(false);
  }
  // Dvorak: S is on another key, and the physical S key types O.
  expect(isSaveKey({ ...pressed, key: 's', code: 'Semicolon' })).toBe(true);
  expect(isSaveKey({ ...pressed, key: 'o', code: 'KeyS' })).toBe(false);
});

test('an event without a key, such as that of autofill, is not Ctrl+S', () => {
  expect(isSaveKey({ ...unmodified, key: undefined, code: undefined })).toBe(false);
});

test('pressing the key reports whether the page has handled it', () => {
  class Key extends Event {
    constructor(type: string, init: KeyboardEventInit) {
      super(type, init);
      Object.assign(this, { ...unmodified, key: init.key, ctrlKey: init.ctrlKey, metaKey: init.metaKey });
    }
  }
  vi.stubGlobal('KeyboardEvent', Key);
  const target = new EventTarget();
  expect(pressSaveKey(target)).toBe(false);
  target.addEventListener('keydown', (event) => isSaveKey(event as KeyboardEvent) && event.preventDefault());
  expect(pressSaveKey(target)).toBe(true);
});

import { afterEach, expect, test, vi } from 'vitest';
import { INIT } from '../contract/host';
import { openHosted } from './hosted';
import type { Viewer } from './viewer-api';

afterEach(() => vi.unstubAllGlobals());

/** Connects a viewer to a host. Returns the messages to the host, and a function that presses a key. */
function hosted() {
  const host = { postMessage: () => {}, opener: null };
  const listeners = new Map<string, (event: unknown) => void>();
  vi.stubGlobal('window', {
    parent: host,
    addEventListener: (type: string, listener: (event: unknown) => void) => listeners.set(type, listener),
    removeEventListener: () => {},
  });
  vi.stubGlobal('navigator', { platform: 'Linux x86_64' });
  const received: unknown[] = [];
  const port = {
    postMessage: (message: unknown) => received.push(message),
    addEventListener: () => {},
    start: () => {},
  };
  openHosted(() => ({ on: () => {} }) as unknown as Viewer);
  const data = { type: INIT, state: {}, dark: false, live: 0 };
  listeners.get('message')?.({ source: host, ports: [port], data });
  const press = (keys: Partial<KeyboardEvent>) => {
    const preventDefault = vi.fn();
    const event = { key: 's', isTrusted: true, ...keys, preventDefault, stopPropagation: () => {} };
    listeners.get('keydown')?.({ ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...event });
    return preventDefault.mock.calls.length > 0;
  };
  return { received, press };
}

test('Ctrl+S saves once while it is held, and the browser does not save the page', () => {
  const { received, press } = hosted();
  expect(press({ ctrlKey: true })).toBe(true);
  expect(press({ ctrlKey: true, repeat: true })).toBe(true);
  expect(received).toEqual([{ type: 'save' }]);
});

test('other keys and events dispatched by scripts do not save', () => {
  const { received, press } = hosted();
  expect(press({})).toBe(false);
  expect(press({ ctrlKey: true, key: 'd' })).toBe(false);
  expect(press({ ctrlKey: true, isTrusted: false })).toBe(false);
  expect(received).toEqual([]);
});

import { afterEach, expect, test, vi } from 'vitest';
import type { ToHost } from '../contract/host';
import { createFrame } from './frame';
import { createFrameElement } from './frame-element';
import type { Model } from './model';

const ports = vi.hoisted((): ((message: ToHost) => void)[] => []);
vi.mock('./theme', () => ({ isDark: () => false, onTheme: () => () => {} }));
vi.mock('./viewer-port', () => ({
  ViewerPort: class {
    readonly isOpen = true;
    constructor(listen: (message: ToHost) => void) {
      ports.push(listen);
    }
    post() {}
    close() {}
  },
}));

afterEach(() => vi.unstubAllGlobals());

const model: Model = { get: () => undefined, set() {}, save_changes() {}, send() {}, on() {}, off() {} };

/** Returns a fake document whose elements are in `root`, which is the document itself or a shadow root. */
function fakeDocument(root: { activeElement?: unknown } = {}) {
  const elements: unknown[] = [];
  const createElement = () => {
    const parts = {
      style: {},
      append() {},
      remove() {},
      setAttribute() {},
      dispatchEvent: () => true,
      closest: () => null,
    };
    const element = { ...parts, isConnected: true, getRootNode: () => root };
    elements.push(element);
    return element;
  };
  const page = {
    createElement,
    activeElement: 'the host of the shadow root',
    defaultView: new EventTarget(),
  };
  return { page: page as unknown as Document, elements, root };
}

test('a frame inside a shadow root detects that it has the focus', () => {
  const { page, elements, root } = fakeDocument();
  const frame = createFrameElement(model, page);
  expect(frame.hasFocus).toBe(false);
  root.activeElement = elements.at(-1); // the iframe
  expect(frame.hasFocus).toBe(true);
});

test('only the frame that has the focus may save', () => {
  const saved = vi.fn(() => true);
  vi.stubGlobal('KeyboardEvent', class extends Event {});
  vi.stubGlobal('FocusEvent', class extends Event {});
  vi.stubGlobal('document', { body: { dispatchEvent: saved } });
  const { page, elements, root } = fakeDocument();
  const frame = createFrame(model, model, page);
  ports.at(-1)?.({ type: 'save' });
  expect(saved).not.toHaveBeenCalled();
  root.activeElement = elements.at(-1);
  ports.at(-1)?.({ type: 'save' });
  expect(saved).toHaveBeenCalledOnce();
  frame.dispose();
});

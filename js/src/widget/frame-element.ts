import { LIMITS } from '../contract/limits';
import { inflate } from '../lib/inflate';
import type { Model } from './model';

/** Time to wait for the frame: a page with a strict security policy blocks it without an error. */
const FRAME_PATIENCE_MS = 15_000;

/** The sandboxed frame of a viewer. Until it is visible, the element shows a note, and a preview of the bundle. */
export interface FrameElement {
  readonly element: HTMLElement;
  /** Window of the frame; null until it is filled. */
  readonly target: Window | null;
  readonly hasFocus: boolean;
  say(note: string): void;
  /** Fills the frame with the page of the viewer, gzipped or not. */
  fill(page: Uint8Array): void;
  /** Must be called once the page runs; otherwise the note reports that a security policy blocks it. */
  runs(): void;
  show(): void;
  removeNote(): void;
  dispose(): void;
}

export function createFrameElement(view: Model, where: Document): FrameElement {
  const { title = 'Tissue', picture = '' } = (view.get('_fallback') ?? {}) as {
    title?: string;
    picture?: string;
  };
  const element = where.createElement('div');
  element.style.cssText = 'position:relative;width:100%;height:100%;overflow:hidden';
  if (picture.startsWith('data:image/')) {
    const image = where.createElement('img');
    image.src = picture;
    image.alt = '';
    image.style.cssText = 'position:absolute;inset:0;width:100%;height:100%;object-fit:contain;opacity:.5';
    element.append(image);
  }
  const note = where.createElement('div');
  note.setAttribute('role', 'status');
  note.style.cssText =
    'position:absolute;left:12px;bottom:12px;padding:6px 10px;border-radius:8px;font:12px/16px system-ui,sans-serif;' +
    'background:rgb(127 127 127 / 15%)';
  element.append(note);
  const iframe = where.createElement('iframe');
  iframe.setAttribute('sandbox', 'allow-scripts allow-downloads');
  iframe.allow = 'fullscreen; clipboard-write';
  iframe.title = title;
  iframe.style.cssText = 'position:absolute;inset:0;width:100%;height:100%;border:0;visibility:hidden';
  let strict: ReturnType<typeof setTimeout> | undefined;
  const say = (text: string) => {
    note.textContent = text;
  };
  const run = (html: string) => {
    iframe.srcdoc = html;
    element.append(iframe);
    strict = setTimeout(
      say,
      FRAME_PATIENCE_MS,
      'The viewer could not start: the security policy of this page blocks frames with scripts. Open the bundle in a browser instead.',
    );
  };
  return {
    element,
    get target() {
      return iframe.contentWindow;
    },
    get hasFocus() {
      // The document of a page with a shadow root, as in marimo, only knows the host of the root.
      return (iframe.getRootNode() as Document | ShadowRoot).activeElement === iframe;
    },
    say,
    fill(page) {
      textOf(page).then(run, (thrown) =>
        say(`The viewer page failed to load (${String(thrown)}). Run the cell again.`),
      );
    },
    runs: () => clearTimeout(strict),
    show() {
      iframe.style.visibility = 'visible';
    },
    removeNote: () => note.remove(),
    dispose() {
      clearTimeout(strict);
      element.remove();
    },
  };
}

async function textOf(page: Uint8Array): Promise<string> {
  const isGzip = page[0] === 0x1f && page[1] === 0x8b;
  return new TextDecoder().decode(isGzip ? await inflate(page, 'gzip', LIMITS.page) : page);
}

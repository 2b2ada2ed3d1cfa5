import { HELLO, type PlainRegion, type ToHost } from '../contract/host';
import type { Regions } from '../contract/to-kernel';
import type { Opened, ToPage } from '../contract/to-page';
import { pressSaveKey } from '../lib/save-key';
import { createFrameElement } from './frame-element';
import { KernelRequests } from './kernel-requests';
import { join, type Linked, shareSelection, shareState } from './link';
import { copied, type Model, onLost, RECONNECT } from './model';
import { isDark, onTheme } from './theme';
import { ViewerPort } from './viewer-port';

const BUSY = 'is waiting for the kernel, which is busy.';
const SLOW = 'is loading.';
const GONE = 'cannot be loaded: the kernel has stopped or was restarted. Run the cell again.';

export interface Frame {
  readonly element: HTMLElement;
  dispose(): void;
}

/**
 * Creates the viewer in a sandboxed frame and connects it to the kernel: requests of the viewer go over the comm of the
 * channel, messages of the kernel to the view arrive over the comm of the view.
 */
export function createFrame(view: Model, channel: Model, where: Document = document): Frame {
  const slow = () => view.get('_slow') === true;
  const shown = createFrameElement(view, where);
  shown.say(slow() ? 'Loading the bundle…' : 'Waiting for the kernel…');
  let opened: Opened | null = null;
  let greeted = false;
  let gone = false;

  const kernel = new KernelRequests(newId(), view, channel, {
    waiting(waiting) {
      viewer.post({ type: 'waiting', reason: waiting && !gone ? (slow() ? SLOW : BUSY) : null });
      if (waiting && !viewer.isOpen && !slow())
        shown.say(gone ? `The viewer ${GONE}` : 'Waiting for the kernel, which is busy…');
    },
    opened(message) {
      opened = message;
      greet();
    },
    changed: (message, buffers) => fromKernel(viewer, message, buffers),
    closed: () => stop(),
  });
  /** Handles the loss of the kernel; data that is already loaded stays visible. */
  const stop = () => {
    if (gone) return;
    gone = true;
    // Post this before stopping: otherwise the viewer would report every read that is refused.
    viewer.post({ type: 'lost', canReconnect: shown.element.closest('[data-karospace-reconnect]') !== null });
    kernel.stop(`This ${GONE}`);
    viewer.post({ type: 'waiting', reason: null });
    if (!viewer.isOpen) shown.say(`The viewer ${GONE}`);
  };
  const say = (_tag: string, message: string) => shown.say(message);

  const linked: Linked = {
    get group() {
      return String(view.get('_group') ?? '');
    },
    get cells() {
      return Number(view.get('_cells'));
    },
    receive(state, selection) {
      if (selection) {
        viewer.post({ type: 'select', bits: selection.bits && copied(selection.bits) });
        // The viewer does not echo selections it receives, so forward this one to the kernel.
        kernel.tell({ type: 'selection' }, selection.bits ? [selection.bits] : []);
      }
      if (state) viewer.post({ type: 'set', state });
    },
  };

  const read = (id: number, path: string, body?: Uint8Array) => {
    const refused = (tag: string, message: string) => viewer.post({ type: 'refused', id, tag, message });
    if (gone) refused('failed', `This ${GONE}`);
    else
      kernel.read(
        id,
        path,
        {
          part({ index, count, total }, bytes) {
            viewer.post({ type: 'part', id, index, count, total, bytes }, [bytes.buffer]);
          },
          refused,
        },
        body,
      );
  };
  const viewer = new ViewerPort((message: ToHost) => {
    if (message.type === 'read') read(message.id, message.path, message.body);
    else if (message.type === 'abort') kernel.abort(message.id);
    else if (message.type === 'state') {
      kernel.tell({ type: 'state', state: message.state, echo: message.changed.length === 0 });
      shareState(linked, message.state, message.changed);
    } else if (message.type === 'selection') {
      kernel.tell({ type: 'selection' }, message.bits ? [message.bits] : []);
      shareSelection(linked, message.bits);
    } else if (message.type === 'regions') {
      const names = message.regions.map(({ name }) => name);
      const colors = message.regions.map(({ color }) => color ?? '');
      const bits = message.regions.map((region) => region.bits);
      const outlines = message.regions.map(({ outline = [] }) => [...outline]);
      kernel.tell({ type: 'regions', names, colors, outlines }, bits);
    } else if (message.type === 'snapshot') {
      const { id, png, message: problem = '' } = message;
      kernel.tell({ type: 'snapshot', id, message: problem }, png ? [png] : []);
    } else if (message.type === 'reconnect')
      shown.element.dispatchEvent(new CustomEvent(RECONNECT, { bubbles: true }));
    else if (message.type === 'save') {
      // Only the frame with the focus may save: the user pressed the key there.
      if (!shown.hasFocus) return;
      // JupyterLab saves the notebook that got the last focus event, and a click in a frame causes none.
      shown.element.dispatchEvent(new FocusEvent('focus', { composed: true }));
      pressSaveKey();
    } else if (message.type === 'ready') shown.removeNote();
  });

  /** Initializes the viewer once the frame has said hello and the kernel has sent the state of the view. */
  const greet = () => {
    const { target } = shown;
    if (!greeted || !opened || !target || viewer.isOpen) return;
    viewer.open(target, { state: opened.state ?? {}, dark: isDark(), live: opened.live });
    shown.show();
  };
  /** Handles a reload of the frame: browsers reload it when it moves within the page. */
  const reopen = () => {
    viewer.close();
    opened = null;
    kernel.restart();
    kernel.open(say);
  };
  const page = where.defaultView ?? window;
  const onHello = (event: MessageEvent) => {
    if (event.source !== shown.target || event.data?.type !== HELLO) return;
    greeted = true;
    shown.runs();
    if (viewer.isOpen) reopen();
    else greet();
  };
  // A reload of the page disposes nothing, so tell the kernel not to wait for this view.
  const onHide = (event: PageTransitionEvent) => {
    if (!event.persisted) kernel.tell({ type: 'gone' });
  };
  page.addEventListener('message', onHello);
  page.addEventListener('pagehide', onHide);
  const ends = [
    join(linked),
    () => page.removeEventListener('message', onHello),
    () => page.removeEventListener('pagehide', onHide),
    onTheme(() => viewer.post({ type: 'dark', dark: isDark() })),
    onLost([channel, view], shown.element, stop),
  ];
  kernel.hello(() => {
    kernel.open(say);
    kernel.readPage({ done: shown.fill, refused: say });
  }, say);

  return {
    element: shown.element,
    dispose() {
      kernel.tell({ type: 'gone' });
      for (const end of ends) end();
      kernel.dispose();
      viewer.close();
      shown.dispose();
    },
  };
}

const newId = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

/** Passes a change made in Python, or in another page, to the viewer. */
function fromKernel(viewer: ViewerPort, message: ToPage, buffers: readonly Uint8Array[]): void {
  if (message.type === 'set') viewer.post({ type: 'set', state: message.state });
  else if (message.type === 'live')
    viewer.post({ type: 'live', columns: message.columns, matrix: message.matrix });
  else if (message.type === 'select')
    viewer.post({ type: 'select', bits: buffers[0] ? copied(buffers[0]) : null });
  else if (message.type === 'regions') viewer.post({ type: 'regions', regions: regionsOf(message, buffers) });
  else if (message.type === 'snapshot') viewer.post({ type: 'snapshot', id: message.id });
}

function regionsOf({ names, colors, outlines }: Regions, buffers: readonly Uint8Array[]): PlainRegion[] {
  return names.map((name, i) => {
    const bits = copied(buffers[i] ?? new Uint8Array(0));
    const region: PlainRegion = { name, bits, outline: outlines[i] ?? [] };
    return colors[i] ? { ...region, color: colors[i] } : region;
  });
}

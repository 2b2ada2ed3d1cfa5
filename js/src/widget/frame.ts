import { HELLO, INIT, type Init, type PlainRegion, type ToHost, type ToViewer } from '../contract/host';
import { joined } from '../lib/bytes';
import { join, type Linked, shareSelection, shareState } from './link';
import { type Custom, copied, type Model, onLost } from './model';
import { Requests } from './requests';
import { isDark, onTheme } from './theme';
import { Wire } from './wire';

const PAGE = 'index.html';
/** Time to wait for the frame: a page with a strict security policy blocks it without an error. */
const FRAME_PATIENCE_MS = 15_000;
const BUSY = 'is waiting for the kernel, which is busy.';
const SLOW = 'is loading.';
const GONE = 'cannot be loaded: the kernel has stopped or was restarted. Run the cell again.';

export interface Frame {
  readonly element: HTMLElement;
  dispose(): void;
}

interface Asked {
  /** Id of the viewer's request; null for requests of the frame itself. */
  id: number | null;
  parts: (Uint8Array | undefined)[];
  done: ((bytes: Uint8Array) => void) | null;
}

/**
 * Creates the viewer in a sandboxed frame and connects it to the kernel: requests of the viewer go over the comm of the
 * channel, messages of the kernel to the view arrive over the comm of the view.
 */
export function createFrame(view: Model, channel: Model, where: Document = document): Frame {
  const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const ends: (() => void)[] = [];
  const element = where.createElement('div');
  element.style.cssText = 'position:relative;width:100%;height:100%;overflow:hidden';
  const note = where.createElement('div');
  const picture = fallbackOf(view);
  if (picture) {
    const image = where.createElement('img');
    image.src = picture;
    image.alt = '';
    image.style.cssText = 'position:absolute;inset:0;width:100%;height:100%;object-fit:contain;opacity:.5';
    element.append(image);
  }
  note.setAttribute('role', 'status');
  note.style.cssText =
    'position:absolute;left:12px;bottom:12px;padding:6px 10px;border-radius:8px;font:12px/16px system-ui,sans-serif;' +
    'background:rgb(127 127 127 / 15%)';
  note.textContent = view.get('_slow') === true ? 'Loading the bundle…' : 'Waiting for the kernel…';
  element.append(note);
  const iframe = where.createElement('iframe');
  iframe.setAttribute('sandbox', 'allow-scripts allow-downloads');
  iframe.allow = 'fullscreen; clipboard-write';
  iframe.title = titleOf(view);
  iframe.style.cssText = 'position:absolute;inset:0;width:100%;height:100%;border:0;visibility:hidden';

  let port: MessagePort | null = null;
  let opened: Custom | null = null;
  let greeted = false;
  let gone = false;
  const early: [ToViewer, Transferable[]][] = [];
  const post = (message: ToViewer, transfer: Transferable[] = []) => {
    if (port) port.postMessage(message, transfer);
    else early.push([message, transfer]);
  };
  const ask = (message: Custom, buffers: Uint8Array[] = []) => {
    if (gone) return;
    try {
      wire.send({ ...message, view: id }, buffers);
    } catch {
      // A closed comm throws: `stop` rejects the pending requests.
      stop();
    }
  };
  const requests = new Requests<Asked>((waiting) => {
    const slow = view.get('_slow') === true;
    post({ type: 'waiting', reason: gone ? GONE : waiting ? (slow ? SLOW : BUSY) : null });
    if (waiting && !port && !slow)
      note.textContent = gone ? `The viewer ${GONE}` : 'Waiting for the kernel, which is busy…';
  });
  /** Handles the loss of the kernel; data that is already loaded stays visible. */
  const stop = () => {
    if (gone) return;
    gone = true;
    for (const key of requests.ids()) {
      const asked = requests.heard(key);
      requests.close(key);
      if (asked?.id != null) post({ type: 'refused', id: asked.id, tag: 'failed', message: `This ${GONE}` });
    }
    post({ type: 'waiting', reason: GONE });
    if (!port) note.textContent = `The viewer ${GONE}`;
  };

  const read = (path: string, key: string, asked: Omit<Asked, 'parts'>) =>
    requests.add(key, { ...asked, parts: [] }, () => ask({ type: 'read', id: key, path }));

  const onPart = (message: Custom, bytes: Uint8Array) => {
    const key = String(message.id);
    const asked = requests.heard(key);
    if (!asked) return;
    const [index, count, total] = [Number(message.index), Number(message.count), Number(message.total)];
    if (asked.id !== null) {
      const part = copied(bytes);
      post({ type: 'part', id: asked.id, index, count, total, bytes: part }, [part.buffer]);
      asked.parts[index] = new Uint8Array(0);
    } else asked.parts[index] = copied(bytes);
    if (asked.parts.filter((part) => part !== undefined).length < count) return;
    requests.close(key);
    asked.done?.(joined(asked.parts));
  };

  const onMessage = (message: Custom, buffers: Uint8Array[]) => {
    if (message.view !== undefined && message.view !== id) return;
    if (message.type === 'part') onPart(message, buffers[0] ?? new Uint8Array(0));
    else if (message.type === 'refused') {
      const asked = requests.heard(String(message.id));
      requests.close(String(message.id));
      if (asked?.id != null)
        post({ type: 'refused', id: asked.id, tag: String(message.tag), message: String(message.message) });
      else if (asked) note.textContent = String(message.message);
    } else if (message.type === 'opened') {
      requests.close('open');
      opened = message;
      greet();
    } else if (message.type === 'set') {
      post({ type: 'set', state: message.state as Record<string, unknown> });
    } else if (message.type === 'select') {
      post({ type: 'select', bits: buffers[0] ? copied(buffers[0]) : null });
    } else if (message.type === 'regions') {
      post({ type: 'regions', regions: regionsOf(message, buffers) });
    } else if (message.type === 'snapshot') post({ type: 'snapshot', id: String(message.id) });
  };
  const wire = new Wire(channel, view === channel ? [] : [view], onMessage);
  ends.push(() => wire.dispose());

  const linked: Linked = {
    get group() {
      return String(view.get('_group') ?? '');
    },
    get cells() {
      return Number(view.get('_cells'));
    },
    receive(state, selection) {
      if (selection) {
        post({ type: 'select', bits: selection.bits && copied(selection.bits) });
        // The viewer does not echo selections it receives, so forward this one to the kernel.
        ask({ type: 'selection' }, selection.bits ? [selection.bits] : []);
      }
      if (!state) return;
      post({ type: 'set', state });
    },
  };
  ends.push(join(linked));

  const fromViewer = ({ data }: MessageEvent<ToHost>) => {
    if (data.type === 'read') {
      if (gone) post({ type: 'refused', id: data.id, tag: 'failed', message: `This ${GONE}` });
      else read(data.path, `r${data.id}`, { id: data.id, done: null });
    } else if (data.type === 'abort') requests.close(`r${data.id}`);
    else if (data.type === 'state') {
      ask({ type: 'state', state: data.state, echo: data.changed.length === 0 });
      shareState(linked, data.state, data.changed);
    } else if (data.type === 'selection') {
      ask({ type: 'selection', count: data.count }, data.bits ? [data.bits] : []);
      shareSelection(linked, data.bits);
    } else if (data.type === 'regions') {
      const names = data.regions.map(({ name }) => name);
      const colors = data.regions.map(({ color }) => color ?? '');
      ask(
        { type: 'regions', names, colors },
        data.regions.map(({ bits }) => bits),
      );
    } else if (data.type === 'snapshot') {
      ask({ type: 'snapshot', id: data.id, message: data.message ?? '' }, data.png ? [data.png] : []);
    } else if (data.type === 'ready') note.remove();
  };

  /** Initializes the viewer once the frame has said hello and the kernel has sent the state of the view. */
  const greet = () => {
    const target = iframe.contentWindow;
    if (!greeted || !opened || !target || port) return;
    const pair = new MessageChannel();
    port = pair.port1;
    port.onmessage = fromViewer;
    const init: Init = {
      type: INIT,
      state: opened.fresh ? {} : (opened.state as Record<string, unknown>),
      dark: isDark(),
      live: Number(opened.live ?? 0),
    };
    target.postMessage(init, '*', [pair.port2]);
    for (const [message, transfer] of early.splice(0)) port.postMessage(message, transfer);
    iframe.style.visibility = 'visible';
  };
  /** Handles a reload of the frame, as browsers do when it moves within the page. */
  const reopen = () => {
    port?.close();
    port = null;
    opened = null;
    for (const key of requests.ids()) if (key.startsWith('r')) requests.close(key);
    open();
  };
  const open = () =>
    requests.add('open', { id: null, parts: [], done: null }, () => ask({ type: 'open', id: 'open' }));
  const page = where.defaultView ?? window;
  const onHello = (event: MessageEvent) => {
    if (event.source !== iframe.contentWindow || event.data?.type !== HELLO) return;
    greeted = true;
    clearTimeout(strict);
    if (port) reopen();
    else greet();
  };
  page.addEventListener('message', onHello);
  ends.push(() => page.removeEventListener('message', onHello));
  // A reload disposes nothing, so tell the kernel not to wait for this view.
  const onHide = (event: PageTransitionEvent) => {
    if (!event.persisted) ask({ type: 'gone' });
  };
  page.addEventListener('pagehide', onHide);
  ends.push(() => page.removeEventListener('pagehide', onHide));
  ends.push(onTheme(() => post({ type: 'dark', dark: isDark() })));
  ends.push(onLost([channel, view], element, stop));
  const failed = (thrown: unknown) => {
    note.textContent = `The viewer page failed to load (${String(thrown)}). Run the cell again.`;
  };
  let strict: ReturnType<typeof setTimeout> | undefined;
  const begin = () => {
    requests.close('hello');
    open();
    read(PAGE, 'page', {
      id: null,
      done: (bytes) => {
        unzipped(bytes).then((html) => {
          iframe.srcdoc = html;
          element.append(iframe);
          strict = setTimeout(() => {
            note.textContent =
              'The viewer could not start: the security policy of this page blocks frames with scripts. Open the bundle in a browser instead.';
          }, FRAME_PATIENCE_MS);
        }, failed);
      },
    });
  };
  requests.add('hello', { id: null, parts: [], done: null }, () => {
    try {
      wire.hello(begin);
    } catch {
      stop();
    }
  });

  return {
    element,
    dispose() {
      ask({ type: 'gone' });
      for (const end of ends.splice(0)) end();
      clearTimeout(strict);
      requests.dispose();
      port?.close();
      element.remove();
    },
  };
}

function regionsOf(message: Custom, buffers: readonly Uint8Array[]): PlainRegion[] {
  const names = Array.isArray(message.names) ? message.names.map(String) : [];
  const colors = Array.isArray(message.colors) ? message.colors.map(String) : [];
  return names.map((name, i) => {
    const region: PlainRegion = { name, bits: copied(buffers[i] ?? new Uint8Array(0)) };
    return colors[i] ? { ...region, color: colors[i] } : region;
  });
}

function fallbackOf(view: Model): string {
  const { picture } = (view.get('_fallback') ?? {}) as { picture?: string };
  return picture?.startsWith('data:image/') ? picture : '';
}

function titleOf(view: Model): string {
  const { title } = (view.get('_fallback') ?? {}) as { title?: string };
  return title ?? 'Tissue';
}

async function unzipped(bytes: Uint8Array): Promise<string> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new TextDecoder().decode(bytes);
  const stream = new Blob([copied(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

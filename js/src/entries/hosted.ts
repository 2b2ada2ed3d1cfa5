import { HELLO, INIT, type Init, type PlainRegion, type ToHost, type ToViewer } from '../contract/host';
import { packBits, packPlaces, placesIn, unpackBits } from '../lib/bits';
import { isSaveKey } from '../lib/save-key';
import type { BundleSource } from '../source/bundle-source';
import { hostSource } from '../source/host-source';
import type { ViewState } from '../state/view-state';
import type { Viewer, ViewerOptions } from './viewer-api';

const STATE_EVERY_MS = 80;

/** Returns whether this page is a frame whose host provides the bundle through messages. */
export function isHosted(): boolean {
  return location.href === 'about:srcdoc' && window.parent !== window;
}

/** Requests a port from the host page and connects the viewer to it in both directions. */
export function openHosted(show: (source: BundleSource, options: ViewerOptions) => Viewer): void {
  const onMessage = (event: MessageEvent<Init>) => {
    const port = event.ports[0];
    // For a viewer in a separate tab, the messages come from the page that opened the tab.
    const hosts: unknown[] = [window.parent, window.parent.opener];
    if (!event.source || !hosts.includes(event.source) || event.data?.type !== INIT || !port) return;
    window.removeEventListener('message', onMessage);
    connect(port, event.data, show);
  };
  window.addEventListener('message', onMessage);
  // An opaque origin leaves "*" as the only target; the message reveals nothing but the page's presence.
  window.parent.postMessage({ type: HELLO }, '*');
}

function connect(
  port: MessagePort,
  init: Init,
  show: (source: BundleSource, options: ViewerOptions) => Viewer,
): void {
  const post = (message: ToHost, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  const source = hostSource(port, init.live > 0);
  port.start();
  const viewer = show(source, {
    state: init.state as Partial<ViewState>,
    eager: true,
    dark: init.dark,
  });
  /** True while a message from the host is applied: such changes are not reported back. */
  let quiet = false;
  const quietly = (work: () => void) => {
    quiet = true;
    try {
      work();
    } finally {
      quiet = false;
    }
  };

  // Key events do not leave a frame, so pass this one on to the notebook.
  window.addEventListener(
    'keydown',
    (event) => {
      if (!event.isTrusted || !isSaveKey(event)) return;
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) post({ type: 'save' });
    },
    { capture: true },
  );

  let cells = 0;
  const early: ToViewer[] = [];
  const receive = (message: ToViewer) => {
    if (message.type === 'set') void set(message.state as Partial<ViewState>);
    else if (message.type === 'dark') viewer.setSystemDark(message.dark);
    else if (message.type === 'waiting') viewer.setWaiting(message.reason);
    else if (message.type === 'select') {
      quietly(() => viewer.select(message.bits && unpackBits(message.bits, cells)));
    } else if (message.type === 'regions') {
      quietly(() =>
        viewer.setRegions(
          message.regions.map(({ bits, outline = [], ...rest }) => ({
            ...rest,
            cells: placesIn(bits, cells),
            ...(outline.length > 0 ? { outline } : {}),
          })),
        ),
      );
    } else if (message.type === 'snapshot') void snapshot(message.id);
  };
  /** `reported`: each field as last reported. `requested`: as set by the host, until applied or changed by the user. */
  let reported: Record<string, string> = {};
  const requested = new Map<string, string>();
  const report = () => {
    const state = viewer.getState();
    const now = texts(state);
    const others = Object.keys(now).filter((field) => now[field] !== reported[field]);
    // Fields that the user changed. `groupBy` follows the color automatically.
    const changed = others.filter((field) => field !== 'groupBy' && now[field] !== requested.get(field));
    for (const field of others) requested.delete(field);
    reported = now;
    post({ type: 'state', state, changed });
  };
  const set = async (state: Partial<ViewState>) => {
    for (const [field, text] of Object.entries(texts(state))) requested.set(field, text);
    // A linked view may be colored by something that this bundle lacks; apply the other fields.
    await viewer.setState(state, { orRest: true }).catch(() => {});
  };
  const snapshot = async (id: string) => {
    try {
      const png = new Uint8Array(await (await viewer.snapshot()).arrayBuffer());
      post({ type: 'snapshot', id, png }, [png.buffer]);
    } catch (thrown) {
      post({ type: 'snapshot', id, png: null, message: String(thrown) });
    }
  };
  const needsTissue = ({ type }: ToViewer) => type === 'select' || type === 'regions' || type === 'snapshot';
  port.addEventListener('message', ({ data }: MessageEvent<ToViewer>) => {
    if (cells === 0 && needsTissue(data)) early.push(data);
    else receive(data);
  });

  let timer: ReturnType<typeof setTimeout> | undefined;
  viewer.on('state', () => {
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      if (cells > 0) report();
    }, STATE_EVERY_MS);
  });
  viewer.on('selection', ({ mask }) => {
    if (!quiet) post({ type: 'selection', bits: mask && packBits(mask) });
  });
  viewer.on('regions', (regions) => {
    if (quiet) return;
    const plain = regions.map(
      (region): PlainRegion => ({
        name: region.name,
        color: region.color,
        outline: region.outline ?? [],
        bits: packPlaces(region.cells, cells),
      }),
    );
    post({ type: 'regions', regions: plain });
  });
  viewer.on('ready', () => {
    cells = viewer.cells;
    // The initial state is not a change to report to linked views.
    reported = texts(viewer.getState());
    for (const message of early.splice(0)) receive(message);
    post({ type: 'ready' });
    report();
  });
}

function texts(state: Partial<ViewState>): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([field, value]) => [field, JSON.stringify(value)]));
}

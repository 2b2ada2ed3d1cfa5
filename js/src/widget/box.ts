import { createFrame, type Frame } from './frame';
import { type Model, onChange } from './model';

const LOWEST = 200;
const HIGHEST = 4000;

export interface Box {
  readonly element: HTMLElement;
  dispose(): void;
}

/** Creates a viewer with a handle to change its height and a button for full screen. */
export function createBox(view: Model, channel: Model): Box {
  const ends: (() => void)[] = [];
  const element = document.createElement('div');
  element.className = 'kf-box';
  const holder = document.createElement('div');
  holder.className = 'kf-holder';
  const frame = createFrame(view, channel);
  holder.append(frame.element);

  const height = () => Number(view.get('height')) || 470;
  const apply = () => {
    holder.style.height = `${height()}px`;
  };
  apply();
  ends.push(onChange(view, 'height', apply));
  const keep = (value: number) => {
    view.set('height', Math.round(Math.min(HIGHEST, Math.max(LOWEST, value))));
    view.save_changes();
  };

  const edge = document.createElement('div');
  edge.className = 'kf-edge';
  const grip = document.createElement('div');
  grip.className = 'kf-grip';
  grip.tabIndex = 0;
  grip.title = 'Drag to change the height';
  grip.setAttribute('role', 'separator');
  grip.setAttribute('aria-orientation', 'horizontal');
  grip.setAttribute('aria-label', 'Viewer height (change with the arrow keys)');
  let from: { y: number; height: number } | null = null;
  const listen = <K extends keyof HTMLElementEventMap>(
    target: HTMLElement,
    name: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ) => {
    target.addEventListener(name, listener);
    ends.push(() => target.removeEventListener(name, listener));
  };
  listen(grip, 'pointerdown', (event) => {
    from = { y: event.clientY, height: holder.clientHeight };
    grip.setPointerCapture(event.pointerId);
    // Otherwise the frame would capture pointer events while dragging over it.
    frame.element.style.pointerEvents = 'none';
  });
  listen(grip, 'pointermove', (event) => {
    if (from) holder.style.height = `${Math.max(LOWEST, from.height + event.clientY - from.y)}px`;
  });
  const release = () => {
    if (!from) return;
    from = null;
    frame.element.style.pointerEvents = '';
    keep(holder.clientHeight);
  };
  listen(grip, 'pointerup', release);
  listen(grip, 'pointercancel', release);
  listen(grip, 'keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 40 : event.key === 'ArrowUp' ? -40 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    keep(height() + step);
  });

  const full = document.createElement('button');
  full.type = 'button';
  full.className = 'kf-icon';
  full.title = 'Full screen';
  full.setAttribute('aria-label', 'Full screen');
  full.innerHTML =
    '<svg width="14" height="14" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/></svg>';
  listen(full, 'click', () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else holder.requestFullscreen?.().catch(() => {});
  });
  edge.append(grip, full);
  element.append(holder, edge);
  return {
    element,
    dispose() {
      for (const end of ends) end();
      frame.dispose();
      element.remove();
    },
  };
}

/** Shows the view in a new browser tab, connected through this page. Returns null if the browser blocks the tab. */
export function openTab(view: Model, channel: Model): Frame | null {
  const tab = window.open('', '_blank');
  if (!tab) return null;
  const { title } = (view.get('_fallback') ?? {}) as { title?: string };
  tab.document.title = title ?? 'KaroSpace';
  tab.document.body.style.cssText = 'margin:0;height:100vh;background:#f6f7f9';
  const frame = createFrame(view, channel, tab.document);
  tab.document.body.append(frame.element);
  tab.addEventListener('pagehide', () => frame.dispose(), { once: true });
  return frame;
}

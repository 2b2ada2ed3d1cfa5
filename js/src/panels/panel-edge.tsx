import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { INITIAL, PANEL_WIDTH } from '../state/view-state';
import { usePanels, useView } from './context';

const STEP = 16;

/** The edge between the tissue and the panel, which sets the width of the panel. */
export function PanelEdge(): JSX.Element {
  const { model, actions } = usePanels();
  const wanted = useView('panelWidth');
  const edge = useRef<HTMLDivElement>(null);
  // Render again when the window is resized: the panel takes at most half of it.
  void model.viewport.value;
  const app = edge.current?.closest('.ks-app');
  const most = Math.max(PANEL_WIDTH.min, Math.floor((app?.clientWidth ?? 2 * wanted) / 2));
  const width = Math.min(wanted, most);
  const set = (next: number) => actions.setPanelWidth(Math.round(Math.min(most, next)));
  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> takes neither focus nor values
    <div
      ref={edge}
      class="ks-panel-edge"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label="Panel width"
      aria-valuemin={PANEL_WIDTH.min}
      aria-valuemax={most}
      aria-valuenow={width}
      title="Resize the panel; double-click to reset"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        const handle = event.currentTarget;
        const start = event.clientX;
        handle.setPointerCapture(event.pointerId);
        handle.onpointermove = (at) => set(width + start - at.clientX);
        // Fires however the drag ends.
        handle.onlostpointercapture = () => {
          handle.onpointermove = null;
          handle.onlostpointercapture = null;
        };
      }}
      onDblClick={() => set(INITIAL.panelWidth)}
      onKeyDown={(event) => {
        const next = {
          ArrowLeft: width + STEP,
          ArrowRight: width - STEP,
          Home: PANEL_WIDTH.min,
          End: most,
        }[event.key];
        if (next === undefined) return;
        event.preventDefault();
        set(next);
      }}
    />
  );
}

import type { JSX } from 'preact';
import { scaleBar } from '../lib/scale-bar';
import { usePanels } from './context';

export function ScaleBar(): JSX.Element | null {
  const { model } = usePanels();
  const view = model.view.value;
  const positions = model.positions.value;
  // An embedding has no lengths.
  if (model.state.value.layout.kind === 'embedding') return null;
  const bar = view && positions && scaleBar(view.scale, positions.unitUm);
  if (!bar) return null;
  return (
    <div class="ks-card ks-scale">
      <span>{bar.label}</span>
      <div class="ks-scale-bar" style={{ width: `${bar.width}px` }} />
    </div>
  );
}

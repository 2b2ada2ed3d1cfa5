import type { JSX } from 'preact';
import { placeText, scaleBar } from '../lib/scale-bar';
import { usePanels } from './context';

/** Where the pointer is; sections that stand side by side are not where their coordinates say. */
export function Pointer(): JSX.Element | null {
  const { model } = usePanels();
  const place = model.pointer.value;
  const view = model.view.value;
  const positions = model.positions.value;
  if (!place || !view || !positions || model.state.value.layout.kind === 'sections') return null;
  const unit = positions.unitUm ?? 1;
  const [x, y] = place.map((value) => placeText(value * unit, unit / view.scale));
  return (
    <div class="ks-card ks-pointer" aria-hidden="true">
      {x}, {y}
      {positions.unitUm !== null && ' µm'}
    </div>
  );
}

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

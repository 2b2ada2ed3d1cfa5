import type { JSX } from 'preact';
import { axesPath } from '../../lib/axes';
import { ZERO } from '../../lib/origin';
import { placeText, scaleBar } from '../../lib/scale-bar';
import { embeddingLabel } from '../../state/layout/layout';
import { usePanels } from '../context';

/** The coordinates under the pointer. Not shown for sections side by side, which are moved from their coordinates. */
export function Pointer(): JSX.Element | null {
  const { model } = usePanels();
  const place = model.pointer.value;
  const view = model.view.value;
  const positions = model.positions.value;
  if (!place || !view || !positions || model.state.value.layout.kind === 'sections') return null;
  const unit = positions.unitUm ?? 1;
  const origin = positions.origin ?? ZERO;
  const [x, y] = [place[0] + origin[0], place[1] + origin[1]].map((value) =>
    placeText(value * unit, unit / view.scale),
  );
  return (
    <div class="ks-card ks-pointer" aria-hidden="true">
      {x}, {y}
      {positions.unitUm !== null && ' µm'}
    </div>
  );
}

/** Labels the two axes of an embedding, which has no unit of length. */
function Axes({ of }: { of: string }): JSX.Element {
  return (
    <div class="ks-card ks-axes">
      <span class="ks-clip">{of} 2</span>
      <svg viewBox="0 0 30 30" width="30" height="30" aria-hidden="true">
        <path d={axesPath(0, 30)} />
      </svg>
      <span class="ks-clip">{of} 1</span>
    </div>
  );
}

/** The scale bar of the tissue, or the axes of an embedding. */
export function ScaleBar(): JSX.Element | null {
  const { model } = usePanels();
  const view = model.view.value;
  const positions = model.positions.value;
  const embedding = embeddingLabel(model.state.value.layout, model.bundle.value?.manifest ?? null);
  if (embedding !== null) return <Axes of={embedding} />;
  const bar = view && positions && scaleBar(view.scale, positions.unitUm);
  if (!bar) return null;
  return (
    <div class="ks-card ks-scale">
      <span>{bar.label}</span>
      <div class="ks-scale-bar" style={{ width: `${bar.width}px` }} />
    </div>
  );
}

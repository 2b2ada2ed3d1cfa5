import type { JSX } from 'preact';
import { colorLabel } from '../../state/color/layer';
import { usePanels } from '../context';
import { CategoryLegend } from './category-legend';
import { BlendKey } from './gene-sets';
import { RangeLegend } from './range-legend';

/** The legend of the current color, shown while another tab is open, so that the colors always have a legend. */
export function EarlierLegend(): JSX.Element | null {
  const { model } = usePanels();
  const layer = model.layer.value;
  if (layer.kind === 'none') return null;
  const name = colorLabel(layer.color);
  return (
    <>
      <p class="ks-note ks-clip ks-earlier" title={name}>
        Now colored by <strong>{name}</strong>
      </p>
      {layer.kind === 'category' ? (
        <CategoryLegend key={layer.column.name} column={layer.column} />
      ) : (
        <section class="ks-section">
          {layer.kind === 'value' ? <RangeLegend layer={layer} /> : <BlendKey layer={layer} />}
        </section>
      )}
    </>
  );
}

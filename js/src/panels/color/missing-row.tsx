import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { MISSING_COLOR } from '../../lib/color';
import { counted } from '../../lib/format';
import type { Layer } from '../../state/color/layer';
import { missingIn } from '../../state/color/scope';
import { usePanels } from '../context';

/** The legend row of the gray cells: how many have no value. */
export function WithoutValue({ layer }: { layer: Layer }): JSX.Element | null {
  const { model } = usePanels();
  const scope = model.scope.value;
  const count = useMemo(() => missingIn(layer, scope), [layer, scope]);
  if (count === 0) return null;
  return (
    <p class="ks-without-value">
      <span class="ks-dot" style={{ background: MISSING_COLOR }} />
      <span>{counted(count, model.noun.value)} without a value</span>
    </p>
  );
}

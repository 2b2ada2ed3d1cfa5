import type { JSX } from 'preact';
import { COLORMAPS, type Colormap, colorScale } from '../../lib/colormap';
import { Chip } from '../buttons';
import { usePanels, useView } from '../context';

const NAMES: Record<Colormap, string> = {
  viridis: 'Viridis',
  magma: 'Magma',
  inferno: 'Inferno',
  cividis: 'Cividis (colorblind-safe)',
  greys: 'Grays',
  rdbu: 'Blue to red, white at zero (for signed values)',
};

/** Selects the color map of values and how it is scaled between the limits. */
export function Colormaps(): JSX.Element {
  const { model, actions } = usePanels();
  const colormap = useView('colormap');
  const reversed = useView('reversed');
  const scale = useView('scale');
  const dimZeros = useView('dimZeros');
  const shown = model.colormap.value;
  return (
    <div class="ks-colormaps">
      <div class="ks-swatches" role="radiogroup" aria-label="Color map">
        {COLORMAPS.map((map) => (
          <label key={map} class="ks-swatch" title={NAMES[map]}>
            <input
              type="radio"
              class="ks-offscreen"
              name="ks-colormap"
              aria-label={NAMES[map]}
              checked={map === shown}
              onChange={() => actions.setColors({ colormap: map })}
            />
            <span
              style={{
                background: colorScale({ map, reversed, log: false, range: [0, 1] }).gradient(0, 1),
              }}
            />
          </label>
        ))}
      </div>
      <div class="ks-chips">
        <Chip
          title="Blue to red for values on both sides of zero, Viridis otherwise"
          pressed={colormap === 'auto'}
          onClick={() => actions.setColors({ colormap: colormap === 'auto' ? shown : 'auto' })}
        >
          Auto
        </Chip>
        <Chip
          title="Reverse the color map"
          pressed={reversed}
          onClick={() => actions.setColors({ reversed: !reversed })}
        >
          Reverse
        </Chip>
        <Chip
          title="Scale colors by log(1 + value)"
          pressed={scale === 'log1p'}
          onClick={() => actions.setColors({ scale: scale === 'log1p' ? 'linear' : 'log1p' })}
        >
          Log
        </Chip>
        <Chip
          title="Dim cells with the value zero"
          pressed={dimZeros}
          onClick={() => actions.setColors({ dimZeros: !dimZeros })}
        >
          Dim zeros
        </Chip>
      </div>
    </div>
  );
}

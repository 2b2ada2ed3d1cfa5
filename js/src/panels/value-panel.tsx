import type { JSX } from 'preact';
import { formatValue } from '../lib/format';
import { ByClass } from './by-class';
import { Colormaps } from './colormaps';
import { ColumnSelect } from './column-select';
import { usePanels } from './context';
import { Problem } from './problem';
import { RangeLegend } from './range-legend';

function Select(): JSX.Element {
  const { model, actions } = usePanels();
  const { color } = model.state.value;
  const names = model.columns.value.filter(({ kind }) => kind === 'number').map(({ name }) => name);
  if (names.length === 0) return <p class="ks-note">This bundle has no annotation with numbers.</p>;
  return (
    <ColumnSelect
      label="Value"
      names={names}
      value={color.kind === 'annotation' ? color.column : ''}
      note="number"
      onChange={(column) => actions.setColor({ kind: 'annotation', column })}
    />
  );
}

function Facts(): JSX.Element | null {
  const { model } = usePanels();
  const layer = model.layer.value;
  if (model.problem.value) return <Problem />;
  if (layer.kind !== 'value' || layer.color.kind !== 'annotation') return null;
  const { min, max, mean } = layer.summary;
  return (
    <>
      <section class="ks-section">
        <h2 class="ks-heading">Range</h2>
        <RangeLegend layer={layer} />
        <Colormaps />
      </section>
      <section class="ks-section">
        <h2 class="ks-heading">In these values</h2>
        <dl class="ks-facts">
          {[
            ['Least', min],
            ['Mean', mean],
            ['Most', max],
          ].map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{formatValue(Number(value))}</dd>
            </div>
          ))}
        </dl>
        <ByClass values={layer.values} />
      </section>
    </>
  );
}

export const ValuePanel = { Select, Facts };

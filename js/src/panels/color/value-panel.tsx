import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { countMissing } from '../../data/summary';
import { COLUMN_MEANING } from '../../data/value-meaning';
import { startingWith } from '../../lib/counts';
import { counted, formatShare, formatWithin } from '../../lib/format';
import { distanceRegion, tissueUm } from '../../state/selection/border';
import { usePanels, useView } from '../context';
import { Problem } from '../problem';
import { ByCategory, ScopeName } from './by-category';
import { Colormaps } from './colormaps';
import { ColumnSelect } from './column-select';
import { EarlierLegend } from './earlier-legend';
import { RangeLegend } from './range-legend';

function Select(): JSX.Element {
  const { model, actions } = usePanels();
  const color = useView('color');
  const names = model.columns.value.filter(({ kind }) => kind === 'number').map(({ name }) => name);
  if (names.length === 0) return <p class="ks-note">This bundle has no numeric annotations.</p>;
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
  const here = model.valuesInScope.value?.values;
  const missing = useMemo(() => (here ? countMissing(here) : 0), [here]);
  if (model.problem.value)
    return (
      <>
        <Problem />
        <EarlierLegend />
      </>
    );
  if (layer.kind !== 'value' || layer.color.kind !== 'annotation' || !here) return <EarlierLegend />;
  if (missing === here.length) {
    return (
      <section class="ks-section">
        <p class="ks-note">No {model.noun.value}s have a value here.</p>
      </section>
    );
  }
  const { min, max, mean } = model.valuesInScope.value?.summary ?? layer.summary;
  return (
    <>
      <section class="ks-section">
        <h2 class="ks-heading">Range</h2>
        <RangeLegend layer={layer} />
        <Colormaps />
        {distanceRegion(model, layer.color.column) && (
          <p class="ks-note ks-break">
            Distance to the outline of the region,{' '}
            {tissueUm(model) === null ? 'in coordinate units' : 'in µm'}; negative inside.{' '}
            {startingWith(model.noun.value)} in other sections have no value.
          </p>
        )}
      </section>
      <section class="ks-section">
        <div class="ks-heading-line">
          <h2 class="ks-heading">Statistics</h2>
          <ScopeName />
        </div>
        <dl class="ks-facts">
          {[
            ['Minimum', min],
            ['Mean', mean],
            ['Maximum', max],
          ].map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{formatWithin(Number(value), max - min)}</dd>
            </div>
          ))}
          {missing > 0 && (
            <div>
              <dt>No value</dt>
              <dd>
                {counted(missing, model.noun.value)}, {formatShare(missing / here.length)}
              </dd>
            </div>
          )}
        </dl>
        <ByCategory values={layer.values} meaning={COLUMN_MEANING} />
      </section>
    </>
  );
}

export const ValuePanel = { Select, Facts };

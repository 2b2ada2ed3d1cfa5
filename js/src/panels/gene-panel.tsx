import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { meanByCode } from '../data/summary';
import { formatShare, formatValue } from '../lib/format';
import { Chip } from './buttons';
import { Colormaps } from './colormaps';
import { usePanels } from './context';
import { GeneSearchBox } from './gene-search-box';
import { MoreGenes } from './gene-sets';
import { Problem } from './problem';
import { RangeLegend } from './range-legend';

const MOST_GROUPS = 40;

/** A column of means is read down: no exponents among them. */
function formatMean(mean: number): string {
  return mean > 0 && mean < 0.001 ? '< 0.001' : formatValue(mean);
}

function Search({ focus }: { focus: Signal<boolean> }): JSX.Element {
  const { model, actions } = usePanels();
  const { color } = model.state.value;
  const adding = useSignal(false);
  const recent = model.recentGenes.value.filter((gene) => color.kind !== 'gene' || gene !== color.gene);
  return (
    <>
      <GeneSearchBox focus={focus} adding={adding} />
      {recent.length > 0 && (
        <div class="ks-chips">
          {recent.map((gene) => (
            <Chip key={gene} onClick={() => actions.setColor({ kind: 'gene', gene })}>
              {gene}
            </Chip>
          ))}
        </div>
      )}
      <MoreGenes adding={adding} />
    </>
  );
}

function Facts(): JSX.Element | null {
  const { model } = usePanels();
  const layer = model.layer.value;
  if (model.problem.value) return <Problem />;
  if (layer.kind === 'blend') return null;
  if (layer.kind !== 'value' || layer.color.kind === 'annotation') {
    return (
      <section class="ks-section">
        <p class="ks-note">Choose a gene to colour the tissue by its expression.</p>
      </section>
    );
  }
  const source = model.bundle.value?.manifest.expression.source ?? '';
  return (
    <>
      <section class="ks-section">
        <div class="ks-heading-line">
          <h2 class="ks-heading">Range</h2>
          <span class="ks-heading">{source}</span>
        </div>
        <RangeLegend layer={layer} />
        <Colormaps />
      </section>
      <section class="ks-section">
        <h2 class="ks-heading">{layer.color.kind === 'score' ? 'In this score' : 'In this gene'}</h2>
        <dl class="ks-facts">
          <div>
            <dt>Detected in</dt>
            <dd>{formatShare(layer.summary.fraction)} of cells</dd>
          </div>
          <div>
            <dt>Mean</dt>
            <dd>{formatValue(layer.summary.mean)}</dd>
          </div>
        </dl>
        <ByClass values={layer.values} />
      </section>
    </>
  );
}

export function ByClass({ values }: { values: Float32Array }): JSX.Element | null {
  const { model } = usePanels();
  const group = model.group.value;
  const classes = model.classes.value;
  const rows = useMemo(() => {
    if (!group || group.codes.length !== values.length) return [];
    const means = meanByCode(values, group.codes, group.categories.length);
    return classes(group)
      .map(({ name, color }, code) => ({ name, color, mean: means[code] ?? Number.NaN }))
      .filter(({ mean }) => Number.isFinite(mean))
      .sort((a, b) => b.mean - a.mean);
  }, [group, classes, values]);
  if (!group || rows.length === 0) return null;
  const scale = model.scale.value;
  const top = rows.reduce((most, { mean }) => Math.max(most, mean), 0);
  return (
    <>
      <div class="ks-heading-line ks-gap">
        <h2 class="ks-heading">By class</h2>
        <span class="ks-heading ks-plain" title={group.name}>
          mean · {group.name}
        </span>
      </div>
      <ul class="ks-means">
        {rows.slice(0, MOST_GROUPS).map(({ name, color, mean }) => (
          <li key={name}>
            <span class="ks-dot" style={{ background: color }} />
            <span class="ks-class-name" title={name}>
              {name}
            </span>
            <span class="ks-bar">
              <span
                style={{
                  width: `${top > 0 ? Math.max(0, (mean / top) * 100) : 0}%`,
                  background: scale.css(mean),
                }}
              />
            </span>
            <span class="ks-number ks-muted">{formatMean(mean)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

export const GenePanel = { Search, Facts };

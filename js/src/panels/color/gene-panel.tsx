import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { countMissing } from '../../data/summary';
import { counted, formatCount, formatMean, formatShare } from '../../lib/format';
import { meaningOf } from '../../state/color/gene-meaning';
import { Chip } from '../buttons';
import { usePanels, useView } from '../context';
import { Problem } from '../problem';
import { ByCategory, ScopeName } from './by-category';
import { Colormaps } from './colormaps';
import { EarlierLegend } from './earlier-legend';
import { GeneSearchBox } from './gene-search-box';
import { currentGenes, MoreGenes, withGene } from './gene-sets';
import { RangeLegend } from './range-legend';

function Search({ focus }: { focus: Signal<boolean> }): JSX.Element {
  const { model, actions } = usePanels();
  const color = useView('color');
  const adding = useSignal(false);
  const layer = model.layer.value;
  // Skip the gene that is shown. The genes of a blend stay listed, to show one of them alone.
  const shown = color.kind === 'gene' ? [color.gene] : adding.value ? currentGenes(layer) : [];
  const recent = model.recentGenes.value.filter(
    (gene) => !shown.includes(gene) && model.bundle.value?.genes.has(gene),
  );
  return (
    <>
      <GeneSearchBox focus={focus} adding={adding} />
      {recent.length > 0 && (
        <div class="ks-chips">
          {recent.map((gene) => (
            <Chip
              key={gene}
              onClick={() => {
                actions.setColor(withGene(layer, gene, adding.value));
                adding.value = false;
              }}
            >
              {gene}
            </Chip>
          ))}
        </div>
      )}
      <MoreGenes focus={focus} adding={adding} />
    </>
  );
}

function Facts(): JSX.Element | null {
  const { model } = usePanels();
  const layer = model.layer.value;
  const color = useView('color');
  const here = model.valuesInScope.value?.values;
  const missing = useMemo(() => (here ? countMissing(here) : 0), [here]);
  if (model.problem.value)
    return (
      <>
        <Problem />
        <EarlierLegend />
      </>
    );
  // The color key of a blend is above, with the genes.
  if (layer.kind === 'blend') return null;
  if (layer.kind !== 'value' || layer.color.kind === 'annotation') {
    // The gene is loading; a progress bar is shown on the tissue.
    if (color.kind === 'gene' || 'genes' in color)
      return layer.kind === 'none' ? (
        <section class="ks-section" aria-hidden="true">
          {[0, 1, 2].map((line) => (
            <div class="ks-skeleton" key={line} />
          ))}
        </section>
      ) : (
        <EarlierLegend />
      );
    return (
      <>
        <section class="ks-section">
          <p class="ks-note">Choose a gene to color the tissue by its expression.</p>
        </section>
        <EarlierLegend />
      </>
    );
  }
  if (here && missing === here.length) {
    return (
      <section class="ks-section">
        <p class="ks-note">No {model.noun.value}s have a value here.</p>
      </section>
    );
  }
  const { fraction, mean } = model.valuesInScope.value?.summary ?? layer.summary;
  const meaning = meaningOf(model, layer);
  const bundle = model.bundle.value;
  return (
    <>
      <section class="ks-section">
        <div class="ks-heading-line">
          <h2 class="ks-heading">Range</h2>
          {bundle && (bundle.matrices.length > 1 || bundle.matrixName !== 'X') && (
            <span class="ks-heading ks-clip" title={`Genes are read from ${bundle.matrixName}`}>
              Matrix: {bundle.matrixName}
            </span>
          )}
        </div>
        <RangeLegend layer={layer} />
        <Colormaps />
      </section>
      <section class="ks-section">
        <div class="ks-heading-line">
          <h2 class="ks-heading">{layer.color.kind === 'score' ? 'Score statistics' : 'Gene statistics'}</h2>
          <ScopeName />
        </div>
        <dl class="ks-facts">
          <div>
            <dt>Detected in</dt>
            {meaning.detectable ? (
              <dd>
                {formatShare(fraction)} of {model.noun.value}s{missing > 0 && ' with a value'}
              </dd>
            ) : (
              <dd class="ks-muted" title="On this scale, zero does not mean that the gene was not detected.">
                not applicable
              </dd>
            )}
          </div>
          <div>
            <dt>Mean of {meaning.noun}</dt>
            <dd>{formatMean(mean)}</dd>
          </div>
        </dl>
        {layer.color.kind === 'score' && (layer.partial ?? 0) > 0 && (
          <p class="ks-note">
            In {counted(layer.partial ?? 0, model.noun.value)}, some of the{' '}
            {formatCount(layer.color.genes.length)} genes have no value; their score is the mean of the other
            genes.
          </p>
        )}
        <ByCategory values={layer.values} meaning={meaning} />
      </section>
    </>
  );
}

export const GenePanel = { Search, Facts };

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { CategoryValues } from '../../data/column-values';
import { type Comparison, compared, composition, foremost, valuesBySide } from '../../data/composition';
import type { Meaning } from '../../data/value-meaning';
import { cssColor, MISSING_COLOR } from '../../lib/color';
import {
  formatCategory,
  formatCount,
  formatDifference,
  formatMean,
  formatRatio,
  formatShare,
  formatValue,
} from '../../lib/format';
import type { Numbers } from '../../lib/numbers';
import { cornersOf } from '../../state/color/blend';
import { geneMeaningOf, meaningOf } from '../../state/color/gene-meaning';
import type { Layer } from '../../state/color/layer';
import { countsIn, valuesIn } from '../../state/color/scope';
import type { Model } from '../../state/model';
import type { Selection } from '../../state/selection/selection';
import { More } from '../buttons';
import { GroupSelect, HowByCategory } from '../color/by-category';
import { SignedBar, spanOf } from '../color/signed-bar';
import { Violins } from '../color/violins';
import { usePanels } from '../context';

const FIRST_ROWS = 6;

/** Returns the annotation to count by: the chosen one, else the categorical annotation that colors the tissue. */
function groupOf(model: Model): CategoryValues | null {
  const layer = model.layer.value;
  return model.group.value ?? (layer.kind === 'category' ? layer.column : null);
}

function Composition({ selection }: { selection: Selection }): JSX.Element | null {
  const { model } = usePanels();
  const whole = useSignal(false);
  const column = groupOf(model);
  const shown = model.shown.value;
  const categoriesOf = model.categoriesOf.value;
  const rows = useMemo(
    () =>
      column && column.codes.length === selection.mask.length
        ? composition(selection.mask, column.codes, countsIn(column, shown))
        : [],
    [selection, column, shown],
  );
  if (!column || rows.length === 0) return null;
  const most = rows.reduce((top, { inside, rest }) => Math.max(top, inside, rest || 0), 0);
  const width = (share: number) => `${share > 0 ? Math.max(1, (share / most) * 100) : 0}%`;
  const listed = whole.value ? rows : foremost(rows, FIRST_ROWS);
  const named = categoriesOf(column);
  return (
    <>
      {/* Focusable, because it scrolls where the card has little room. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: so that keys can scroll it */}
      <ul class="ks-composition" tabIndex={0} aria-label={`Composition by ${column.name}`}>
        {listed.map(({ code, count, inside, rest }) => {
          const { name, color } = named[code] ?? { name: null, color: MISSING_COLOR };
          const against = Number.isNaN(rest) ? '' : `, ${formatShare(rest)} of the rest`;
          return (
            <li
              key={code}
              title={`${formatCategory(name)}: ${formatCount(count)} selected, ${formatShare(inside)} of the selection${against}`}
            >
              <span class="ks-dot" style={{ background: color }} />
              <span class={`ks-class-name${name === null ? ' ks-muted' : ''}`}>{formatCategory(name)}</span>
              <span class="ks-number">{formatShare(inside)}</span>
              <span class="ks-versus" aria-hidden="true">
                <span style={{ width: width(inside), background: color }} />
                <span style={{ width: width(rest) }} />
              </span>
              <span class="ks-number ks-muted">{Number.isNaN(rest) ? '' : formatRatio(inside / rest)}</span>
            </li>
          );
        })}
      </ul>
      <More whole={whole} more={rows.length - FIRST_ROWS} />
    </>
  );
}

interface MeansProps {
  selection: Selection;
  label: string;
  values: Numbers;
  meaning: Meaning;
  colorOf: (mean: number) => string;
}

/** The text next to the mean of the selection, and its tooltip. */
function comparisonText(comparison: Comparison | null): { text: string; title: string | undefined } {
  if (comparison === null) return { text: '', title: undefined };
  if (comparison.kind === 'difference')
    return { text: formatDifference(comparison.difference), title: 'Inside minus outside' };
  const { ratio, inside, outside } = comparison;
  const means = `mean of counts ${formatValue(inside)} inside, ${formatValue(outside)} outside`;
  if (Number.isNaN(ratio)) return { text: '–', title: `No ratio: ${means}` };
  return {
    text: formatRatio(ratio),
    title: ratio === Infinity ? `Only inside: ${means}` : `Ratio: ${means}`,
  };
}

function Means({ selection, label, values, meaning, colorOf }: MeansProps): JSX.Element {
  const { model } = usePanels();
  const shown = model.shown.value;
  const { inside, outside } = useMemo(
    () => valuesBySide(selection.mask, values, shown?.mask, meaning.linear),
    [selection, values, shown, meaning.linear],
  );
  const span = spanOf([inside.mean, outside.mean]);
  const comparison = comparisonText(compared(inside, outside));
  const sides = [
    ['Inside', inside, comparison],
    ['Outside', outside, null],
  ] as const;
  return (
    <>
      <About what={`Mean of ${meaning.noun} · ${label}`} />
      <ul class="ks-composition ks-sides" aria-label={`Mean of ${label}`}>
        {sides.map(([side, { mean, detected }, against]) => (
          <li key={side}>
            <span class="ks-class-name">
              {side}
              {meaning.detectable && !Number.isNaN(detected) && (
                <span class="ks-muted ks-detected">{formatShare(detected)} detected</span>
              )}
            </span>
            <span class="ks-number">{Number.isFinite(mean) ? formatMean(mean) : '–'}</span>
            <span class="ks-bar ks-thick" aria-hidden="true">
              <SignedBar value={mean} span={span} color={colorOf(mean)} />
            </span>
            <span class="ks-number ks-muted" title={against?.title}>
              {against?.text}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** A blend counts as signed as soon as one of its genes has values below zero. */
function blendMeaning(model: Model, { parts }: Extract<Layer, { kind: 'blend' }>): Meaning {
  return geneMeaningOf(model, { min: Math.min(...parts.map(({ summary }) => summary.min)) });
}

function About({ what }: { what: string }): JSX.Element {
  return (
    <p class="ks-heading ks-plain" title={what}>
      {what}
    </p>
  );
}

/** Compares the selected cells with the other visible cells. */
export function Against({ selection }: { selection: Selection }): JSX.Element {
  const { model } = usePanels();
  const layer = model.layer.value;
  const shown = model.shown.value;
  const group = groupOf(model);
  const partial = selection.count < (shown?.count ?? selection.mask.length);
  const all = layer.kind === 'value' ? layer.values : null;
  const values = useMemo(() => all && valuesIn(all, shown), [all, shown]);
  const meaning =
    layer.kind === 'value'
      ? meaningOf(model, layer)
      : layer.kind === 'blend'
        ? blendMeaning(model, layer)
        : null;
  return (
    <>
      {layer.kind === 'value' && meaning && (
        <Means
          selection={selection}
          label={layer.label}
          values={layer.values}
          meaning={meaning}
          colorOf={model.scale.value.css}
        />
      )}
      {layer.kind === 'blend' &&
        meaning &&
        layer.parts.map(({ gene, values }, at) => (
          <Means
            key={gene}
            selection={selection}
            label={gene}
            values={values}
            meaning={meaning}
            colorOf={() => cssColor(cornersOf(model.dark.value)[1 << at] ?? [0, 0, 0])}
          />
        ))}
      {meaning && partial && <p class="ks-note ks-comparison">{meaning.comparison}</p>}
      {group && (
        <div class="ks-heading-line">
          {layer.kind === 'value' ? (
            <HowByCategory first="Share" />
          ) : (
            <About what={partial ? 'Share, compared with the rest' : 'Share by category'} />
          )}
          <GroupSelect />
        </div>
      )}
      {group && partial && layer.kind === 'value' && (
        <About what="Selection, compared with the rest (gray)" />
      )}
      {values && group && model.spread.value ? (
        <Violins values={values} group={group} selection={selection} />
      ) : (
        <Composition selection={selection} />
      )}
    </>
  );
}

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { CategoryValues } from '../data/columns';
import { composition, foremost, valuesBySide } from '../data/inside';
import { cssColour, MISSING_COLOUR } from '../lib/colour';
import { formatClass, formatCount, formatShare, formatValue } from '../lib/format';
import type { Numbers } from '../lib/numbers';
import { cornersOf } from '../state/blend';
import type { Model } from '../state/model';
import { countsIn, valuesIn } from '../state/scope';
import { type Selection, visibleTest } from '../state/selection';
import { More } from './buttons';
import { GroupSelect, HowByClass } from './by-class';
import { usePanels, useView } from './context';
import { counted } from './title-card';
import { Violins } from './violins';

const FIRST_ROWS = 6;

/** How many times as much of it there is in the selection as in the rest. */
function formatRatio(ratio: number): string {
  if (Number.isNaN(ratio)) return '';
  if (ratio === Infinity) return '∞';
  if (ratio > 0 && ratio < 0.05) return '<0.1×';
  return `${ratio >= 9.95 || ratio === 0 ? formatCount(ratio) : ratio.toFixed(1)}×`;
}

/** The classes that are counted: those one chose, or those that colour the tissue. */
function groupOf(model: Model): CategoryValues | null {
  const layer = model.layer.value;
  return model.group.value ?? (layer.kind === 'category' ? layer.column : null);
}

function Composition({ selection }: { selection: Selection }): JSX.Element | null {
  const { model } = usePanels();
  const whole = useSignal(false);
  const column = groupOf(model);
  const scope = model.scope.value;
  const classes = model.classes.value;
  const rows = useMemo(
    () =>
      column && column.codes.length === selection.mask.length
        ? composition(selection.mask, column.codes, countsIn(column, scope))
        : [],
    [selection, column, scope],
  );
  if (!column || rows.length === 0) return null;
  const most = rows.reduce((top, { inside, rest }) => Math.max(top, inside, rest || 0), 0);
  const width = (share: number) => `${share > 0 ? Math.max(1, (share / most) * 100) : 0}%`;
  const shown = whole.value ? rows : foremost(rows, FIRST_ROWS);
  const named = classes(column);
  return (
    <>
      <ul class="ks-composition" aria-label={`Composition by ${column.name}`}>
        {shown.map(({ code, count, inside, rest }) => {
          const { name, color } = named[code] ?? { name: null, color: MISSING_COLOUR };
          const against = Number.isNaN(rest) ? '' : `, ${formatShare(rest)} of the rest`;
          return (
            <li
              key={code}
              title={`${formatClass(name)}: ${formatCount(count)} selected, ${formatShare(inside)} of the selection${against}`}
            >
              <span class="ks-dot" style={{ background: color }} />
              <span class={`ks-class-name${name === null ? ' ks-muted' : ''}`}>{formatClass(name)}</span>
              <span class="ks-number">{formatShare(inside)}</span>
              <span class="ks-versus" aria-hidden="true">
                <span style={{ width: width(inside), background: color }} />
                <span style={{ width: width(rest) }} />
              </span>
              <span class="ks-number ks-muted">{formatRatio(inside / rest)}</span>
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
  /** Zero says that a gene was not detected. */
  isGene: boolean;
  colorOf: (mean: number) => string;
}

function Means({ selection, label, values, isGene, colorOf }: MeansProps): JSX.Element {
  const { model } = usePanels();
  const scope = model.scope.value;
  const { inside, outside } = useMemo(
    () => valuesBySide(selection.mask, values, scope?.mask),
    [selection, values, scope],
  );
  const most = Math.max(0, ...[inside.mean, outside.mean].filter(Number.isFinite));
  const ratio = outside.mean > 0 && inside.mean >= 0 ? formatRatio(inside.mean / outside.mean) : '';
  const sides = [
    ['Inside', inside, ratio],
    ['Outside', outside, ''],
  ] as const;
  return (
    <>
      <About what={`mean · ${label}`} />
      <ul class="ks-composition ks-sides" aria-label={`Mean of ${label}`}>
        {sides.map(([side, { mean, detected }, times]) => (
          <li key={side}>
            <span class="ks-class-name">
              {side}
              {isGene && <span class="ks-muted ks-detected">{formatShare(detected)} detected</span>}
            </span>
            <span class="ks-number">{Number.isFinite(mean) ? formatValue(mean) : '–'}</span>
            <span class="ks-versus" aria-hidden="true">
              <span
                style={{
                  width: `${most > 0 && mean > 0 ? (mean / most) * 100 : 0}%`,
                  background: colorOf(mean),
                }}
              />
            </span>
            <span class="ks-number ks-muted">{times}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Lines and clicks take no cell of a hidden class; one that was selected before may be of one. */
function Hidden({ selection }: { selection: Selection }): JSX.Element | null {
  const { model } = usePanels();
  const layer = model.layer.value;
  const hidden = useView('hidden');
  const within = useMemo(() => {
    const visible = visibleTest(layer, { hidden });
    return visible && selection.mask.reduce((sum, flag, cell) => sum + (flag && !visible(cell) ? 1 : 0), 0);
  }, [selection, layer, hidden]);
  if (within === null) return null;
  return (
    <p class="ks-note">
      {within === 0
        ? 'Hidden classes are left out.'
        : `${counted(within, 'cell')} of hidden classes among them.`}
    </p>
  );
}

function About({ what }: { what: string }): JSX.Element {
  return (
    <p class="ks-heading ks-plain" title={what}>
      {what}
    </p>
  );
}

/** The selected cells, compared with the others that are shown. */
export function Against({ selection }: { selection: Selection }): JSX.Element {
  const { model } = usePanels();
  const layer = model.layer.value;
  const scope = model.scope.value;
  const group = groupOf(model);
  const partial = selection.count < (scope?.count ?? selection.mask.length);
  const all = layer.kind === 'value' ? layer.values : null;
  const values = useMemo(() => all && valuesIn(all, scope), [all, scope]);
  return (
    <>
      <Hidden selection={selection} />
      {layer.kind === 'value' && (
        <Means
          selection={selection}
          label={layer.label}
          values={layer.values}
          isGene={layer.color.kind !== 'annotation'}
          colorOf={model.scale.value.css}
        />
      )}
      {layer.kind === 'blend' &&
        layer.parts.map(({ gene, values }, at) => (
          <Means
            key={gene}
            selection={selection}
            label={gene}
            values={values}
            isGene
            colorOf={() => cssColour(cornersOf(model.dark.value)[1 << at] ?? [0, 0, 0])}
          />
        ))}
      {group && (
        <div class="ks-heading-line">
          {layer.kind === 'value' ? (
            <HowByClass first="Share" />
          ) : (
            <About what={partial ? 'Share, against the rest' : 'Share by class'} />
          )}
          <GroupSelect />
        </div>
      )}
      {group && partial && layer.kind === 'value' && <About what="Selected, against the rest in grey" />}
      {values && group && model.spread.value ? (
        <Violins values={values} group={group} selection={selection} />
      ) : (
        <Composition selection={selection} />
      )}
    </>
  );
}

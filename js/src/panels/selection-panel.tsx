import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import type { CategoryValues } from '../data/columns';
import { composition, foremost, valuesBySide } from '../data/inside';
import { cssColour, MISSING_COLOUR } from '../lib/colour';
import { formatClass, formatCount, formatShare, formatValue } from '../lib/format';
import { cornersOf } from '../state/blend';
import type { Model } from '../state/model';
import { freeName, type Selection, visibleTest } from '../state/selection';
import { More } from './buttons';
import { GroupSelect, HowByClass } from './by-class';
import { usePanels, useView } from './context';
import { Icon } from './icons';
import { NameField } from './name-field';
import { replaces } from './regions';
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
  const classes = model.classes.value;
  const rows = useMemo(
    () =>
      column && column.codes.length === selection.mask.length
        ? composition(selection.mask, column.codes, [
            ...column.categories.map(({ count }) => count),
            column.missing,
          ])
        : [],
    [selection, column],
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
  values: Float32Array;
  /** Zero says that a gene was not detected. */
  isGene: boolean;
  colorOf: (mean: number) => string;
}

function Means({ selection, label, values, isGene, colorOf }: MeansProps): JSX.Element {
  const { inside, outside } = useMemo(() => valuesBySide(selection.mask, values), [selection, values]);
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

function Buttons(): JSX.Element {
  const { model, actions } = usePanels();
  const naming = useSignal(false);
  const back = useRef(false);
  if (naming.value) {
    return (
      <NameField
        label="Name of the region"
        value={freeName(model.regions.value)}
        about={replaces(model.regions.value)}
        onName={actions.addRegion}
        onClose={(byKey) => {
          back.current = byKey;
          naming.value = false;
        }}
      />
    );
  }
  return (
    <div class="ks-pills">
      <button
        type="button"
        class="ks-pill ks-strong"
        ref={(button) => {
          if (!button || !back.current) return;
          back.current = false;
          button.focus();
        }}
        onClick={() => {
          naming.value = true;
        }}
      >
        Save as region
      </button>
      <button type="button" class="ks-pill" onClick={() => actions.invertSelection()}>
        Invert
      </button>
      <button type="button" class="ks-pill" title="Clear (Esc)" onClick={() => actions.clearSelection()}>
        Clear
      </button>
    </div>
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

function Count({ selection }: { selection: Selection }): JSX.Element {
  const { count, mask } = selection;
  return (
    <span class="ks-selected" role="status">
      <strong>{counted(count, 'cell')}</strong> · {formatShare(count / mask.length)}
    </span>
  );
}

function About({ what }: { what: string }): JSX.Element {
  return (
    <p class="ks-heading ks-plain" title={what}>
      {what}
    </p>
  );
}

function Whole({ selection }: { selection: Selection }): JSX.Element {
  const { model } = usePanels();
  const layer = model.layer.value;
  const group = groupOf(model);
  const partial = selection.count < selection.mask.length;
  return (
    <>
      <div class="ks-heading-line">
        <h2 class="ks-heading">Selection</h2>
        <Count selection={selection} />
      </div>
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
      {layer.kind === 'value' && group && model.spread.value ? (
        <Violins values={layer.values} group={group} selection={selection} />
      ) : (
        <Composition selection={selection} />
      )}
      <Buttons />
    </>
  );
}

export type Room = 'card' | 'section' | 'line';

/** A card on the tissue where there is room for it, else a section of the panel, else one line. */
export function roomFor(stage: { width: number; height: number }, panelOpen: boolean): Room {
  if (stage.width >= 640 && stage.height >= 600) return 'card';
  return panelOpen ? 'section' : 'line';
}

export function SelectionPanel({ as, onMore }: { as: Room; onMore: () => void }): JSX.Element | null {
  const { model, actions } = usePanels();
  const selection = model.selection.value;
  if (!selection) return null;
  if (as === 'section') {
    return (
      <section class="ks-section ks-selection" aria-label="Selection">
        <Whole selection={selection} />
      </section>
    );
  }
  if (as === 'card') {
    return (
      <section class="ks-card ks-selection ks-selection-card" aria-label="Selection">
        <Whole selection={selection} />
      </section>
    );
  }
  return (
    <section class="ks-card ks-selection-line" aria-label="Selection">
      <button type="button" class="ks-text-button" title="Show the selection in the panel" onClick={onMore}>
        <Count selection={selection} />
      </button>
      <button
        type="button"
        class="ks-icon-button"
        aria-label="Clear the selection"
        title="Clear the selection (Esc)"
        onClick={() => actions.clearSelection()}
      >
        <Icon name="close" size={16} />
      </button>
    </section>
  );
}

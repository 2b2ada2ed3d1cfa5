import { useSignal } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { Category } from '../../contract/manifest';
import type { CategoryValues } from '../../data/column-values';
import { MISSING_COLOR } from '../../lib/color';
import { startingWith } from '../../lib/counts';
import { counted, formatClass, formatCount, formatShare } from '../../lib/format';
import { ordered } from '../../state/color/category-colors';
import { dimmedFlags, flagsOf } from '../../state/color/layer';
import { countsIn } from '../../state/color/scope';
import { type ClassOrder, hiddenOf, PALETTE_NAMES, type PaletteName } from '../../state/view-state';
import { HeadingButton } from '../buttons';
import { usePanels, useView } from '../context';
import { Icon } from '../icons';
import { useRowActions } from './row-actions';

const NEXT_ORDER: Record<ClassOrder, ClassOrder> = { size: 'name', name: 'original', original: 'size' };
const SEARCH_FROM = 16;
/** At most this many rows are rendered; the others are reachable by search. */
const MOST_ROWS = 300;

interface Row {
  name: string | null;
  color: string;
  count: number;
}

function rowsOf(
  classes: readonly Category[],
  counts: ArrayLike<number>,
  order: ClassOrder,
  query: string,
): Row[] {
  const wanted = query.trim().toLowerCase();
  const rows: Row[] = ordered(
    classes
      .map((category, code) => ({ ...category, count: counts[code] ?? 0 }))
      .filter(({ name }) => name.toLowerCase().includes(wanted)),
    order,
  );
  const missing = counts[classes.length] ?? 0;
  if (missing > 0 && wanted === '') rows.push({ name: null, color: MISSING_COLOR, count: missing });
  return rows;
}

const keyOf = ({ name }: Row) => (name === null ? '\0missing' : `=${name}`);

/**
 * Gives names room before numbers: with names that two lines cannot hold, the shares go, then the bars; names that are
 * longer still take more lines.
 */
function useRoomForNames(rows: readonly Row[]) {
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    const shown = list.current;
    if (!shown) return;
    const makeRoom = () => {
      for (const without of ['', 'share', 'share bar']) {
        shown.dataset.without = without;
        const names = [...shown.querySelectorAll('.ks-class-name')];
        if (!names.some(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1)) return;
      }
    };
    makeRoom();
    const width = new ResizeObserver(makeRoom);
    width.observe(shown);
    return () => width.disconnect();
  }, [rows]);
  return list;
}

/** Moves focus with the arrow keys: up and down between rows, left and right between a row's color and name. */
function moveFocus(event: TargetedKeyboardEvent<HTMLUListElement>): void {
  const list = event.currentTarget;
  const from = event.target as Element;
  const row = from.closest('li');
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  const to = {
    ArrowUp: row.previousElementSibling,
    ArrowDown: row.nextElementSibling,
    Home: list.firstElementChild,
    End: list.lastElementChild,
    ArrowLeft: row,
    ArrowRight: row,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const dots = event.key === 'ArrowLeft' || (from.matches('input') && event.key !== 'ArrowRight');
  const next = (dots && to?.querySelector('input')) || to?.querySelector('button');
  next?.focus();
}

/** Lists the categories of an annotation: names, cell counts and colors. */
export function ClassLegend({ column }: { column: CategoryValues }): JSX.Element {
  const { model, actions } = usePanels();
  const query = useSignal('');
  /** The row in the tab order: the whole list is a single tab stop. */
  const stop = useSignal<string | null>(null);
  const last = useRef<string | undefined>(undefined);
  const order = useView('classOrder');
  const classes = model.classes.value;
  const scope = model.scope.value;
  const counts = useMemo(() => countsIn(column, scope), [column, scope]);
  const classColors = useView('classColors');
  const rows = useMemo(
    () => rowsOf(classes(column), counts, order, query.value),
    [column, classes, counts, order, query.value],
  );
  const list = useRoomForNames(rows);
  const state = { hidden: useView('hidden'), isolated: useView('isolated') };
  const hidden = new Set(hiddenOf(state, column.name));
  const hiddenCodes = flagsOf(column, [...hidden]);
  const dimmed = dimmedFlags(column, state);
  const isDimmed = new Map(
    [...column.categories.map(({ name }) => name), null].map((name, code) => [name, dimmed?.[code] === 1]),
  );
  const inFront = Array.from(counts).reduce(
    (sum, count, code) => (dimmed?.[code] === 1 || hiddenCodes[code] === 1 ? sum : sum + count),
    0,
  );
  const total = scope?.count ?? column.codes.length;
  const largest = Array.from(counts).reduce((most, count) => Math.max(most, count), 0);
  const shown = rows.slice(0, MOST_ROWS);
  const stopAt = shown.find((row) => keyOf(row) === stop.value) ?? shown[0];
  return (
    <section class="ks-section">
      <div class="ks-heading-line">
        <h2 class="ks-heading">Categories</h2>
        <Palettes />
        <HeadingButton
          title="Change the sort order"
          label={`Category order: ${order}`}
          onClick={() => actions.setClassOrder(NEXT_ORDER[order])}
        >
          {order} <Icon name="down" size={12} />
        </HeadingButton>
      </div>
      {column.categories.length >= SEARCH_FROM && (
        <div class="ks-field ks-search">
          <Icon name="search" size={14} />
          <input
            type="search"
            aria-label="Search categories"
            placeholder={`Search ${formatCount(column.categories.length)} categories`}
            value={query.value}
            onInput={(event) => {
              query.value = event.currentTarget.value;
            }}
          />
        </div>
      )}
      {scope && (
        <p class="ks-note ks-clip ks-legend-of">
          {startingWith(model.noun.value)} in {scope.name}: {formatCount(scope.count)}
        </p>
      )}
      {dimmed && (
        <p class="ks-note ks-legend-of" role="status">
          Isolated: {formatCount(inFront)} of {counted(total, model.noun.value)},{' '}
          {formatShare(inFront / total)}
        </p>
      )}
      <ul
        ref={list}
        class="ks-legend"
        aria-label="Categories. Up and down arrows move, left arrow goes to the color, Enter hides or shows, Shift+Enter isolates, Alt+Enter selects."
        onKeyDown={moveFocus}
      >
        {shown.map((row) => (
          <LegendRow
            key={keyOf(row)}
            row={row}
            column={column}
            hidden={hidden.has(row.name)}
            dimmed={isDimmed.get(row.name) ?? false}
            width={largest > 0 ? row.count / largest : 0}
            of={total}
            tabStop={row === stopAt}
            last={last}
            onFocus={() => {
              stop.value = keyOf(row);
            }}
          />
        ))}
      </ul>
      {rows.length > MOST_ROWS && (
        <p class="ks-note">{formatCount(rows.length - MOST_ROWS)} more; use the search to find them.</p>
      )}
      {rows.length === 0 && <p class="ks-note">No matching categories.</p>}
      <div class="ks-legend-foot">
        <p class="ks-note">
          {matchMedia('(pointer: coarse)').matches
            ? 'Tap to hide, double-tap to isolate; with the lasso or rectangle tool, tap to select. Tap the dot to change the color.'
            : 'Click to hide, double-click to isolate, Alt+click to select. Click the dot to change the color.'}
        </p>
        {(hidden.size > 0 || dimmed) && (
          <button type="button" class="ks-link" onClick={() => actions.showAll(column.name)}>
            Show all
          </button>
        )}
        {Object.hasOwn(classColors, column.name) && (
          <button
            type="button"
            class="ks-link"
            title="Reset custom colors"
            onClick={() => actions.resetClassColors(column.name)}
          >
            Reset colors
          </button>
        )}
      </div>
    </section>
  );
}

function LegendRow(props: {
  row: Row;
  column: CategoryValues;
  hidden: boolean;
  dimmed: boolean;
  /** Total number of cells */
  of: number;
  /** Width of the bar, 0 to 1 */
  width: number;
  tabStop: boolean;
  onFocus: () => void;
  last: { current: string | undefined };
}): JSX.Element {
  const { row, column, hidden, dimmed, of, width, tabStop, onFocus, last } = props;
  const { actions } = usePanels();
  const { color, count } = row;
  const name = formatClass(row.name);
  const share = formatShare(count / Math.max(1, of));
  const { point, leave, click, keyDown } = useRowActions(column, [row.name], last);
  return (
    <li
      class={`ks-class-row${hidden ? ' ks-hidden' : dimmed ? ' ks-dimmed' : ''}`}
      // Touch has no hover.
      onPointerEnter={(event) => event.pointerType !== 'touch' && point()}
      onPointerLeave={leave}
      onFocusIn={(event) => {
        onFocus();
        if ((event.target as Element).matches(':focus-visible')) point();
      }}
      onFocusOut={leave}
    >
      {row.name === null ? (
        <span class="ks-dot" style={{ background: color }} />
      ) : (
        <input
          type="color"
          class="ks-swatch-dot"
          tabIndex={-1}
          aria-label={`Color of ${name}`}
          title={`Change the color of ${name}`}
          value={color}
          onInput={(event) => actions.recolorClass(column.name, row.name ?? '', event.currentTarget.value)}
        />
      )}
      <button
        type="button"
        class="ks-class"
        tabIndex={tabStop ? 0 : -1}
        aria-pressed={!hidden}
        aria-label={`${name} ${formatCount(count)} ${share}${dimmed && !hidden ? ', dimmed' : ''}`}
        title={`${name}: click to hide, double-click to isolate, Alt+click to select its cells (with Shift, add them to the selection)`}
        onClick={click}
        onKeyDown={keyDown}
      >
        <span class={`ks-class-name${row.name === null ? ' ks-muted' : ''}`}>{name}</span>{' '}
        <span class="ks-number ks-muted">{formatCount(count)}</span>{' '}
        <span class="ks-number ks-muted ks-share">{share}</span>
        <span class="ks-bar">
          <span style={{ width: `${Math.max(4, width * 100)}%`, background: color }} />
        </span>
        <Icon name={hidden ? 'hidden' : 'eye'} size={16} />
      </button>
    </li>
  );
}

const PALETTE_LABELS: Record<PaletteName, string> = {
  file: 'File colors',
  distinct: 'Distinct',
  safe: 'Colorblind',
};

/** Selects the palette of all categories. */
function Palettes(): JSX.Element {
  const { actions } = usePanels();
  return (
    <span class="ks-heading ks-heading-select">
      <select
        aria-label="Category colors"
        title="Category colors: those of the file, a palette of distinct colors, or a colorblind-safe palette"
        value={useView('palette')}
        onChange={(event) => actions.setPalette(event.currentTarget.value as PaletteName)}
      >
        {PALETTE_NAMES.map((name) => (
          <option key={name} value={name}>
            {PALETTE_LABELS[name]}
          </option>
        ))}
      </select>
      <Icon name="down" size={12} />
    </span>
  );
}

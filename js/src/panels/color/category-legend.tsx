import { useSignal } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { CategoryValues, GroupedCategory } from '../../data/column-values';
import { MISSING_COLOR } from '../../lib/color';
import { startingWith } from '../../lib/counts';
import { counted, formatCount, formatShare } from '../../lib/format';
import { hasFileColors, ordered } from '../../state/color/category-colors';
import { membersOf } from '../../state/color/groups';
import { dimmedFlags, flagsOf } from '../../state/color/layer';
import { countsIn } from '../../state/color/scope';
import { hasGenes, REST } from '../../state/compare/groups-of-cells';
import { squareAngle } from '../../state/layout/squares';
import { type CategoryOrder, hiddenOf, PALETTE_NAMES, type PaletteName } from '../../state/view-state';
import { HeadingButton } from '../buttons';
import { usePanels, useView } from '../context';
import { Icon } from '../icons';
import { GroupForm } from './grouping';
import { LegendRow, type Row } from './legend-row';

const NEXT_ORDER: Record<CategoryOrder, CategoryOrder> = { size: 'name', name: 'original', original: 'size' };
const SEARCH_FROM = 16;
/** At most this many rows are rendered; the others are reachable by search. */
const MAX_ROWS = 300;

function rowsOf(
  categories: readonly GroupedCategory[],
  counts: ArrayLike<number>,
  order: CategoryOrder,
  query: string,
): Row[] {
  const wanted = query.trim().toLowerCase();
  const rows: Row[] = ordered(
    categories
      .map((category, code) => ({
        ...category,
        names: membersOf(category),
        count: counts[code] ?? 0,
        code,
        ...(category.members ? { group: category } : {}),
      }))
      .filter(({ name, names }) => [name, ...names].some((text) => text.toLowerCase().includes(wanted))),
    order,
  );
  const missing = counts[categories.length] ?? 0;
  if (missing > 0 && wanted === '')
    rows.push({ name: null, names: [null], color: MISSING_COLOR, count: missing, code: categories.length });
  return rows;
}

const keyOf = ({ name }: Pick<Row, 'name'>) => (name === null ? '\0missing' : `=${name}`);

/** Tracks the names of the rows that are checked for grouping; null unless categories are being grouped. */
function usePicked(listed: readonly Row[]) {
  const picked = useSignal<ReadonlySet<string> | null>(null);
  const last = useRef<string | null>(null);
  return {
    names: picked.value,
    set(names: Iterable<string> | null) {
      picked.value = names && new Set(names);
      last.current = null;
    },
    /** Checks or unchecks a row; with `range`, checks all from the last one to this one. */
    toggle(name: string, range: boolean) {
      const next = new Set(picked.value);
      const order = listed.flatMap((row) => row.name ?? []);
      const ends = [order.indexOf(last.current ?? ''), order.indexOf(name)] as const;
      if (range && ends[0] >= 0)
        for (const between of order.slice(Math.min(...ends), Math.max(...ends) + 1)) next.add(between);
      else if (!next.delete(name)) next.add(name);
      last.current = name;
      picked.value = next;
    },
  };
}

/**
 * Gives names priority over numbers: hides the shares, then the bars, if names do not fit on two lines. If that is not
 * enough, the names take more lines.
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
    const observer = new ResizeObserver(makeRoom);
    observer.observe(shown);
    return () => observer.disconnect();
  }, [rows]);
  return list;
}

/** Moves focus with the arrow keys: up and down between rows, left and right between a row's color, name and markers. */
function moveFocus(event: TargetedKeyboardEvent<HTMLUListElement>): void {
  const list = event.currentTarget;
  const from = event.target as Element;
  const row = from.closest('li');
  if (!row || event.altKey || event.ctrlKey || event.metaKey || from.matches('[type="text"]')) return;
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
  const markers = event.key === 'ArrowRight' && from.matches('.ks-class, .ks-row-genes');
  const next =
    (markers && to?.querySelector<HTMLElement>('.ks-row-genes')) ||
    (dots && !from.matches('.ks-row-genes') && to?.querySelector('input')) ||
    to?.querySelector('button');
  next?.focus();
}

/**
 * Returns whether an event is a mouse click. Only a mouse click moves the focus to the name of the new group:
 * keys act on the list, and after a tap, the focus would open the on-screen keyboard.
 */
const fromMouse = (event: Event) =>
  event instanceof MouseEvent &&
  event.detail > 0 &&
  !(event instanceof PointerEvent && event.pointerType === 'touch');

/** Returns the name of the first category that is not hidden. */
const firstVisible = (rows: readonly Row[], hidden: ArrayLike<number>) =>
  rows.find(({ name, code }) => name !== null && hidden[code] !== 1)?.name;

/** Lists the categories of an annotation: names, cell counts and colors. */
export function CategoryLegend({ column }: { column: CategoryValues }): JSX.Element {
  const { model, actions } = usePanels();
  const query = useSignal('');
  /** The row in the tab order: the whole list is a single tab stop. */
  const stop = useSignal<string | null>(null);
  /** Key of the row that was clicked last, to recognize double-clicks. */
  const last = useRef<string | undefined>(undefined);
  const order = useView('classOrder');
  const categoriesOf = model.categoriesOf.value;
  const scope = model.scope.value;
  const counts = useMemo(() => countsIn(column, scope), [column, scope]);
  const classColors = useView('classColors');
  const rows = useMemo(
    () => rowsOf(categoriesOf(column), counts, order, query.value),
    [column, categoriesOf, counts, order, query.value],
  );
  const list = useRoomForNames(rows);
  const state = { hidden: useView('hidden'), isolated: useView('isolated') };
  const hidden = flagsOf(column, hiddenOf(state, column.name));
  const dimmed = dimmedFlags(column, state);
  /** Cells that are neither dimmed nor hidden. */
  const isolatedCount = Array.from(counts).reduce(
    (sum, count, code) => (dimmed?.[code] === 1 || hidden[code] === 1 ? sum : sum + count),
    0,
  );
  const total = scope?.count ?? column.codes.length;
  const layer = model.layer.value;
  const drawnAsPies = layer.kind === 'category' && layer.amounts !== undefined && squareAngle(model) === null;
  const compared = hasGenes(model) && rows.length > 1 && firstVisible(rows, hidden);
  const selecting = model.selection.value !== null;
  const largest = Array.from(counts).reduce((most, count) => Math.max(most, count), 0);
  const shown = rows.slice(0, MAX_ROWS);
  const stopAt = shown.find((row) => keyOf(row) === stop.value) ?? shown[0];
  const picked = usePicked(shown);
  /** Incremented to move the focus to the name of the new group. */
  const naming = useSignal(0);
  const checked = (row: { name: string | null }) =>
    picked.names !== null && row.name !== null && picked.names.has(row.name);
  /** Whether the row in the tab order takes the focus at the next rendering */
  const takesFocus = useRef(false);
  useLayoutEffect(() => {
    if (!takesFocus.current) return;
    takesFocus.current = false;
    list.current?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
  });
  const focusOn = (name: string | null) => {
    if (name) stop.value = keyOf({ name });
    takesFocus.current = true;
  };
  const endPicking = (name: string | null) => {
    picked.set(null);
    naming.value = 0;
    if (name !== null) query.value = '';
    focusOn(name);
  };
  return (
    <section class="ks-section">
      <div class="ks-heading-line">
        <h2 class="ks-heading">Categories</h2>
        <Palettes column={column} />
        <HeadingButton
          title="Change the sort order"
          label={`Category order: ${order}`}
          onClick={() => actions.setCategoryOrder(NEXT_ORDER[order])}
        >
          {order} <Icon name="down" size={12} />
        </HeadingButton>
        <HeadingButton
          title="Group categories: show several as one (Ctrl+click on a category)"
          label="Group categories"
          pressed={picked.names !== null}
          onClick={(event) => {
            if (picked.names) return endPicking(null);
            picked.set([]);
            if (fromMouse(event)) naming.value++;
            else focusOn(null);
          }}
        >
          <Icon name="both" size={14} />
        </HeadingButton>
      </div>
      {(column.ungrouped ?? column).categories.length >= SEARCH_FROM && (
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
      <ul
        ref={list}
        class="ks-legend"
        style={{ '--share': `${shareWidth(shown, total)}px` }}
        aria-label="Categories. Up and down arrows move, left arrow goes to the color, right arrow to the markers, Enter hides or shows, Shift+Enter isolates, Alt+Enter selects, Ctrl+Enter checks a category for grouping. On a group, F2 renames and Delete ungroups."
        onKeyDown={(event) => {
          moveFocus(event);
          if (event.key !== 'Escape' || event.defaultPrevented || picked.names === null) return;
          event.preventDefault();
          endPicking(null);
        }}
      >
        {shown.map((row) => (
          <LegendRow
            key={keyOf(row)}
            row={row}
            column={column}
            hidden={hidden[row.code] === 1}
            dimmed={dimmed?.[row.code] === 1}
            checked={picked.names && checked(row)}
            onCheck={(name, range, event) => {
              picked.toggle(name, range);
              if (fromMouse(event)) naming.value++;
            }}
            focusOn={focusOn}
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
      {rows.length > MAX_ROWS && (
        <p class="ks-note">{formatCount(rows.length - MAX_ROWS)} more; use the search to find them.</p>
      )}
      {rows.length === 0 && <p class="ks-note">No matching categories.</p>}
      {picked.names && (
        <GroupForm
          column={column}
          rows={column.categories.filter(checked)}
          focus={naming.value}
          cells={column.categories.reduce(
            (sum, row, code) => sum + (checked(row) ? (counts[code] ?? 0) : 0),
            0,
          )}
          onAll={
            query.value.trim() === ''
              ? null
              : () => picked.set([...(picked.names ?? []), ...rows.flatMap(({ name }) => name ?? [])])
          }
          onDone={endPicking}
        />
      )}
      {drawnAsPies && (
        <p class="ks-note">
          When zoomed in, each {model.noun.value} is a pie chart of its types; otherwise it has the color of
          the most abundant type.
        </p>
      )}
      {/* Below the list: above it, it would move the rows away from under the pointer that isolates one. */}
      {dimmed && (
        <p class="ks-note" role="status">
          Isolated: {formatCount(isolatedCount)} of {counted(total, model.noun.value)},{' '}
          {formatShare(isolatedCount / total)}
        </p>
      )}
      <div class="ks-legend-foot">
        <p class="ks-note">
          {picked.names
            ? 'Click to check, Shift+click to check a range.'
            : matchMedia('(pointer: coarse)').matches
              ? 'Tap to hide, double-tap to isolate; with the lasso or rectangle tool, tap to select. Tap the dot to change the color.'
              : 'Click to hide, double-click to isolate, Alt+click to select, Ctrl+click to group. Click the dot to change the color.'}
        </p>
        {compared && (
          <button
            type="button"
            class="ks-link"
            title={
              selecting
                ? 'Compare all genes between the selected cells and the rest'
                : 'Compare all genes between a category and another one, or the rest'
            }
            onClick={() =>
              void actions.compare([
                selecting ? { kind: 'selection' } : { kind: 'category', column: column.name, name: compared },
                REST,
              ])
            }
          >
            Compare genes
          </button>
        )}
        {model.bundle.value?.hasNeighbors && rows.length > 1 && (
          <button
            type="button"
            class="ks-link"
            title="Show which categories lie next to each other"
            onClick={() => actions.showNeighborhoods(true)}
          >
            Neighborhoods
          </button>
        )}
        {(hiddenOf(state, column.name).length > 0 || dimmed) && (
          <button type="button" class="ks-link" onClick={() => actions.showAll(column.name)}>
            Show all
          </button>
        )}
        {(Object.hasOwn(classColors, column.name) || column.categories.some(({ ownColor }) => ownColor)) && (
          <button
            type="button"
            class="ks-link"
            title="Reset custom colors"
            onClick={() => actions.resetCategoryColors(column.name)}
          >
            Reset colors
          </button>
        )}
      </div>
    </section>
  );
}

/** Returns the width of the column of shares, in CSS pixels: “< 0.1%” and “> 99.9%” need the most. */
function shareWidth(rows: readonly Row[], total: number): number {
  const longest = Math.max(0, ...rows.map(({ count }) => formatShare(count / Math.max(1, total)).length));
  return longest > 6 ? 62 : longest > 5 ? 54 : 46;
}

const PALETTE_LABELS = { distinct: 'Distinct', safe: 'Colorblind' };

/** Selects the palette of all categories. */
function Palettes({ column }: { column: CategoryValues }): JSX.Element {
  const { actions } = usePanels();
  const fromFile = useMemo(() => hasFileColors(column), [column]);
  const labels = { ...PALETTE_LABELS, file: fromFile ? 'File colors' : 'Default' };
  const first = fromFile ? 'those of the file' : 'the default ones (the file has none)';
  return (
    <span class="ks-heading ks-heading-select">
      <select
        aria-label="Category colors"
        title={`Category colors: ${first}, a palette of distinct colors, or a colorblind-safe palette`}
        value={useView('palette')}
        onChange={(event) => actions.setPalette(event.currentTarget.value as PaletteName)}
      >
        {PALETTE_NAMES.map((name) => (
          <option key={name} value={name}>
            {labels[name]}
          </option>
        ))}
      </select>
      <Icon name="down" size={12} />
    </span>
  );
}

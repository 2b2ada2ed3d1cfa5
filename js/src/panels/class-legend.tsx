import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Category } from '../contract/manifest';
import type { CategoryValues } from '../data/columns';
import { MISSING_COLOUR } from '../lib/colour';
import { formatCount, formatShare } from '../lib/format';
import { hiddenOf, PALETTE_NAMES, type PaletteName } from '../state/view-state';
import { HeadingButton } from './buttons';
import { usePanels } from './context';
import { Icon } from './icons';
import { Problem } from './problem';

type Order = 'size' | 'name' | 'original';

const NEXT_ORDER: Record<Order, Order> = { size: 'name', name: 'original', original: 'size' };
const SEARCH_FROM = 16;
/** More rows than this are found by search: a list of thousands is read by nobody. */
const MOST_ROWS = 300;

const byName = new Intl.Collator('en', { numeric: true });

interface Row {
  name: string | null;
  color: string;
  count: number;
}

function rowsOf(classes: readonly Category[], missing: number, order: Order, query: string): Row[] {
  const wanted = query.trim().toLowerCase();
  const rows: Row[] = classes.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (order === 'size') rows.sort((a, b) => b.count - a.count);
  if (order === 'name') rows.sort((a, b) => byName.compare(a.name ?? '', b.name ?? ''));
  if (missing > 0 && wanted === '') rows.push({ name: null, color: MISSING_COLOUR, count: missing });
  return rows;
}

/** The classes of the annotation that colours the tissue: what they are called, how many cells, and their colours. */
export function ClassLegend(): JSX.Element | null {
  const { model, actions } = usePanels();
  const order = useSignal<Order>('size');
  const query = useSignal('');
  const layer = model.layer.value;
  const column = layer.kind === 'category' ? layer.column : null;
  const classes = model.classes.value;
  const { classColors } = model.state.value;
  const rows = useMemo(
    () => (column ? rowsOf(classes(column), column.missing, order.value, query.value) : []),
    [column, classes, order.value, query.value],
  );
  // A row that is taken away while the pointer is on it never says that the pointer left.
  useEffect(() => () => actions.emphasise(null), [actions, column]);
  if (model.problem.value) return <Problem />;
  if (!column) return null;
  const hidden = new Set(hiddenOf(model.state.value, column.name));
  const largest = column.categories.reduce((most, { count }) => Math.max(most, count), column.missing);
  return (
    <section class="ks-section">
      <div class="ks-heading-line">
        <h2 class="ks-heading">Classes</h2>
        <Palettes />
        <HeadingButton
          title="Change the order"
          onClick={() => {
            order.value = NEXT_ORDER[order.value];
          }}
        >
          {order.value} <Icon name="down" size={12} />
        </HeadingButton>
      </div>
      {column.categories.length >= SEARCH_FROM && (
        <div class="ks-field ks-search">
          <Icon name="search" size={14} />
          <input
            type="search"
            aria-label="Search classes"
            placeholder={`Search ${formatCount(column.categories.length)} classes`}
            value={query.value}
            onInput={(event) => {
              query.value = event.currentTarget.value;
            }}
          />
        </div>
      )}
      <ul class="ks-legend">
        {rows.slice(0, MOST_ROWS).map((row) => (
          <LegendRow
            key={row.name === null ? '\0missing' : `=${row.name}`}
            row={row}
            column={column}
            hidden={hidden.has(row.name)}
            width={largest > 0 ? row.count / largest : 0}
          />
        ))}
      </ul>
      {rows.length > MOST_ROWS && (
        <p class="ks-note">{formatCount(rows.length - MOST_ROWS)} more: search to find them.</p>
      )}
      {rows.length === 0 && <p class="ks-note">No class has that name.</p>}
      <div class="ks-legend-foot">
        <p class="ks-note">
          Click hides, double click isolates, Alt click selects; the dot changes the colour.
        </p>
        {hidden.size > 0 && (
          <button type="button" class="ks-link" onClick={() => actions.showAll(column.name)}>
            Show all
          </button>
        )}
        {Object.hasOwn(classColors, column.name) && (
          <button
            type="button"
            class="ks-link"
            title="Give up the colours that were chosen by hand"
            onClick={() => actions.resetClassColors(column.name)}
          >
            Reset colours
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
  /** Of the bar, 0 to 1 */
  width: number;
}): JSX.Element {
  const { row, column, hidden, width } = props;
  const { actions } = usePanels();
  const { color, count } = row;
  const name = row.name ?? 'no value';
  const share = formatShare(count / Math.max(1, column.codes.length));
  const isolate = () => actions.isolateClass(column.name, row.name);
  const select = (event: MouseEvent) => {
    const { categories, codes } = column;
    const code = categories.findIndex((other) => other.name === row.name);
    const wanted = code === -1 ? categories.length : code;
    actions.selectWhere((cell) => codes[cell] === wanted, event.shiftKey ? 'add' : 'replace');
  };
  const point = () => actions.emphasise({ column: column.name, name: row.name });
  const leave = () => actions.emphasise(null);
  return (
    <li
      class={`ks-class-row${hidden ? ' ks-hidden' : ''}`}
      // A finger has no place before it presses.
      onPointerEnter={(event) => event.pointerType !== 'touch' && point()}
      onPointerLeave={leave}
      onFocusIn={(event) => (event.target as Element).matches(':focus-visible') && point()}
      onFocusOut={leave}
    >
      {row.name === null ? (
        <span class="ks-dot" style={{ background: color }} />
      ) : (
        <input
          type="color"
          class="ks-swatch-dot"
          aria-label={`Colour of ${name}`}
          title={`Change the colour of ${name}`}
          value={color}
          onInput={(event) => actions.recolorClass(column.name, name, event.currentTarget.value)}
        />
      )}
      <button
        type="button"
        class="ks-class"
        aria-pressed={!hidden}
        aria-label={`${name}, ${formatCount(count)}, ${share}`}
        title={`${name}: click hides, double click isolates, Alt click selects its cells, with Shift in addition`}
        onClick={(event) => (event.altKey ? select(event) : actions.toggleClass(column.name, row.name))}
        onDblClick={isolate}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !event.shiftKey) return;
          event.preventDefault();
          isolate();
        }}
      >
        <span class={`ks-class-name${row.name === null ? ' ks-muted' : ''}`}>{name}</span>
        <span class="ks-number ks-muted">{formatCount(count)}</span>
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
  file: 'File colours',
  distinct: 'Distinct',
  safe: 'Colour-blind',
};

/** Which colours all classes have. */
function Palettes(): JSX.Element {
  const { model, actions } = usePanels();
  return (
    <span class="ks-heading ks-heading-select">
      <select
        aria-label="Colours of the classes"
        title="The colours of the file, or in their place a palette that stays distinct or one for colour-blind eyes"
        value={model.state.value.palette}
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

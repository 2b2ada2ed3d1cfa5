import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { CategoryValues } from '../data/columns';
import { MISSING_COLOUR } from '../lib/colour';
import { formatCount } from '../lib/format';
import { hiddenOf } from '../state/view-state';
import { ColumnSelect } from './column-select';
import { usePanels } from './context';
import { Icon } from './icons';
import { Problem } from './problem';
import { counted } from './title-card';

function Select(): JSX.Element {
  const { model, actions } = usePanels();
  const { color } = model.state.value;
  const columns = model.columns.value.filter((column) => column.kind === 'category');
  if (columns.length === 0) {
    return <p class="ks-note">This bundle has no annotation with classes.</p>;
  }
  const value = color.kind === 'annotation' ? color.column : '';
  const shown = columns.find(({ name }) => name === value);
  return (
    <ColumnSelect
      label="Annotation"
      names={columns.map(({ name }) => name)}
      value={value}
      note={
        shown?.kind === 'category'
          ? counted(shown.categories.length, 'class').replace('classs', 'classes')
          : ''
      }
      onChange={(column) => actions.setColor({ kind: 'annotation', column })}
    />
  );
}

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

function rowsOf(column: CategoryValues, order: Order, query: string): Row[] {
  const wanted = query.trim().toLowerCase();
  const rows: Row[] = column.categories.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (order === 'size') rows.sort((a, b) => b.count - a.count);
  if (order === 'name') rows.sort((a, b) => byName.compare(a.name ?? '', b.name ?? ''));
  if (column.missing > 0 && wanted === '')
    rows.push({ name: null, color: MISSING_COLOUR, count: column.missing });
  return rows;
}

function Legend(): JSX.Element | null {
  const { model, actions } = usePanels();
  const order = useSignal<Order>('size');
  const query = useSignal('');
  const layer = model.layer.value;
  const column = layer.kind === 'category' ? layer.column : null;
  const rows = useMemo(
    () => (column ? rowsOf(column, order.value, query.value) : []),
    [column, order.value, query.value],
  );
  if (model.problem.value) return <Problem />;
  if (!column) return null;
  const hidden = new Set(hiddenOf(model.state.value, column.name));
  const largest = column.categories.reduce((most, { count }) => Math.max(most, count), column.missing);
  return (
    <section class="ks-section">
      <div class="ks-heading-line">
        <h2 class="ks-heading">Classes</h2>
        <button
          type="button"
          class="ks-heading ks-text-button"
          title="Change the order"
          onClick={() => {
            order.value = NEXT_ORDER[order.value];
          }}
        >
          {order.value} <Icon name="down" size={12} />
        </button>
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
            hidden={hidden.has(row.name)}
            share={largest > 0 ? row.count / largest : 0}
            onToggle={() => actions.toggleClass(column.name, row.name)}
            onIsolate={() => actions.isolateClass(column.name, row.name)}
            onSelect={(event) => {
              const { categories, codes } = column;
              const code = categories.findIndex(({ name }) => name === row.name);
              const wanted = code === -1 ? categories.length : code;
              actions.selectWhere((cell) => codes[cell] === wanted, event.shiftKey ? 'add' : 'replace');
            }}
          />
        ))}
      </ul>
      {rows.length > MOST_ROWS && (
        <p class="ks-note">{formatCount(rows.length - MOST_ROWS)} more: search to find them.</p>
      )}
      {rows.length === 0 && <p class="ks-note">No class has that name.</p>}
      <div class="ks-legend-foot">
        <p class="ks-note">Click hides, double click isolates, Alt click selects.</p>
        {hidden.size > 0 && (
          <button type="button" class="ks-link" onClick={() => actions.showAll(column.name)}>
            Show all
          </button>
        )}
      </div>
    </section>
  );
}

function LegendRow(props: {
  row: Row;
  hidden: boolean;
  share: number;
  onToggle: () => void;
  onIsolate: () => void;
  onSelect: (event: MouseEvent) => void;
}): JSX.Element {
  const { row, hidden, share, onToggle, onIsolate, onSelect } = props;
  const name = row.name ?? 'no value';
  return (
    <li>
      <button
        type="button"
        class={`ks-class${hidden ? ' ks-hidden' : ''}`}
        aria-pressed={!hidden}
        aria-label={`${name}, ${formatCount(row.count)}`}
        title={`${name}: click hides, double click isolates, Alt click selects its cells, with Shift in addition`}
        onClick={(event) => (event.altKey ? onSelect(event) : onToggle())}
        onDblClick={onIsolate}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !event.shiftKey) return;
          event.preventDefault();
          onIsolate();
        }}
      >
        <span class="ks-dot" style={{ background: row.color }} />
        <span class={`ks-class-name${row.name === null ? ' ks-muted' : ''}`}>{name}</span>
        <span class="ks-number ks-muted">{formatCount(row.count)}</span>
        <span class="ks-bar">
          <span style={{ width: `${Math.max(4, share * 100)}%`, background: row.color }} />
        </span>
        <Icon name={hidden ? 'hidden' : 'eye'} size={16} />
      </button>
    </li>
  );
}

export const AnnotationPanel = { Select, Legend };

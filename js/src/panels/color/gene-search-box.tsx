import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { GeneHit, GeneOrder, GeneSearch } from '../../data/gene-search';
import type { Meaning } from '../../data/value-meaning';
import { formatCount, formatMean, formatShare } from '../../lib/format';
import { geneMeaningOf } from '../../state/color/gene-meaning';
import { colorLabel } from '../../state/color/layer';
import { usePanels } from '../context';
import { Icon } from '../icons';
import { withGene } from './gene-sets';

const MAX_HITS = 100;

/** Returns the available sort orders; genes can be sorted by detection only if zero means "not detected". */
function ordersFor(
  { noun, detectable }: Meaning,
  { ranked, variable }: Pick<GeneSearch, 'ranked' | 'variable'>,
): readonly (readonly [GeneOrder, string])[] {
  return [
    ['file', 'File order'],
    ['name', 'A–Z'],
    ...(variable ? [['variability', 'Most variable first'] as const] : []),
    ...(ranked ? [['mean', `Highest mean of ${noun} first`] as const] : []),
    ...(ranked && detectable ? [['fraction', 'Most detected first'] as const] : []),
  ];
}

/** Returns the text next to a gene: the value that the list is sorted by, or the gene's label. */
function valueText({ label, summary, rank }: GeneHit, order: GeneOrder): string {
  if (order === 'variability') return rank === null ? '' : `no. ${formatCount(rank)}`;
  if (order === 'file' || order === 'name' || !summary) return label;
  return order === 'mean' ? formatMean(summary.mean) : formatShare(summary.fraction);
}

/** Lets the user choose the matrix that genes are read from, if there are several. */
function MatrixSelect(): JSX.Element | null {
  const { model, actions } = usePanels();
  const bundle = model.bundle.value;
  if (!bundle || bundle.matrices.length < 2) return null;
  const current = bundle.matrixName;
  return (
    <label class="ks-gene-order ks-heading-select ks-muted" title={current}>
      Matrix
      <select
        value={current}
        onChange={({ currentTarget }) => {
          actions.setMatrix(currentTarget.value);
          // Keep the current choice until the matrix is read, which may fail.
          currentTarget.value = current;
        }}
      >
        {bundle.matrices.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <Icon name="down" size={12} />
    </label>
  );
}

/** A combobox that searches genes while typing. */
export function GeneSearchBox(props: { focus: Signal<boolean>; adding: Signal<boolean> }): JSX.Element {
  const { focus, adding } = props;
  const { model, actions } = usePanels();
  const { color } = model.state.value;
  const current = color.kind === 'gene' ? color.gene : 'genes' in color ? colorLabel(color) : '';
  const query = useSignal<string | null>(null);
  const active = useSignal(0);
  const input = useRef<HTMLInputElement>(null);
  const byKey = useRef(false);
  const list = useRef<HTMLDivElement>(null);
  const bundle = model.bundle.value;
  const orders = bundle ? ordersFor(geneMeaningOf(model), bundle.search) : [];
  const wantedOrder = model.geneOrder.value;
  const order = orders.some(([id]) => id === wantedOrder) ? wantedOrder : 'file';
  const lacksStatistics = bundle?.search.lacks(order) ?? false;
  /** Increases when statistics arrive, so that the hits are sorted again. */
  const arrivals = useSignal(0);
  useEffect(() => {
    if (lacksStatistics) void actions.rankGenes().then(() => arrivals.value++);
  }, [bundle, lacksStatistics]);
  const hits = useMemo(
    () => (bundle && query.value !== null ? bundle.search.find(query.value, MAX_HITS, order) : []),
    [bundle, query.value, order, arrivals.value],
  );
  const label = useMemo(
    () =>
      bundle && current
        ? (bundle.search.find(current, 1).find((hit) => hit.gene === current)?.label ?? '')
        : '',
    [bundle, current],
  );
  const wanted = focus.value;
  // Focus before the next key event: text typed after the shortcut belongs in the box.
  useLayoutEffect(() => {
    if (!wanted) return;
    focus.value = false;
    input.current?.focus();
  }, [wanted, focus]);
  const open = query.value !== null;
  const close = () => {
    query.value = null;
    active.value = 0;
  };
  const choose = (gene: string) => {
    close();
    input.current?.blur();
    actions.setColor(withGene(model.layer.value, gene, adding.value));
    adding.value = false;
  };
  const move = (by: number) => {
    if (!open) query.value = '';
    active.value = Math.max(0, Math.min(hits.length - 1, active.value + by));
    list.current?.children[active.value + +lacksStatistics]?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp') move(-1);
    else if (event.key === 'Enter') {
      const hit = hits[active.value];
      if (hit) choose(hit.gene);
    } else if (event.key === 'Escape') {
      close();
      input.current?.blur();
    } else return;
    event.preventDefault();
  };
  const genes = bundle?.genes.count ?? 0;
  return (
    <div class="ks-combo">
      <div class="ks-field ks-search">
        <Icon name="search" size={14} />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Gene"
          aria-expanded={open}
          aria-controls="ks-gene-hits"
          aria-autocomplete="list"
          aria-activedescendant={open && hits.length > 0 ? `ks-gene-hit-${active.value}` : undefined}
          autocomplete="off"
          spellcheck={false}
          placeholder={genes > 0 ? `Search ${formatCount(genes)} genes` : 'No genes in this bundle'}
          disabled={genes === 0}
          value={query.value ?? current}
          onFocus={(event) => {
            query.value = '';
            event.currentTarget.select();
          }}
          onBlur={close}
          onInput={(event) => {
            query.value = event.currentTarget.value;
            active.value = 0;
          }}
          onKeyDown={onKeyDown}
        />
        {!open && label && (
          <span class="ks-muted ks-clip" title={label}>
            {label}
          </span>
        )}
      </div>
      {open && (
        <div
          class="ks-hits ks-card"
          id="ks-gene-hits"
          role="listbox"
          aria-label="Genes"
          ref={list}
          // A mousedown would blur the input and close the list before the click.
          onMouseDown={(event) => event.preventDefault()}
        >
          {lacksStatistics && <p class="ks-note">Computing statistics of {formatCount(genes)} genes…</p>}
          {hits.map((hit, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the input of a combobox handles its keys
            <div
              key={hit.gene}
              title={hit.label}
              id={`ks-gene-hit-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === active.value}
              onClick={() => choose(hit.gene)}
            >
              <span>{hit.gene}</span>
              <span class="ks-muted ks-clip ks-number">{valueText(hit, order)}</span>
            </div>
          ))}
          {hits.length === 0 && (
            <p class="ks-note">No matching genes among the {formatCount(genes)} in this bundle.</p>
          )}
        </div>
      )}
      <MatrixSelect />
      {genes > 1 && (
        <label class="ks-gene-order ks-heading-select ks-muted">
          <select
            aria-label="Gene order"
            value={order}
            onPointerDown={() => {
              byKey.current = false;
            }}
            onKeyDown={() => {
              byKey.current = true;
            }}
            onChange={(event) => {
              actions.setGeneOrder(event.currentTarget.value as GeneOrder);
              // Show the sorted list, unless the user steps through the orders by keyboard.
              if (!byKey.current) input.current?.focus();
            }}
          >
            {orders.map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
          <Icon name="down" size={12} />
        </label>
      )}
    </div>
  );
}

import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { CategoryValues } from '../../data/column-values';
import type { Column } from '../../data/compare/differences';
import { MIN_CELLS } from '../../data/compare/gene-test';
import { counted, formatCount, formatShare } from '../../lib/format';
import { fileName } from '../../picture/file-name';
import type { CellGroup, Comparison, Result } from '../../state/compare/compare-model';
import { choices, groupLabel, isOutdated, REST } from '../../state/compare/groups-of-cells';
import { Chip, HeadingButton } from '../buttons';
import { SmallLegend } from '../color/small-legend';
import { usePanels, useView } from '../context';
import { Icon, IconButton } from '../icons';
import {
  aboutGene,
  briefly,
  countsOf,
  formatNumber,
  formatP,
  type Order,
  ordered,
  TESTS,
  type Test,
  tableText,
  withText,
} from './gene-rows';
import { Volcano } from './volcano';

const PAGE_ROWS = 100;
const DOT_GENES = 15;

/** Returns the annotations whose categories can be compared: those of the grouping and the color, and the sections. */
function useGroupings(): CategoryValues[] {
  const { model } = usePanels();
  const layer = model.layer.value;
  const sections = model.loaded.value.get(model.bundle.value?.manifest.sections?.column ?? '');
  const found = [
    layer.kind === 'category' ? layer.column : null,
    model.group.value,
    sections?.kind === 'category' ? sections : null,
  ];
  return [...new Map(found.flatMap((column) => (column ? [[column.name, column] as const] : []))).values()];
}

function GroupSelect(props: {
  label: string;
  value: CellGroup;
  other: CellGroup;
  onChange: (group: CellGroup) => void;
}): JSX.Element {
  const { label, value, other, onChange } = props;
  const { model } = usePanels();
  const lists = choices(model, useGroupings());
  const key = JSON.stringify(value);
  const known = lists.some(({ groups }) => groups.some((group) => JSON.stringify(group) === key));
  return (
    <span class="ks-compare-group">
      <span class="ks-muted" aria-hidden="true">
        {label}
      </span>
      <select
        class="ks-order"
        aria-label={`Group ${label}`}
        value={key}
        onChange={(event) => onChange(JSON.parse(event.currentTarget.value))}
      >
        {!known && <option value={key}>{groupLabel(value)}</option>}
        {other.kind !== 'rest' && value.kind !== 'rest' && <option value={JSON.stringify(REST)}>Rest</option>}
        {lists.map(({ label, groups }) => (
          <optgroup key={label} label={label}>
            {groups.map((group) => (
              <option key={JSON.stringify(group)} value={JSON.stringify(group)}>
                {groupLabel(group)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </span>
  );
}

/** How the table is shown; kept while the groups change. */
interface TableView {
  test: Signal<Test>;
  text: Signal<string>;
  /** Null for the default order of the test. */
  order: Signal<Order | null>;
}

/** Compares all genes of two groups of cells; takes the place of the panel while it is open. */
export function ComparePanel(): JSX.Element | null {
  const { model, actions } = usePanels();
  const comparison = model.comparison.value;
  const section = useRef<HTMLElement>(null);
  const view: TableView = {
    test: useSignal<Test>('wilcoxon'),
    text: useSignal(''),
    order: useSignal<Order | null>(null),
  };
  // The clicked button may be unmounted, and the panel may be scrolled.
  useLayoutEffect(() => {
    const before = document.activeElement;
    section.current?.focus();
    return () => {
      const kept = before instanceof HTMLElement && before !== document.body && before.isConnected;
      (kept ? before : document.querySelector<HTMLElement>('.ks-canvas'))?.focus();
    };
  }, []);
  const found = comparison?.result ?? null;
  useLayoutEffect(() => {
    if (document.activeElement === document.body) section.current?.focus();
  }, [found]);
  if (!comparison) return null;
  const [a, b] = comparison.groups;
  const { result, problem } = comparison;
  return (
    <section class="ks-section ks-compare" aria-label="Compare genes" tabIndex={-1} ref={section}>
      <div class="ks-heading-line">
        <h2 class="ks-heading">Compare genes</h2>
        <IconButton icon="close" label="Close comparison" onClick={() => actions.closeComparison()} />
      </div>
      <div class="ks-compare-groups">
        <GroupSelect label="A" value={a} other={b} onChange={(next) => void actions.compare([next, b])} />
        <IconButton icon="swap" label="Swap groups" onClick={() => void actions.compare([b, a])} />
        <GroupSelect label="B" value={b} other={a} onChange={(next) => void actions.compare([a, next])} />
      </div>
      <SmallLegend />
      {problem !== null && (
        <p class="ks-warning ks-break" role="alert">
          {problem}
        </p>
      )}
      {!result && problem === null && <Running comparison={comparison} />}
      {result && <Found {...{ comparison, result, view }} />}
    </section>
  );
}

function Running({ comparison: { done, total, basis } }: { comparison: Comparison }): JSX.Element {
  const { actions } = usePanels();
  const inKernel = basis.bundle?.table === null;
  return (
    <div class="ks-compare-running">
      {/* The kernel reports no progress. */}
      <progress max={total || 1} value={inKernel ? undefined : done} aria-label="Genes compared" />
      <span class="ks-muted">
        {inKernel ? 'Comparing in the kernel…' : `${formatCount(done)} of ${counted(total, 'gene')}`}
      </span>
      <HeadingButton onClick={() => actions.closeComparison()}>Cancel</HeadingButton>
    </div>
  );
}

function Found(props: { comparison: Comparison; result: Result; view: TableView }): JSX.Element {
  const { comparison, result, view } = props;
  const { test, text, order } = view;
  const { model, actions, download } = usePanels();
  const [a, b] = comparison.groups;
  const labels = [groupLabel(a), groupLabel(b)] as const;
  const { statistic, p } = TESTS[test.value];
  const by = order.value ?? { column: statistic, way: -1 };
  const all = useMemo(() => ordered(result, by), [result, by.column, by.way]);
  const rows = useMemo(() => withText(result, all, text.value), [result, all, text.value]);
  const { significant, untested, unread } = useMemo(() => countsOf(result, p), [result, p]);
  const outdated = useComputed(() => isOutdated(comparison, model)).value;
  const noun = model.noun.value;
  const color = useView('color');
  const current = color.kind === 'gene' ? color.gene : null;
  const currentAt = current === null ? -1 : result.genes.indexOf(current);
  const [sizeA, sizeB] = result.sizes;
  const inBundle = result.genes.length;
  const bundle = model.bundle.value;
  const genes = counted(inBundle, bundle?.table && !bundle.manifest.packed ? 'exported gene' : 'gene');
  return (
    <>
      <p class="ks-note" role="status">
        {formatCount(sizeA)} and {counted(sizeB, noun)} · {genes}
        {result.matrix && ` of ${result.matrix}`} · {formatCount(significant)} with adjusted p ≤ 0.05
        {result.stored && ' · computed at export'}
      </p>
      {outdated && (
        <p class="ks-warning">
          The groups or the values have changed.{' '}
          <button type="button" class="ks-link" onClick={() => void actions.compare([a, b])}>
            Compare again
          </button>
        </p>
      )}
      {result.problems.length > 0 && (
        <p class="ks-warning ks-break" role="alert">
          {unread > 0 && `${counted(unread, 'gene')} could not be read: `}
          {result.problems[0]?.message}
          {result.problems.length > 1 && ` ${counted(result.problems.length - 1, 'more file')} failed.`}
        </p>
      )}
      <Volcano result={result} p={p} labels={labels} current={current} />
      {currentAt >= 0 && <p class="ks-note ks-compare-about">{briefly(result, currentAt)}</p>}
      <div class="ks-heading-line ks-compare-tools">
        <div class="ks-chips">
          {(Object.keys(TESTS) as Test[]).map((name) => (
            <Chip
              key={name}
              pressed={test.value === name}
              title={TESTS[name].title}
              onClick={() => {
                test.value = name;
                order.value = null;
              }}
            >
              {TESTS[name].label}
            </Chip>
          ))}
        </div>
        <HeadingButton
          title={`Show the first ${DOT_GENES} genes of the table in all categories`}
          onClick={() =>
            actions.showDots(rows.slice(0, DOT_GENES).flatMap((gene) => result.genes[gene] ?? []))
          }
        >
          Dot plot
        </HeadingButton>
        <HeadingButton
          title="Save all numbers of all genes as CSV"
          onClick={() =>
            download(
              new Blob([tableText(result, all)], { type: 'text/csv' }),
              fileName(
                `${model.title.value} ${labels[0]} vs ${labels[1]}`,
                ['genes', result.matrix].filter(Boolean).join('_'),
                'csv',
              ),
            )
          }
        >
          CSV
        </HeadingButton>
      </div>
      <div class="ks-field ks-search">
        <Icon name="search" size={14} />
        <input
          type="text"
          aria-label="Filter genes"
          placeholder={`Filter ${counted(inBundle, 'gene')}`}
          autocomplete="off"
          spellcheck={false}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
      </div>
      <GeneTable
        {...{ result, rows, p, labels, current, by }}
        onOrder={(next) => {
          order.value = next;
        }}
      />
      <p class="ks-note ks-compare-note">
        {untested > 0 &&
          `${counted(untested, 'gene')} could not be tested: constant, or fewer than ${MIN_CELLS} ${noun}s with a value. `}
        The {noun}s of one tissue are not independent: use p-values to rank genes; they say nothing about
        other samples.
        {result.scale !== null &&
          ` Fold change: ratio of the means${result.scale === 0 ? ' of counts' : ', back-transformed from log1p'}.`}
      </p>
    </>
  );
}

const COLUMNS: readonly { column: Column; label: string; title: string; wide?: boolean }[] = [
  {
    column: 'log2_fold_change',
    label: 'log₂ FC',
    title: 'Base-2 logarithm of the ratio of the means, A to B',
  },
  { column: 'auc', label: 'AUC', title: 'Probability that a cell of A has a larger value than a cell of B' },
  { column: 'fraction_a', label: '% A', title: 'Share of A with a value other than zero', wide: true },
  { column: 'fraction_b', label: '% B', title: 'Share of B with a value other than zero', wide: true },
];

function GeneTable(props: {
  result: Result;
  rows: readonly number[];
  p: Column;
  labels: readonly [string, string];
  current: string | null;
  by: Order;
  onOrder: (order: Order | null) => void;
}): JSX.Element {
  const { result, rows, p, labels, current, by, onOrder } = props;
  const { actions } = usePanels();
  const shown = useSignal(PAGE_ROWS);
  const head = (column: Order['column'], label: string, title: string, first: Order['way']) => {
    const on = by.column === column;
    return (
      <button
        type="button"
        class="ks-text-button"
        title={`${title}. Click to sort.`}
        // The third click restores the order by the statistic.
        onClick={() =>
          onOrder(
            !on ? { column, way: first } : by.way === first ? { column, way: -first as Order['way'] } : null,
          )
        }
      >
        {label}
        {on && (by.way > 0 ? ' ↑' : ' ↓')}
      </button>
    );
  };
  const sorted = (column: Order['column']) =>
    by.column === column ? (by.way > 0 ? ('ascending' as const) : ('descending' as const)) : undefined;
  const columns = COLUMNS.filter(({ column }) => result.scale !== null || column !== 'log2_fold_change');
  return (
    <div class="ks-genes">
      <table>
        <thead>
          <tr>
            <th scope="col" aria-sort={sorted('gene')}>
              {head('gene', 'Gene', 'Name of the gene', 1)}
            </th>
            {columns.map(({ column, label, title, wide }) => (
              <th key={column} scope="col" class={wide ? 'ks-wide' : ''} aria-sort={sorted(column)}>
                {head(column, label, title, -1)}
              </th>
            ))}
            <th scope="col" aria-sort={sorted(p)}>
              {head(p, 'Adj. p', 'p-value adjusted for the number of genes (Benjamini–Hochberg)', 1)}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown.value).map((gene) => {
            const name = result.genes[gene] ?? '';
            return (
              <tr
                key={gene}
                class={name === current ? 'ks-current' : ''}
                title={aboutGene(result, gene, labels)}
              >
                <th scope="row">
                  <button
                    type="button"
                    class="ks-clip"
                    aria-pressed={name === current}
                    onClick={() => actions.setColor({ kind: 'gene', gene: name })}
                  >
                    {name}
                  </button>
                </th>
                {columns.map(({ column, wide }) => {
                  const value = result.columns[column][gene] ?? Number.NaN;
                  const text = column.startsWith('fraction') ? formatShare(value) : formatNumber(value);
                  return (
                    <td key={column} class={`ks-number${wide ? ' ks-wide' : ''}`}>
                      {text}
                    </td>
                  );
                })}
                <td class="ks-number">{formatP(result.columns[p][gene] ?? Number.NaN)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length === 0 && <p class="ks-note">No matching genes.</p>}
      {rows.length > shown.value && (
        <button
          type="button"
          class="ks-link"
          onClick={() => {
            shown.value += PAGE_ROWS;
          }}
        >
          {formatCount(rows.length - shown.value)} more
        </button>
      )}
    </div>
  );
}

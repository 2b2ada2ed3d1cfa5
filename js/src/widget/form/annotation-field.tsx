import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ColumnFact } from '../../contract/summary';
import { formatCount, formatValue } from '../../lib/format';
import { say } from '../translate';
import { Field } from './fields';
import type { Traits } from './traits';

const SEARCH_FROM = 8;

/** Lets the user choose the columns of obs to export. */
export function Columns({ traits }: { traits: Traits }): JSX.Element {
  const query = useSignal('');
  const { columns: known, help, ready } = traits.summary.value;
  const requested = traits.options.value.annotation_columns;
  const problem = traits.estimate.value.problems.annotation_columns;
  const defaults = traits.defaults.value.annotation_columns;
  // Requested specification (`NAME`, `number:NAME` or `category:NAME`) by column.
  const chosen = new Map((requested ?? defaults).map((spec) => [nameOf(spec, known), spec] as const));
  const wanted = query.value.trim().toLowerCase();
  const shown = known.filter(({ name }) => name.toLowerCase().includes(wanted));
  const set = (names: string[] | null) => traits.change({ annotation_columns: names });
  const setChosen = (next: ReadonlyMap<string, string>) => {
    // Keep the order of obs. Keep names that obs no longer has, so that the error can name them.
    const lost = [...next].filter(([name]) => !known.some((column) => column.name === name));
    set([...known.flatMap(({ name }) => next.get(name) ?? []), ...lost.map(([, spec]) => spec)]);
  };
  const toggle = (name: string) => {
    const next = new Map(chosen);
    if (!next.delete(name)) next.set(name, name);
    setChosen(next);
  };
  const toggleKind = (column: ColumnFact) => {
    const { name, other_kind } = column;
    setChosen(
      new Map(chosen).set(name, usesOtherKind(chosen.get(name), column) ? name : `${other_kind}:${name}`),
    );
  };
  return (
    <Field label={say('Annotations')} help={help.annotation_columns} problem={problem} group>
      {() => (
        <div class="kf-list-box">
          {known.length >= SEARCH_FROM && (
            <input
              class="kf-search"
              type="search"
              placeholder={say('Search %1 columns', String(known.length))}
              aria-label={say('Search columns')}
              value={query.value}
              onInput={(event) => {
                query.value = event.currentTarget.value;
              }}
            />
          )}
          <ul class="kf-list">
            {!ready && [0, 1, 2].map((line) => <li key={line} class="kf-skeleton" />)}
            {shown.map((column) => (
              <li key={column.name}>
                <label class={column.kind === 'other' ? 'kf-off' : ''} title={titleOf(column)}>
                  <input
                    type="checkbox"
                    checked={chosen.has(column.name)}
                    disabled={column.kind === 'other'}
                    onChange={() => toggle(column.name)}
                  />
                  <span class="kf-name">{column.name}</span>
                  <Kind column={column} />
                </label>
                {column.other_kind && chosen.has(column.name) && (
                  <button
                    type="button"
                    class="kf-turn"
                    aria-pressed={usesOtherKind(chosen.get(column.name), column)}
                    title={say('Export %1 as %2', column.name, say(PLURAL[column.other_kind]))}
                    onClick={() => toggleKind(column)}
                  >
                    {say('as %1', say(PLURAL[column.other_kind]))}
                  </button>
                )}
              </li>
            ))}
            {ready && shown.length === 0 && (
              <li class="kf-empty">
                {known.length === 0 ? say('obs has no columns') : say('No matching columns')}
              </li>
            )}
          </ul>
          {known.length > 0 && (
            <div class="kf-list-foot">
              <span class="kf-note">{say('%1 of %2', String(chosen.size), String(known.length))}</span>
              <button type="button" disabled={requested === null} onClick={() => set(null)}>
                {say('Suggested')}
              </button>
              <button
                type="button"
                onClick={() => set(known.filter(({ kind }) => kind !== 'other').map(({ name }) => name))}
              >
                {say('All')}
              </button>
              <button type="button" onClick={() => set([])}>
                {say('None')}
              </button>
            </div>
          )}
        </div>
      )}
    </Field>
  );
}

const PLURAL = { category: 'categories', number: 'numbers' } as const;

/**
 * Returns the column of a specification such as `number:NAME`; a column with exactly that name takes precedence, like
 * in the export.
 */
function nameOf(spec: string, known: readonly ColumnFact[]): string {
  if (known.some(({ name }) => name === spec)) return spec;
  return spec.replace(/^(number|category):/, '');
}

const usesOtherKind = (spec: string | undefined, { name, other_kind }: ColumnFact) =>
  spec === `${other_kind}:${name}`;

function titleOf(column: ColumnFact): string {
  return column.left_out
    ? say('%1 · not exported by default: %2', column.dtype, column.left_out)
    : column.dtype;
}

function Kind({ column }: { column: ColumnFact }): JSX.Element {
  if (column.kind === 'number') {
    const [low, high] = column.range ?? [];
    const range = low === undefined || high === undefined ? '' : `${formatValue(low)}–${formatValue(high)}`;
    return (
      <span class="kf-kind">
        {say('number')} <span class="kf-figures">{range}</span>
      </span>
    );
  }
  if (column.kind === 'other') return <span class="kf-kind">{column.dtype}</span>;
  return (
    <span class="kf-kind">
      {column.n_categories === 1
        ? say('1 category')
        : say('%1 categories', formatCount(column.n_categories ?? 0))}
      <span class="kf-dots" aria-hidden="true">
        {column.colors.map((color, i) => (
          <span key={i} style={{ background: color }} />
        ))}
      </span>
    </span>
  );
}

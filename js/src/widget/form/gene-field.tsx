import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { formatCount } from '../../lib/format';
import { counted, say } from '../translate';
import { Field, NumberInput, Segmented } from './fields';
import type { Traits } from './traits';

type Mode = 'hvgs' | 'top_mean' | 'list' | 'all';

const MODES = [
  ['hvgs', 'Variable'],
  ['top_mean', 'Top mean'],
  ['list', 'List'],
  ['all', 'All'],
] as const;

const DEFAULT_COUNT = 500;

export function modeOf(value: string | readonly string[]): { mode: Mode; count: number; names: string[] } {
  if (typeof value !== 'string') return { mode: 'list', count: DEFAULT_COUNT, names: [...value] };
  const [kind = '', number = ''] = value.split(':');
  if (kind === 'all') return { mode: 'all', count: DEFAULT_COUNT, names: [] };
  if (kind === 'list') return { mode: 'list', count: DEFAULT_COUNT, names: [] };
  return {
    mode: kind === 'top_mean' ? 'top_mean' : 'hvgs',
    count: Number(number) || DEFAULT_COUNT,
    names: [],
  };
}

/** Splits a list into unique names; `separators` are written as in the brackets of a regular expression. */
export function namesIn(text: string, separators = '\\s,;'): string[] {
  const parts = text.split(new RegExp(`[${separators}]+`)).map((name) => name.trim());
  return [...new Set(parts.filter((name) => name !== ''))];
}

const allGenes = (total: number): string => counted(total, 'All genes (%1)', 'All %1 genes');

/**
 * Returns a text that relates a number of genes to their total, such as “of 2,000”. `marked` is the number of
 * genes that var marks as highly variable.
 */
export function partOf(count: number, total: number, marked: number): string {
  if (total > 0 && count >= total) return allGenes(total);
  return marked
    ? say('of %1 · %2 marked as variable', formatCount(total), formatCount(marked))
    : say('of %1', formatCount(total));
}

export function Genes({ traits }: { traits: Traits }): JSX.Element {
  const { genes_mode: value } = traits.options.value;
  const { n_genes: total, marked, help } = traits.summary.value;
  const { mode, count } = modeOf(value);
  const lastCount = useRef(count);
  if (mode === 'hvgs' || mode === 'top_mean') lastCount.current = count;
  const set = (next: Mode) => {
    if (next === 'all') traits.change({ genes_mode: 'all' });
    else if (next === 'list') traits.change({ genes_mode: [] });
    else traits.change({ genes_mode: `${next}:${lastCount.current}` });
  };
  const { problems, unknown } = traits.estimate.value;
  const problem = unknown.length > 0 ? undefined : problems.genes_mode;
  const note = partOf(count, total, mode === 'hvgs' ? (marked ?? 0) : 0);
  return (
    <Field label={say('Genes')} help={help.genes_mode} problem={problem} group>
      {({ id, describedBy }) => (
        <>
          <Segmented
            label={say('Genes')}
            value={mode}
            choices={MODES.map(([one, text]) => [one, say(text)] as const)}
            onChange={set}
          />
          {(mode === 'hvgs' || mode === 'top_mean') && (
            <NumberInput
              id={id}
              describedBy={describedBy}
              value={count}
              min={1}
              note={note}
              onChange={(n) => n !== null && traits.change({ genes_mode: `${mode}:${Math.round(n)}` })}
            />
          )}
          {mode === 'list' && <GeneList traits={traits} id={id} />}
          {mode === 'all' && <p class="kf-note">{allGenes(total)}</p>}
        </>
      )}
    </Field>
  );
}

function GeneList({ traits, id }: { traits: Traits; id: string }): JSX.Element {
  const { genes_mode: value } = traits.options.value;
  const text = useSignal(typeof value === 'string' ? '' : value.join('\n'));
  const hits = useSignal<readonly string[]>([]);
  const active = useSignal(0);
  const area = useRef<HTMLTextAreaElement>(null);
  /** Number of the last request for suggestions; late replies to earlier ones are ignored. */
  const lastRequest = useRef(0);
  /** Lists typed here, to recognize them in effects that run after further typing. */
  const typed = useRef(new WeakSet<readonly string[]>());
  const { unknown } = traits.estimate.value;
  const { separators } = traits.summary.value;
  const names = namesIn(text.value, separators);
  useEffect(() => {
    // The value was set from Python: show it instead of the typed text.
    if (typeof value === 'string' || typed.current.has(value)) return;
    if (namesIn(text.value, separators).join('\n') !== value.join('\n')) text.value = value.join('\n');
  }, [value, text, separators]);
  const set = (next: string) => {
    text.value = next;
    const found = namesIn(next, separators);
    typed.current.add(found);
    traits.change({ genes_mode: found });
  };
  const word = (): { from: number; to: number; text: string } => {
    const at = area.current?.selectionStart ?? 0;
    const before = text.value.slice(0, at);
    const from = before.search(new RegExp(`[^${separators} ][^${separators}]*$|$`));
    return { from, to: at, text: before.slice(from) };
  };
  const complete = async () => {
    const current = word();
    const request = ++lastRequest.current;
    hits.value = [];
    if (current.text.length < 2) return;
    const found = await traits.complete(current.text).catch(() => []);
    if (request !== lastRequest.current) return;
    active.value = 0;
    hits.value = found.length === 1 && found[0] === current.text ? [] : found;
  };
  const take = (name: string) => {
    const { from, to } = word();
    const next = `${text.value.slice(0, from)}${name}\n${text.value.slice(to).replace(new RegExp(`^[${separators}]+`), '')}`;
    // Update the element immediately: the next key may arrive before the next render.
    if (area.current) {
      area.current.value = next;
      area.current.focus();
      area.current.setSelectionRange(from + name.length + 1, from + name.length + 1);
    }
    set(next);
    hits.value = [];
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (hits.value.length === 0) return;
    const last = hits.value.length - 1;
    if (event.key === 'ArrowDown') active.value = Math.min(last, active.value + 1);
    else if (event.key === 'ArrowUp') active.value = Math.max(0, active.value - 1);
    else if (event.key === 'Enter' || event.key === 'Tab') take(hits.value[active.value] ?? '');
    else if (event.key === 'Escape') hits.value = [];
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="kf-genes">
      <textarea
        ref={area}
        id={id}
        rows={4}
        spellcheck={false}
        aria-label={say('Genes, one per line')}
        aria-controls={`${id}-hits`}
        aria-autocomplete="list"
        placeholder={say('Type or paste names: EPCAM, CD3E, …')}
        value={text.value}
        onInput={(event) => {
          set(event.currentTarget.value);
          void complete();
        }}
        onKeyDown={onKeyDown}
        onBlur={() => {
          hits.value = [];
        }}
      />
      {hits.value.length > 0 && (
        <div class="kf-hits" id={`${id}-hits`} role="listbox" aria-label={say('Suggestions')}>
          {hits.value.map((name, i) => (
            <div
              key={name}
              role="option"
              tabIndex={-1}
              aria-selected={i === active.value}
              onPointerDown={(event) => {
                event.preventDefault();
                take(name);
              }}
            >
              {name}
            </div>
          ))}
        </div>
      )}
      <div class="kf-note">
        {names.length === 0 ? say('No genes listed') : counted(names.length, '%1 gene', '%1 genes')}
        {unknown.length > 0 && ` · ${say('%1 not in the data:', formatCount(unknown.length))}`}
      </div>
      {unknown.length > 0 && (
        <ul class="kf-unknown" role="alert">
          {unknown.slice(0, 20).map(({ name, near }) => (
            <li key={name}>
              <s>{name}</s>
              {near.slice(0, 2).map((other) => (
                <button
                  key={other}
                  type="button"
                  title={say('Use %1 instead of %2', other, name)}
                  onClick={() => set(names.map((one) => (one === name ? other : one)).join('\n'))}
                >
                  {other}
                </button>
              ))}
              <button
                type="button"
                aria-label={say('Remove %1', name)}
                title={say('Remove')}
                onClick={() => set(names.filter((one) => one !== name).join('\n'))}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

import type { JSX } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { counted, formatCount } from '../../lib/format';
import {
  arranged,
  arrangementOf,
  type Fact,
  factsOf,
  factText,
  shownValues,
  withValue,
} from '../../state/layout/arrangement';
import type { Arrangement, Layout, SectionOrder } from '../../state/view-state';
import { usePanels } from '../context';

type Grid = Extract<Layout, { kind: 'sections' }>;

const BY = 'by ';
const GAP = 6;
/** Maximum width of the filter, as in its stylesheet; CSS pixels. */
const WIDEST = 320;
/** Columns with more distinct values are not offered as filters: the list would be too long. */
const MAX_VALUES = 40;

function useSections() {
  const { model, actions } = usePanels();
  const manifest = model.bundle.value?.manifest;
  const items = manifest?.sections?.items ?? [];
  const facts = manifest ? factsOf(manifest) : [];
  const arrange = (arrangement: Arrangement) => actions.setLayout({ kind: 'sections', ...arrangement });
  return { items, facts, arrange };
}

export function SectionOrderSelect({ layout }: { layout: Grid }): JSX.Element {
  const { facts, arrange } = useSections();
  const { model } = usePanels();
  const { only } = arrangementOf(layout);
  const missing = model.bundle.value?.manifest.sections?.missing ?? 0;
  return (
    <>
      <select
        class="ks-order"
        aria-label="Section order"
        value={layout.order === 'column' ? BY + layout.by : layout.order}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          const fact = facts.find(({ column }) => BY + column === chosen);
          const order: Arrangement = fact
            ? { order: 'column', by: fact.column }
            : { order: chosen as SectionOrder };
          arrange(only ? { ...order, only } : order);
        }}
      >
        <option value="file">file order</option>
        <option value="name">by name</option>
        <option value="cells">by {model.noun.value} count</option>
        {facts.map(({ column }) => (
          <option key={column} value={BY + column}>
            by {column}
          </option>
        ))}
      </select>
      {missing > 0 && (
        <span
          class="ks-note"
          title={`${counted(missing, model.noun.value)} without a section, not shown here`}
        >
          {formatCount(missing)} unassigned
        </span>
      )}
    </>
  );
}

/** Filters the sections by the values of their annotations. */
export function SectionFilter({ layout }: { layout: Grid }): JSX.Element | null {
  const { items, facts, arrange } = useSections();
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const usable = facts.filter(({ distinct }) => distinct.length <= MAX_VALUES);
  if (usable.length === 0) return null;
  const arrangement = arrangementOf(layout);
  const shown = arranged(items, facts, arrangement).length;
  const toggle = (fact: Fact, value: Fact['values'][number], on: boolean) => {
    const next = withValue(arrangement, fact, value, on);
    arrange(next);
  };
  /** Whether any section is still shown after hiding those with the value. The last one cannot be hidden. */
  const leavesSections = (fact: Fact, value: Fact['values'][number]) =>
    arranged(items, facts, withValue(arrangement, fact, value, false)).length > 0;
  return (
    <>
      <button
        type="button"
        class="ks-segment"
        ref={button}
        aria-haspopup="dialog"
        aria-pressed={arrangement.only !== undefined}
        title="Show only sections with certain values"
        popovertarget={id}
      >
        {shown < items.length ? `${formatCount(shown)} of ${formatCount(items.length)}` : 'Filter'}
      </button>
      <div
        id={id}
        class="ks-card ks-filter"
        popover="auto"
        role="dialog"
        aria-label="Section filter"
        ref={sheet}
        onBeforeToggle={(event) => {
          const at = button.current?.getBoundingClientRect();
          if (event.newState !== 'open' || !at || !sheet.current) return;
          sheet.current.style.top = `${at.bottom + GAP}px`;
          sheet.current.style.left = `max(${GAP}px, min(${at.left}px, 100vw - ${WIDEST + GAP}px))`;
          sheet.current.style.maxHeight = `calc(100vh - ${at.bottom + 2 * GAP}px)`;
        }}
        onToggle={(event) => {
          if (event.newState === 'open') sheet.current?.querySelector<HTMLElement>('input:enabled')?.focus();
        }}
        // Keys pressed here must not act as shortcuts of the viewer.
        onKeyDown={(event) => event.stopPropagation()}
      >
        {usable.map((fact) => (
          <fieldset key={fact.column}>
            <legend class="ks-heading ks-plain">{fact.column}</legend>
            {fact.distinct.map((value) => {
              const on = shownValues(arrangement, fact.column)?.includes(value) ?? true;
              const last = on && !leavesSections(fact, value);
              return (
                <label key={factText(value)} title={last ? 'At least one section must be shown' : undefined}>
                  <input
                    type="checkbox"
                    checked={on}
                    disabled={last}
                    onChange={(event) => {
                      toggle(fact, value, event.currentTarget.checked);
                      // Keep the box as in the state; the next render updates it.
                      event.currentTarget.checked = on;
                    }}
                  />
                  <span class={value === null ? 'ks-muted' : ''}>{factText(value)}</span>
                  <span class="ks-number ks-muted">
                    {fact.values.filter((other) => other === value).length}
                  </span>
                </label>
              );
            })}
          </fieldset>
        ))}
        {arrangement.only && (
          <button type="button" class="ks-link" onClick={() => arrange({ ...arrangement, only: {} })}>
            Show all sections
          </button>
        )}
      </div>
    </>
  );
}

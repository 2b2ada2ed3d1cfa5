import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { bundleText, placedText } from '../lib/counts';
import { counted } from '../lib/format';
import { embeddingLabel, placedCount } from '../state/layout/layout';
import { usePanels, useView } from './context';
import { type IndexLinks, IndexNav } from './index-nav';

/** Maximum number of characters, as in the state of a view. */
const LONGEST = 1000;

export function TitleCard({ index }: { index: IndexLinks | null }): JSX.Element | null {
  const { model, actions } = usePanels();
  const editing = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const bundle = model.bundle.value;
  if (!bundle) return <div />;
  /** Closes the field; null leaves the title unchanged. */
  const close = (next: string | null) => {
    // Removing the field blurs it, which must not save again.
    if (!editing.value) return;
    editing.value = false;
    if (next !== null) actions.setTitle(next);
    requestAnimationFrame(() => button.current?.focus());
  };
  const title = model.title.value;
  const { dataset_name: name, n_cells: cells, n_cells_source: source } = bundle.manifest;
  const genes = bundle.genes.count;
  const contents = `${bundleText(cells, source, model.noun.value)} · ${counted(genes, 'gene')}`;
  return (
    <div class="ks-card ks-title">
      {index && <IndexNav {...index} />}
      <h1>
        {editing.value ? (
          <input
            class="ks-title-field"
            aria-label="Title"
            // Focus at once: the first letter must not act as a shortcut.
            ref={(input) => input?.focus()}
            maxLength={LONGEST}
            value={title}
            placeholder={name}
            spellcheck={false}
            onFocus={(event) => event.currentTarget.select()}
            onBlur={(event) => close(event.currentTarget.value)}
            onKeyDown={(event) => {
              event.stopPropagation();
              if (event.key === 'Enter' && !event.isComposing) close(event.currentTarget.value);
              else if (event.key === 'Escape') close(null);
            }}
          />
        ) : (
          <button
            type="button"
            ref={button}
            title={title === name ? `${name}: rename` : `${title} (${name}): rename`}
            onClick={() => {
              editing.value = true;
            }}
          >
            {title}
          </button>
        )}
      </h1>
      <span title={contents}>{contents}</span>
    </div>
  );
}

/** The number of cells with coordinates in the layout, shown only when some have none. */
export function PlacedCount(): JSX.Element | null {
  const { model } = usePanels();
  const layout = useView('layout');
  const positions = model.positions.value;
  const manifest = model.bundle.value?.manifest;
  const placed = useMemo(() => positions && placedCount(positions.coords), [positions]);
  if (placed === null || !manifest || (layout.kind !== 'embedding' && layout.kind !== 'tissue')) return null;
  const place = embeddingLabel(layout, manifest) ?? 'the tissue';
  const text = placedText({ total: manifest.n_cells, placed, place, noun: model.noun.value });
  return text ? <div class="ks-card ks-placed">{text}</div> : null;
}

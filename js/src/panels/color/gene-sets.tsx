import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { genesOf } from '../../data/gene-list';
import { cssColor } from '../../lib/color';
import { counted, formatCount, formatValue } from '../../lib/format';
import { cornersOf, mixture } from '../../state/color/blend';
import { type GeneSet, MAX_SETS, scoreOf } from '../../state/color/gene-sets';
import type { Layer } from '../../state/color/layer';
import { sameColor } from '../../state/view-state';
import { Chip } from '../buttons';
import { usePanels, useView } from '../context';
import { NamedChip, neighborOf } from '../named-chip';
import { WithoutValue } from './missing-row';

const MAX_BLENDED = 3;
const STEPS = 6;

/** Returns the genes that color the tissue. */
export function currentGenes(layer: Layer): readonly string[] {
  const { color } = layer;
  return color.kind === 'gene' ? [color.gene] : color.kind === 'blend' ? color.genes : [];
}

/** Returns the color after picking a gene: added to the blend, or the gene alone. */
export function withGene(layer: Layer, gene: string, adding: boolean): Layer['color'] {
  const genes = currentGenes(layer);
  // A gene that is already in the blend changes nothing.
  if (adding && genes.includes(gene)) return layer.color;
  if (!adding || genes.length === 0 || genes.length >= MAX_BLENDED) return { kind: 'gene', gene };
  return { kind: 'blend', genes: [...genes, gene] };
}

/** Controls for several genes: blends and gene sets. */
export function MoreGenes(props: { focus: Signal<boolean>; adding: Signal<boolean> }): JSX.Element {
  const { focus, adding } = props;
  const { model, actions } = usePanels();
  const writing = useSignal(false);
  const layer = model.layer.value;
  const genes = currentGenes(layer);
  const full = genes.length >= MAX_BLENDED;
  const can = genes.length > 0 && !full;
  return (
    <>
      <div class="ks-chips">
        {genes.length > 1 &&
          genes.map((gene, at) => (
            <Chip
              key={gene}
              title={`Remove ${gene} from the blend`}
              label={`Remove ${gene} from the blend`}
              onClick={() => {
                const rest = genes.filter((other) => other !== gene);
                const [only = gene] = rest;
                actions.setColor(
                  rest.length > 1 ? { kind: 'blend', genes: rest } : { kind: 'gene', gene: only },
                );
              }}
            >
              <span
                class="ks-dot"
                style={{ background: cssColor(cornersOf(model.dark.value)[1 << at] ?? [0, 0, 0]) }}
              />
              {gene} ×
            </Chip>
          ))}
        {layer.kind !== 'none' && (
          <Chip
            pressed={can ? adding.value : undefined}
            disabled={!can}
            title={
              can
                ? 'Blend the next gene that you choose with those shown (up to three genes)'
                : full
                  ? 'A blend has at most three genes; remove one first'
                  : 'Only genes can be blended; choose one first'
            }
            onClick={() => {
              adding.value = !adding.value;
              // Focus the search box: the user types the name of the gene next.
              focus.value = adding.value;
            }}
          >
            + Blend
          </Chip>
        )}
        <Chip
          expanded={writing.value}
          title="Color by the mean of a list of genes"
          onClick={() => {
            writing.value = !writing.value;
          }}
        >
          Gene set…
        </Chip>
      </div>
      {adding.value && can && <p class="ks-note">Choose a gene to add to the blend.</p>}
      {writing.value && <SetEditor onDone={() => (writing.value = false)} />}
      <GeneSets />
      {layer.kind === 'blend' && <BlendKey layer={layer} />}
    </>
  );
}

/** The named gene sets of the view. A click shows one as a score. */
function GeneSets(): JSX.Element | null {
  const { model, actions } = usePanels();
  const back = useSignal<string | null>(null);
  /** The set that was removed last, and all sets before and after. */
  const removed = useSignal<{ name: string; before: readonly GeneSet[]; after: readonly GeneSet[] } | null>(
    null,
  );
  const color = useView('color');
  const bundle = model.bundle.value;
  const sets = model.geneSets.value;
  if (!bundle) return null;
  // Offer undo only until the sets change again: it would revert later changes, too.
  const undo = removed.value?.after === sets ? removed.value : null;
  return (
    <>
      {sets.length > 0 && (
        <ul class="ks-region-list ks-gene-sets" aria-label="Gene sets">
          {sets.map((set) => {
            const { name, genes } = set;
            const score = scoreOf(set, bundle);
            const known = score?.kind === 'score' ? score.genes.length : 0;
            const part =
              known < genes.length ? `${formatCount(known)} of ${counted(genes.length, 'gene')}` : '';
            return (
              <NamedChip
                key={name}
                name={name}
                noun="gene set"
                size={part ? `${formatCount(known)} of ${formatCount(genes.length)}` : formatCount(known)}
                pressed={score !== null && sameColor(color, score)}
                disabled={score === null}
                label={`Color by ${name}, ${part || counted(known, 'gene')}`}
                title={
                  part
                    ? `${name}: ${part} ${known === 1 ? 'is' : 'are'} in this bundle`
                    : `${name}: click to color by the mean of its genes, double-click to rename`
                }
                onClick={() => score && actions.setColor(score)}
                isTaken={(next) => model.geneSets.value.some((other) => other.name === next)}
                onRename={(next) => actions.renameGeneSet(name, next)}
                onRemove={() => {
                  const next = neighborOf(sets, name);
                  actions.removeGeneSet(name);
                  removed.value = { name, before: sets, after: model.geneSets.value };
                  return next;
                }}
                back={back}
              />
            );
          })}
        </ul>
      )}
      {undo && (
        <p class="ks-note ks-break" role="status">
          Removed “{undo.name}”.{' '}
          <button
            type="button"
            class="ks-link"
            onClick={() => {
              actions.setGeneSets(undo.before);
              back.value = undo.name;
            }}
          >
            Undo
          </button>
        </p>
      )}
    </>
  );
}

function SetEditor({ onDone }: { onDone: () => void }): JSX.Element {
  const { model, actions } = usePanels();
  const color = useView('color');
  const sets = model.geneSets.value;
  const isKept = (wanted: string) => sets.some((set) => set.name === wanted);
  const name = useSignal(color.kind === 'score' && isKept(color.name) ? color.name : '');
  const kept = name.value.trim();
  const full = kept !== '' && !isKept(kept) && sets.length >= MAX_SETS;
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const text = useSignal(color.kind === 'score' ? color.genes.join('\n') : '');
  const bundle = model.bundle.value;
  const { genes, unknown } = useMemo(
    () => (bundle ? genesOf(text.value, bundle) : { genes: [], unknown: [] }),
    [bundle, text.value],
  );
  return (
    <div class="ks-gene-set">
      <textarea
        ref={field}
        class="ks-field"
        rows={4}
        aria-label="Genes in the set"
        placeholder="Paste genes, one per line or separated by commas"
        spellcheck={false}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
      {unknown.length > 0 && (
        <p class="ks-note ks-break ks-unknown-genes" role="status">
          Not in this bundle: {unknown.join(', ')}
        </p>
      )}
      <input
        class="ks-field"
        type="text"
        aria-label="Name of the set"
        placeholder="Name, to keep the set in this view"
        maxLength={120}
        spellcheck={false}
        value={name.value}
        onInput={(event) => {
          name.value = event.currentTarget.value;
        }}
      />
      {(full || isKept(kept)) && (
        <p class={`ks-break ${full ? 'ks-warning' : 'ks-note'}`} role="status">
          {full
            ? `A view has at most ${MAX_SETS} gene sets. Remove one first.`
            : `This replaces the genes of “${kept}”.`}
        </p>
      )}
      <button
        type="button"
        class="ks-button"
        disabled={genes.length === 0 || full}
        onClick={() => {
          const unnamed = genes.length === 1 ? `${genes[0]}` : `Mean of ${counted(genes.length, 'gene')}`;
          if (kept) actions.putGeneSet({ name: kept, genes });
          actions.setColor({ kind: 'score', name: kept || unnamed, genes });
          onDone();
        }}
      >
        {kept ? 'Save and color' : 'Color'} by the mean of {counted(genes.length, 'gene')}
      </button>
    </div>
  );
}

/** Color key of a blend: one square for two genes, one square per level of the third gene for three. */
export function BlendKey({ layer }: { layer: Extract<Layer, { kind: 'blend' }> }): JSX.Element {
  const { model } = usePanels();
  const corners = cornersOf(model.dark.value);
  const [first, second, third] = layer.parts;
  const steps = Array.from({ length: STEPS }, (_, i) => i / (STEPS - 1));
  const squares = third ? [0, 0.5, 1] : [0];
  return (
    <figure
      class="ks-blend-key"
      aria-label={`Blend colors of ${layer.parts.map(({ gene }) => gene).join(', ')}`}
    >
      {squares.map((depth) => (
        <div key={depth} class="ks-blend-square">
          {[...steps].reverse().flatMap((y) =>
            steps.map((x) => (
              <span
                key={`${x} ${y}`}
                style={{
                  background: cssColor(roundedRgb(mixture(corners, third ? [x, y, depth] : [x, y]))),
                }}
              />
            )),
          )}
          {third && (
            <small>
              {third.gene} {depth === 0 ? 'none' : depth === 1 ? 'high' : 'half'}
            </small>
          )}
        </div>
      ))}
      <figcaption title="Full color at the 99th percentile of the detected values">
        <span>
          → {first?.gene} to {formatValue(first?.summary.upper ?? 0)}
        </span>
        <span>
          ↑ {second?.gene} to {formatValue(second?.summary.upper ?? 0)}
        </span>
        {third && (
          <span>
            {third.gene} to {formatValue(third.summary.upper)}
          </span>
        )}
        <WithoutValue layer={layer} />
      </figcaption>
    </figure>
  );
}

function roundedRgb([r, g, b]: readonly [number, number, number]): readonly [number, number, number] {
  return [Math.round(r), Math.round(g), Math.round(b)];
}

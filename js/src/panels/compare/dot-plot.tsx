import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Bundle } from '../../data/bundle';
import type { CategoryValues } from '../../data/column-values';
import { type GeneDots, rescaled } from '../../data/dots';
import { type ColorScale, colorScale } from '../../lib/colormap';
import { asError } from '../../lib/errors';
import { counted, formatCategory, formatMean, formatShare } from '../../lib/format';
import { geneMeaningOf } from '../../state/color/gene-meaning';
import { matrixOf } from '../../state/compare/compare-loader';
import { Chip } from '../buttons';
import { GroupSelect } from '../color/by-category';
import { usePanels } from '../context';
import { IconButton } from '../icons';
import { FAMILY, FONT, fitted, SaveButtons, useCardFocus, widthOf } from './plot';

const CELL = 22;
const LARGEST = 9.5;
const LONGEST_ROW = 220;
const LONGEST_GENE = 160;
const MAX_GENES = 100;
const KEYS = [0.25, 0.5, 1];

/** How genes are drawn: as dots whose size is the share of cells with the gene, or as tiles. */
type Marks = 'dots' | 'tiles';

/** Genes (columns) by categories (rows); the color is the mean. */
export function DotPlot(): JSX.Element | null {
  const { model } = usePanels();
  const genes = model.dotGenes.value;
  return genes && <Card genes={genes} />;
}

function Card({ genes }: { genes: readonly string[] }): JSX.Element {
  const { model, actions } = usePanels();
  const made = useSignal<(DotsProps & { bundle: Bundle | null }) | null>(null);
  const bundle = model.bundle.value;
  const matrix = bundle && matrixOf(bundle);
  const problem = useSignal<string | null>(null);
  const plot = useRef<SVGSVGElement>(null);
  const card = useRef<HTMLElement>(null);
  useCardFocus(card);
  const marks = useSignal<Marks>('dots');
  const scaled = useSignal(false);
  const tiles = marks.value === 'tiles';
  const title = tiles ? 'Heat map' : 'Dot plot';
  const what = title.toLowerCase();
  const layer = model.layer.value;
  const column = model.group.value ?? (layer.kind === 'category' ? layer.column : null);
  const shown = model.shown.value;
  useEffect(() => {
    if (!column) return;
    const closed = new AbortController();
    actions.readDots(genes, column, shown?.mask ?? null, closed.signal).then(
      (dots) => {
        problem.value = null;
        made.value = { column, dots, bundle };
      },
      (thrown) => {
        if (!closed.signal.aborted) problem.value = asError(thrown).message;
      },
    );
    return () => closed.abort();
  }, [genes, column, shown, bundle, actions, made, problem]);
  const choose = (next: Marks) => {
    marks.value = next;
  };
  return (
    <section class="ks-card ks-dot-plot" aria-label={title} ref={card} tabIndex={-1}>
      <div class="ks-heading-line">
        <h2 class="ks-heading">{title}</h2>
        {matrix && <span class="ks-muted">{matrix}</span>}
        <GroupSelect />
        <SaveButtons
          what={what}
          name={`${tiles ? 'heat_map' : 'dots'}_${column?.name ?? ''}`}
          {...{ plot, problem }}
        />
        <IconButton icon="close" label={`Close ${what}`} onClick={() => actions.showDots(null)} />
      </div>
      <div class="ks-chips">
        <Chip pressed={!tiles} onClick={() => choose('dots')}>
          Dots
        </Chip>
        <Chip pressed={tiles} onClick={() => choose('tiles')}>
          Heat map
        </Chip>
        {tiles && (
          <Chip
            pressed={scaled.value}
            title="Use the full color map for each gene, from its lowest to its highest mean"
            onClick={() => {
              scaled.value = !scaled.value;
            }}
          >
            Scale each gene
          </Chip>
        )}
      </div>
      <GeneList genes={genes} what={what} />
      {!column && <p class="ks-note">This bundle has no categories.</p>}
      {problem.value !== null && (
        <p class="ks-warning ks-break" role="alert">
          {problem.value}
        </p>
      )}
      <div class="ks-dot-scroll">
        {made.value?.bundle === bundle && made.value && (
          <Plot {...made.value} tiles={tiles} scaled={tiles && scaled.value} plot={plot} />
        )}
      </div>
    </section>
  );
}

/** The names of the genes, to edit. */
function GeneList({ genes, what }: { genes: readonly string[]; what: string }): JSX.Element {
  const { model, actions } = usePanels();
  const unknown = useSignal<readonly string[]>([]);
  const take = (text: string) => {
    const bundle = model.bundle.value;
    const wanted = [...new Set(text.split(/[\s,;]+/).filter(Boolean))].slice(0, MAX_GENES);
    const found = wanted.map((name) => {
      if (bundle?.genes.has(name)) return name;
      const hit = bundle?.search.find(name, 1)[0];
      const same = [hit?.gene, hit?.label].some((other) => other?.toLowerCase() === name.toLowerCase());
      return same ? hit?.gene : undefined;
    });
    unknown.value = wanted.filter((_, i) => found[i] === undefined);
    const known = found.filter((gene) => gene !== undefined);
    if (known.length > 0) actions.showDots(known);
  };
  return (
    <>
      <div class="ks-field">
        <input
          type="text"
          key={genes.join()}
          aria-label={`Genes of the ${what}`}
          title="Names of genes, separated by commas or spaces. Enter draws them."
          spellcheck={false}
          autocomplete="off"
          defaultValue={genes.join(', ')}
          onChange={(event) => take(event.currentTarget.value)}
        />
      </div>
      {unknown.value.length > 0 && (
        <p class="ks-warning ks-break" role="alert">
          {unknown.value.length === 1 ? 'No gene is' : 'No genes are'} named {unknown.value.join(', ')}.
        </p>
      )}
    </>
  );
}

interface DotsProps {
  column: CategoryValues;
  dots: readonly GeneDots[];
}

interface PlotProps extends DotsProps {
  tiles: boolean;
  /** Whether each gene is colored from its lowest to its highest mean. */
  scaled: boolean;
  plot: { current: SVGSVGElement | null };
}

function Plot({ column, dots, tiles, scaled, plot }: PlotProps): JSX.Element {
  const { model, actions } = usePanels();
  const categories = model.categoriesOf.value(column);
  const rows = column.categories
    .map(({ name }, code) => ({
      name: formatCategory(name),
      label: fitted(formatCategory(name), LONGEST_ROW),
      code,
      color: categories[code]?.color ?? '',
    }))
    .filter(({ code }) => dots.some(({ mean }) => !Number.isNaN(mean[code])));
  const meaning = geneMeaningOf(model);
  const means = useMemo(() => dots.map(({ mean }) => (scaled ? rescaled(mean) : mean)), [dots, scaled]);
  const scale = useMemo(() => scaleOf(means, model.colormap.value), [means, model.colormap.value]);
  const left = 24 + Math.max(0, ...rows.map(({ label }) => widthOf(label)));
  const top = 10 + Math.max(0, ...dots.map(({ gene }) => widthOf(fitted(gene, LONGEST_GENE))));
  const width = left + CELL * dots.length + 12;
  const height = top + CELL * rows.length + 58;
  const foot = top + CELL * rows.length + 26;
  const [low, high] = scale.range;
  /** Where the color bar starts: to the right of the dot sizes. */
  const bar = tiles ? 0 : 208;
  const show = (gene: string) => actions.setColor({ kind: 'gene', gene });
  return (
    <svg
      ref={plot}
      width={Math.max(width, 430)}
      height={height}
      aria-label={`${tiles ? 'Heat map' : 'Dot plot'} of ${counted(dots.length, 'gene')} by ${column.name}`}
      font-family={FAMILY}
      font-size={FONT}
      fill="var(--ink)"
    >
      {rows.map(({ name, label, color }, row) => (
        <g key={name} transform={`translate(0 ${top + CELL * (row + 0.5)})`}>
          <line x1={left} x2={left + CELL * dots.length} y1={CELL / 2} y2={CELL / 2} stroke="var(--line)" />
          <circle cx={8} cy={0} r={5} fill={color} />
          <text x={20} y={4}>
            {label}
          </text>
        </g>
      ))}
      {dots.map(({ gene, mean, detected }, at) => (
        // biome-ignore lint/a11y/useSemanticElements: SVG has no buttons
        <g
          key={gene}
          transform={`translate(${left + CELL * (at + 0.5)} ${top})`}
          role="button"
          // SVG attribute names are case-sensitive.
          tabindex={0}
          aria-label={`Color by ${gene}`}
          onClick={() => show(gene)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' && event.key !== ' ') return;
            event.preventDefault();
            show(gene);
          }}
        >
          <rect
            x={-CELL / 2}
            y={-top}
            width={CELL}
            height={top + CELL * rows.length}
            fill="none"
            pointer-events="all"
          />
          <text transform="translate(4 -6) rotate(-90)">{fitted(gene, LONGEST_GENE)}</text>
          {rows.map(({ name, code }, row) => {
            const about = `${gene}, ${name}: mean ${formatMean(mean[code] ?? Number.NaN)}, in ${formatShare(detected[code] ?? Number.NaN)}`;
            const value = means[at]?.[code] ?? Number.NaN;
            if (Number.isNaN(value)) return null;
            const fill = scale.css(value);
            return tiles ? (
              <rect key={name} x={-CELL / 2} y={CELL * row} width={CELL} height={CELL} fill={fill}>
                <title>{about}</title>
              </rect>
            ) : (
              <circle
                key={name}
                cx={0}
                cy={CELL * (row + 0.5)}
                r={LARGEST * Math.sqrt(detected[code] || 0)}
                fill={fill}
                stroke="var(--muted)"
                stroke-width={0.5}
              >
                <title>{about}</title>
              </circle>
            );
          })}
        </g>
      ))}
      <g transform={`translate(4 ${foot})`} fill="var(--muted)" font-size={11}>
        {(tiles ? [] : KEYS).map((share, at) => (
          <g key={share} transform={`translate(${8 + at * 64} 0)`}>
            <circle cx={0} cy={0} r={LARGEST * Math.sqrt(share)} fill="none" stroke="var(--muted)" />
            <text x={14} y={4}>
              {formatShare(share)}
            </text>
          </g>
        ))}
        {Array.from({ length: 24 }, (_, at) => (
          <rect
            key={at}
            x={bar + at * 3}
            y={-5}
            width={3.2}
            height={10}
            fill={scale.css(low + ((high - low) * at) / 23)}
          />
        ))}
        <text x={bar} y={20}>
          {formatMean(low)}
        </text>
        <text x={bar + 72} y={20} text-anchor="end">
          {formatMean(high)}
        </text>
        <text x={0} y={24}>
          {tiles
            ? ''
            : `Share of ${model.noun.value}s${meaning.detectable ? '' : ' with a value other than 0'}`}
        </text>
        <text x={bar + 80} y={4}>
          {`Mean of ${meaning.noun}`}
          {scaled && ', each gene scaled'}
        </text>
      </g>
    </svg>
  );
}

/** Returns the color scale, from zero, or from the lowest mean if it is negative, to the highest mean. */
function scaleOf(means: readonly Float64Array[], map: Parameters<typeof colorScale>[0]['map']): ColorScale {
  let [low, high] = [0, 0];
  for (const mean of means)
    for (const value of mean) [low, high] = [Math.min(low, value || 0), Math.max(high, value || 0)];
  if (low < 0) [low, high] = [Math.min(low, -high), Math.max(high, -low)];
  return colorScale({ map, reversed: false, log: false, range: [low, high > low ? high : low + 1] });
}

import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { CategoryValues } from '../../data/column-values';
import type { Neighborhoods as Counts } from '../../data/neighborhoods';
import { type ColorScale, colorScale } from '../../lib/colormap';
import { startingWith } from '../../lib/counts';
import { field } from '../../lib/csv';
import { asError } from '../../lib/errors';
import { counted, formatCategory, formatDifference, formatValue } from '../../lib/format';
import { fileName } from '../../picture/file-name';
import { membersOf } from '../../state/color/groups';
import { maskOf } from '../../state/selection/selection';
import { HeadingButton } from '../buttons';
import { GroupSelect } from '../color/by-category';
import { FAMILY, FONT, fitted, SaveButtons, useCardFocus, widthOf } from '../compare/plot';
import { usePanels } from '../context';
import { IconButton } from '../icons';

/** Side of a square in CSS pixels: with at most `FEW` categories, or more. */
const SIDES = { few: 22, many: 15 };
const FEW = 24;
/** Maximum width of a name in CSS pixels. */
const LONGEST = 180;
/** Maximum number of categories that remains legible. */
const MAX_CATEGORIES = 100;
/** Number of steps of the color key, and their width in CSS pixels. */
const KEY_STEPS = 48;
const KEY_STEP_WIDTH = 4;

interface Shown {
  column: CategoryValues;
  counts: Counts;
}

/** Shows which categories lie next to each other, as a heat map of z-scores. */
export function Neighborhoods(): JSX.Element | null {
  const { model } = usePanels();
  return model.neighborhoods.value ? <Card /> : null;
}

interface CellChoice {
  label: string;
  /** Returns the mask of the cells; null for all. */
  mask: () => Uint8Array | null;
}

/** The cells among which neighbors are counted: all cells, the shown section, the selection, or a region. */
function useCells() {
  const { model } = usePanels();
  const chosen = useSignal('all');
  const regions = model.regions.value;
  const selection = model.selection.value;
  const scope = model.scope.value;
  const noun = model.noun.value;
  const total = model.bundle.value?.manifest.n_cells ?? 0;
  const choices = useMemo(() => {
    const found = new Map<string, CellChoice>([['all', { label: `All ${noun}s`, mask: () => null }]]);
    if (scope) found.set('scope', { label: scope.name, mask: () => scope.mask });
    if (selection) found.set('selection', { label: 'Selection', mask: () => selection.mask });
    for (const { name, cells } of regions)
      found.set(`region ${name}`, { label: name, mask: () => maskOf(cells, total) });
    return found;
  }, [regions, selection, scope, noun, total]);
  const value = choices.has(chosen.value) ? chosen.value : 'all';
  const among = choices.get(value);
  return {
    value,
    label: among?.label ?? '',
    mask: useMemo(() => among?.mask() ?? null, [among]),
    onChange: (key: string) => {
      chosen.value = key;
    },
    choices,
  };
}

function Card(): JSX.Element {
  const { model, actions } = usePanels();
  const last = useSignal<(Shown & { mask: Uint8Array | null }) | null>(null);
  const problem = useSignal<string | null>(null);
  const plot = useRef<SVGSVGElement>(null);
  const card = useRef<HTMLElement>(null);
  useCardFocus(card);
  const { value, label, mask, onChange, choices } = useCells();
  const layer = model.layer.value;
  const column = model.group.value ?? (layer.kind === 'category' ? layer.column : null);
  const tooMany = (column?.categories.length ?? 0) > MAX_CATEGORIES;
  useEffect(() => {
    if (!column || tooMany) return;
    const closed = new AbortController();
    actions.readNeighborhoods(column, mask, closed.signal).then(
      (counts) => {
        problem.value = null;
        last.value = { column, mask, counts };
      },
      (thrown) => {
        if (closed.signal.aborted) return;
        problem.value = asError(thrown).message;
        last.value = null;
      },
    );
    return () => closed.abort();
  }, [column, mask, tooMany, actions, last, problem]);
  // Until the current choice is counted, do not show the counts of an earlier one under its name.
  const shown =
    last.value && !tooMany && last.value.column === column && last.value.mask === mask ? last.value : null;
  const codes = useMemo(() => (shown ? codesWithNeighbors(shown.column, shown.counts) : []), [shown]);
  const name = ['neighborhoods', column?.name, ...(value === 'all' ? [] : [label])].join('_');
  return (
    <section class="ks-card ks-dot-plot ks-neighborhoods" aria-label="Neighborhoods" ref={card} tabIndex={-1}>
      <div class="ks-heading-line">
        <h2 class="ks-heading">Neighborhoods</h2>
        <GroupSelect />
        <select
          class="ks-order"
          aria-label={`${startingWith(model.noun.value)} to count`}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          {[...choices].map(([key, { label }]) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
        {shown && codes.length > 0 && (
          <>
            <SaveTable {...shown} name={name} />
            <SaveButtons what="heat map" {...{ name, plot, problem }} />
          </>
        )}
        <IconButton
          icon="close"
          label="Close neighborhoods"
          onClick={() => actions.showNeighborhoods(false)}
        />
      </div>
      {!column && <p class="ks-note">This bundle has no categories.</p>}
      {tooMany && (
        <p class="ks-note">
          {counted(column?.categories.length ?? 0, 'category', 'categories')} are too many for a heat map.
          Choose an annotation with at most {MAX_CATEGORIES}, or group categories.
        </p>
      )}
      {problem.value !== null && (
        <p class="ks-warning ks-break" role="alert">
          {problem.value}
        </p>
      )}
      {shown &&
        (codes.length > 0 ? (
          <Matrix column={shown.column} counts={shown.counts} {...{ codes, plot }} />
        ) : (
          <p class="ks-note" role="status">
            {`There are no neighbors among these ${model.noun.value}s with a category. Choose other ${model.noun.value}s to count, or another annotation.`}
          </p>
        ))}
    </section>
  );
}

function SaveTable({ column, counts, name }: Shown & { name: string }): JSX.Element {
  const { model, download } = usePanels();
  return (
    <HeadingButton
      title="Save counts and z-scores as CSV"
      onClick={() =>
        download(
          new Blob([tableOf(column, counts)], { type: 'text/csv' }),
          fileName(model.title.value, name, 'csv'),
        )
      }
    >
      CSV
    </HeadingButton>
  );
}

/** Returns the table of `Bundle.neighborhoods` in Python, as CSV. */
export function tableOf(
  { categories }: Pick<CategoryValues, 'categories'>,
  { count, expected, z }: Counts,
): string {
  const names = categories.map(({ name }) => field(formatCategory(name)));
  const k = names.length;
  const number = (value: number | undefined) => (Number.isFinite(value) ? String(value) : '');
  const rows = Array.from(count, (n, i) =>
    [names[Math.floor(i / k)], names[i % k], n, number(expected[i]), number(z[i])].join(','),
  );
  return `${['category,neighbor,count,expected,z', ...rows].join('\r\n')}\r\n`;
}

interface MatrixProps extends Shown {
  /** The categories to show. */
  codes: readonly number[];
  plot: { current: SVGSVGElement | null };
}

function Matrix({ column, counts, codes, plot }: MatrixProps): JSX.Element {
  /** The square under the pointer, or chosen with arrow keys: the codes of its categories. */
  const square = useSignal<readonly [number, number] | null>(null);
  return (
    <>
      <div class="ks-dot-scroll">
        <Squares {...{ column, counts, codes, plot, square }} />
      </div>
      <SquareText {...{ column, counts, square }} />
    </>
  );
}

type Square = Signal<readonly [number, number] | null>;

function SquareText({ column, counts, square }: Shown & { square: Square }): JSX.Element {
  if (!square.value)
    return (
      <p class="ks-note">
        Red: more often neighbors than by chance; blue: less often. Click a square to isolate both categories.
      </p>
    );
  const [a, b] = square.value;
  const i = a * column.categories.length + b;
  const [one, other] = [a, b].map((code) => formatCategory(column.categories[code]?.name ?? null));
  const z = counts.z[i] ?? Number.NaN;
  return (
    <p class="ks-note" role="status">
      {`${one} next to ${other}: ${counted(counts.count[i] ?? 0, 'neighbor')}, ` +
        `expected by chance ${formatValue(counts.expected[i] ?? 0)}, z = ${formatDifference(z)}`}
    </p>
  );
}

function Squares({ column, counts, codes, plot, square }: MatrixProps & { square: Square }): JSX.Element {
  const { model, actions } = usePanels();
  const all = column.categories.length;
  const scale = useMemo(() => scaleOf(counts, codes, all), [counts, codes, all]);
  const colors = model.categoriesOf.value(column);
  const n = codes.length;
  const side = n <= FEW ? SIDES.few : SIDES.many;
  const names = codes.map((code) => fitted(formatCategory(column.categories[code]?.name ?? null), LONGEST));
  const left = 24 + Math.max(0, ...names.map(widthOf));
  const top = 26 + Math.max(0, ...names.map(widthOf));
  const limit = scale.range[1];
  const isolate = () => {
    if (!square.value) return;
    const both = square.value.flatMap((code) => {
      const category = column.categories[code];
      return category ? membersOf(category) : [];
    });
    const { color } = model.layer.value;
    if (color.kind !== 'annotation' || color.column !== column.name)
      actions.setColor({ kind: 'annotation', column: column.name });
    actions.isolateCategories(column.name, [...new Set(both)]);
  };
  const point = (event: { clientX: number; clientY: number; currentTarget: SVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const codeAt = (from: number, to: number, value: number) =>
      codes[Math.floor(((value - from) / (to - from)) * n)];
    const [b, a] = [codeAt(box.left, box.right, event.clientX), codeAt(box.top, box.bottom, event.clientY)];
    square.value = a === undefined || b === undefined ? null : [a, b];
  };
  const move = (event: KeyboardEvent) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) {
      const now = square.value?.map((code) => codes.indexOf(code)) ?? [0, 0];
      const [a, b] = now.map((index, i) => codes[Math.min(n - 1, Math.max(0, index + (step[i] ?? 0)))]);
      square.value = [a ?? 0, b ?? 0];
    } else if (event.key === 'Enter' || event.key === ' ') isolate();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <svg
      ref={plot}
      width={Math.max(left + side * n + 12, 340)}
      height={top + side * n + 42}
      aria-label={`Z-scores of neighbors by ${column.name}`}
      shape-rendering="crispEdges"
      font-family={FAMILY}
      font-size={Math.min(FONT, side - 3)}
      fill="var(--ink)"
    >
      {names.map((name, i) => {
        const color = colors[codes[i] ?? -1]?.color ?? '';
        const middle = side * (i + 0.5);
        return (
          <g key={codes[i]}>
            <g transform={`translate(0 ${top + middle})`}>
              <circle cx={8} cy={0} r={5} fill={color} shape-rendering="auto" />
              <text x={20} y={4}>
                {name}
              </text>
            </g>
            <g transform={`translate(${left + middle} ${top})`}>
              <circle cx={0} cy={-9} r={5} fill={color} shape-rendering="auto" />
              <text transform="translate(4 -20) rotate(-90)">{name}</text>
            </g>
          </g>
        );
      })}
      {/* biome-ignore lint/a11y/useSemanticElements: SVG has no buttons */}
      <g
        class="ks-squares"
        role="button"
        tabindex={0}
        aria-label="Heat map. Arrow keys move, Enter isolates both categories."
        onPointerMove={point}
        onPointerLeave={() => {
          square.value = null;
        }}
        onClick={(event) => {
          if (event.detail > 0) point(event);
          isolate();
        }}
        onKeyDown={move}
      >
        {codes.flatMap((a, row) =>
          codes.map((b, index) => {
            const z = counts.z[a * all + b] ?? Number.NaN;
            return (
              <rect
                key={`${a} ${b}`}
                x={left + side * index}
                y={top + side * row}
                width={side}
                height={side}
                fill={Number.isNaN(z) ? 'var(--soft)' : scale.css(z)}
              />
            );
          }),
        )}
      </g>
      <Frame {...{ square, codes, left, top, side }} />
      <g transform={`translate(${left} ${top + side * n + 12})`} font-size={11} fill="var(--muted)">
        {Array.from({ length: KEY_STEPS }, (_, i) => (
          <rect
            key={i}
            x={i * KEY_STEP_WIDTH}
            width={KEY_STEP_WIDTH}
            height={10}
            fill={scale.css(limit * ((2 * i) / (KEY_STEPS - 1) - 1))}
          />
        ))}
        <text y={24}>{`≤ −${formatValue(limit)}`}</text>
        <text x={(KEY_STEP_WIDTH * KEY_STEPS) / 2} y={24} text-anchor="middle">
          z-score
        </text>
        <text x={KEY_STEP_WIDTH * KEY_STEPS} y={24} text-anchor="end">{`≥ ${formatValue(limit)}`}</text>
      </g>
    </svg>
  );
}

/** The frame around the current square. */
function Frame(props: { square: Square; codes: readonly number[]; left: number; top: number; side: number }) {
  const { square, codes, left, top, side } = props;
  const indices = useComputed(() => square.value?.map((code) => codes.indexOf(code))).value;
  const [row, column] = indices ?? [];
  if (row === undefined || column === undefined) return null;
  return (
    <rect
      x={left + side * column}
      y={top + side * row}
      width={side}
      height={side}
      fill="none"
      stroke="#000"
      stroke-width={2}
      pointer-events="none"
    />
  );
}

/** Returns the codes of the categories that have cells with neighbors. */
function codesWithNeighbors({ categories }: CategoryValues, { count, expected }: Counts): number[] {
  const all = categories.length;
  return categories.flatMap((_, code) => {
    const has = categories.some((_, other) => {
      const i = code * all + other;
      return (count[i] ?? 0) > 0 || (expected[i] ?? 0) > 0;
    });
    return has ? [code] : [];
  });
}

/** Returns a color scale symmetric about zero. Its limit ignores the diagonal, where scores are larger. */
function scaleOf({ z }: Counts, codes: readonly number[], all: number): ColorScale {
  let [across, within] = [0, 0];
  for (const a of codes)
    for (const b of codes) {
      const size = Math.abs(z[a * all + b] || 0);
      if (a === b) within = Math.max(within, size);
      else across = Math.max(across, size);
    }
  const limit = across || within || 1;
  return colorScale({ map: 'rdbu', reversed: false, log: false, range: [-limit, limit] });
}

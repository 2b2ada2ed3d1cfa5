import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { CategoryValues } from '../../data/column-values';
import type { Neighborhoods as Found } from '../../data/neighborhoods';
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

/** Side of a square in CSS pixels; smaller if there are many squares. */
const SIDES = { few: 22, many: 15, from: 24 };
const LONGEST = 180;
/** Maximum number of categories that remains legible. */
const MOST = 100;
const KEY_STEPS = 48;
const KEY_STEP = 4;

interface Made {
  column: CategoryValues;
  found: Found;
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
  const made = useSignal<(Made & { mask: Uint8Array | null }) | null>(null);
  const problem = useSignal<string | null>(null);
  const plot = useRef<SVGSVGElement>(null);
  const card = useRef<HTMLElement>(null);
  useCardFocus(card);
  const { value, label, mask, onChange, choices } = useCells();
  const layer = model.layer.value;
  const column = model.group.value ?? (layer.kind === 'category' ? layer.column : null);
  const tooMany = (column?.categories.length ?? 0) > MOST;
  useEffect(() => {
    if (!column || tooMany) return;
    const closed = new AbortController();
    actions.readNeighborhoods(column, mask, closed.signal).then(
      (found) => {
        problem.value = null;
        made.value = { column, mask, found };
      },
      (thrown) => {
        if (closed.signal.aborted) return;
        problem.value = asError(thrown).message;
        made.value = null;
      },
    );
    return () => closed.abort();
  }, [column, mask, tooMany, actions, made, problem]);
  // While others are counted, the numbers of an earlier choice must not appear under the name of this one.
  const shown =
    made.value && !tooMany && made.value.column === column && made.value.mask === mask ? made.value : null;
  const codes = useMemo(() => (shown ? present(shown.column, shown.found) : []), [shown]);
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
          Choose an annotation with at most {MOST}, or group categories.
        </p>
      )}
      {problem.value !== null && (
        <p class="ks-warning ks-break" role="alert">
          {problem.value}
        </p>
      )}
      {shown &&
        (codes.length > 0 ? (
          <Matrix column={shown.column} found={shown.found} {...{ codes, plot }} />
        ) : (
          <p class="ks-note" role="status">
            {`There are no neighbors among these ${model.noun.value}s with a category. Choose other ${model.noun.value}s to count, or another annotation.`}
          </p>
        ))}
    </section>
  );
}

function SaveTable({ column, found, name }: Made & { name: string }): JSX.Element {
  const { model, download } = usePanels();
  return (
    <HeadingButton
      title="Save counts and z-scores as CSV"
      onClick={() =>
        download(
          new Blob([tableOf(column, found)], { type: 'text/csv' }),
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
  { count, expected, z }: Found,
): string {
  const names = categories.map(({ name }) => field(formatCategory(name)));
  const k = names.length;
  const number = (value: number | undefined) => (Number.isFinite(value) ? String(value) : '');
  const rows = Array.from(count, (found, i) =>
    [names[Math.floor(i / k)], names[i % k], found, number(expected[i]), number(z[i])].join(','),
  );
  return `${['category,neighbor,count,expected,z', ...rows].join('\r\n')}\r\n`;
}

interface MatrixProps extends Made {
  /** The categories to show. */
  codes: readonly number[];
  plot: { current: SVGSVGElement | null };
}

function Matrix({ column, found, codes, plot }: MatrixProps): JSX.Element {
  /** The square under the pointer: the codes of its categories. */
  const at = useSignal<readonly [number, number] | null>(null);
  return (
    <>
      <div class="ks-dot-scroll">
        <Squares {...{ column, found, codes, plot, at }} />
      </div>
      <About {...{ column, found, at }} />
    </>
  );
}

type At = Signal<readonly [number, number] | null>;

function About({ column, found, at }: Made & { at: At }): JSX.Element {
  if (!at.value)
    return (
      <p class="ks-note">
        Red: more often neighbors than by chance; blue: less often. A click isolates both categories.
      </p>
    );
  const [a, b] = at.value;
  const i = a * column.categories.length + b;
  const [one, other] = [a, b].map((code) => formatCategory(column.categories[code]?.name ?? null));
  const z = found.z[i] ?? Number.NaN;
  return (
    <p class="ks-note" role="status">
      {`${one} next to ${other}: ${counted(found.count[i] ?? 0, 'neighbor')}, ` +
        `expected by chance ${formatValue(found.expected[i] ?? 0)}, z = ${formatDifference(z)}`}
    </p>
  );
}

function Squares({ column, found, codes, plot, at }: MatrixProps & { at: At }): JSX.Element {
  const { model, actions } = usePanels();
  const all = column.categories.length;
  const scale = useMemo(() => scaleOf(found, codes, all), [found, codes, all]);
  const colors = model.classes.value(column);
  const n = codes.length;
  const side = n <= SIDES.from ? SIDES.few : SIDES.many;
  const names = codes.map((code) => fitted(formatCategory(column.categories[code]?.name ?? null), LONGEST));
  const left = 24 + Math.max(0, ...names.map(widthOf));
  const top = 26 + Math.max(0, ...names.map(widthOf));
  const limit = scale.range[1];
  const isolate = () => {
    if (!at.value) return;
    const both = at.value.flatMap((code) => {
      const category = column.categories[code];
      return category ? membersOf(category) : [];
    });
    const { color } = model.layer.value;
    if (color.kind !== 'annotation' || color.column !== column.name)
      actions.setColor({ kind: 'annotation', column: column.name });
    actions.isolateClasses(column.name, [...new Set(both)]);
  };
  const point = (event: { clientX: number; clientY: number; currentTarget: SVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const place = (from: number, to: number, value: number) =>
      codes[Math.floor(((value - from) / (to - from)) * n)];
    const [b, a] = [place(box.left, box.right, event.clientX), place(box.top, box.bottom, event.clientY)];
    at.value = a === undefined || b === undefined ? null : [a, b];
  };
  const move = (event: KeyboardEvent) => {
    const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (way) {
      const now = at.value?.map((code) => codes.indexOf(code)) ?? [0, 0];
      const [a, b] = now.map((place, i) => codes[Math.min(n - 1, Math.max(0, place + (way[i] ?? 0)))]);
      at.value = [a ?? 0, b ?? 0];
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
          at.value = null;
        }}
        onClick={(event) => {
          if (event.detail > 0) point(event);
          isolate();
        }}
        onKeyDown={move}
      >
        {codes.flatMap((a, row) =>
          codes.map((b, place) => {
            const z = found.z[a * all + b] ?? Number.NaN;
            return (
              <rect
                key={`${a} ${b}`}
                x={left + side * place}
                y={top + side * row}
                width={side}
                height={side}
                fill={Number.isNaN(z) ? 'var(--soft)' : scale.css(z)}
              />
            );
          }),
        )}
      </g>
      <Frame {...{ at, codes, left, top, side }} />
      <g transform={`translate(${left} ${top + side * n + 12})`} font-size={11} fill="var(--muted)">
        {Array.from({ length: KEY_STEPS }, (_, i) => (
          <rect
            key={i}
            x={i * KEY_STEP}
            width={KEY_STEP}
            height={10}
            fill={scale.css(limit * ((2 * i) / (KEY_STEPS - 1) - 1))}
          />
        ))}
        <text y={24}>{`≤ −${formatValue(limit)}`}</text>
        <text x={(KEY_STEP * KEY_STEPS) / 2} y={24} text-anchor="middle">
          z-score
        </text>
        <text x={KEY_STEP * KEY_STEPS} y={24} text-anchor="end">{`≥ ${formatValue(limit)}`}</text>
      </g>
    </svg>
  );
}

/** The frame around the square under the pointer. */
function Frame(props: { at: At; codes: readonly number[]; left: number; top: number; side: number }) {
  const { at, codes, left, top, side } = props;
  const place = useComputed(() => at.value?.map((code) => codes.indexOf(code))).value;
  const [row, column] = place ?? [];
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

/** Returns the categories that have cells with neighbors. */
function present({ categories }: CategoryValues, { count, expected }: Found): number[] {
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
function scaleOf({ z }: Found, codes: readonly number[], all: number): ColorScale {
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

import { MISSING_COLOR, parseColor, parseCssColor, type Rgb } from '../lib/color';
import type { Noun } from '../lib/counts';
import { counted, formatCategory, formatWithin } from '../lib/format';
import { cornersOf } from '../state/color/blend';
import { DIMMED_ALPHA, ordered } from '../state/color/category-colors';
import { meaningOf } from '../state/color/gene-meaning';
import { dimmedFlags, type Layer, missingTest } from '../state/color/layer';
import type { Model } from '../state/model';

export interface Entry {
  name: string;
  color: Rgb;
  /** Muted: not a category. */
  quiet?: boolean;
}

/** The legend of the tissue's colors. */
export type Legend =
  | { kind: 'categories'; label: string; entries: Entry[] }
  | {
      kind: 'values';
      label: string;
      /** Evenly spaced in the values, from the lower to the upper limit. */
      colors: Rgb[];
      limits: readonly [string, string];
      /** The scale of the colors, if not linear, and what a mean is computed from. */
      note: string | null;
      entries: Entry[];
    };

const STEPS = 32;
const MISSING = parseColor(MISSING_COLOR);

/** Opacity of dimmed zeros on the background, as in the shader. */
const DIMMED_ZERO = 0.22;
const GROUND = { light: parseColor('#f6f7f9'), dark: parseColor('#0e1116') };

/** The cells that are drawn in each view of a picture. */
export type Drawn = readonly Uint32Array[];

/** Counts the cells without a value that are drawn in any view. */
function missingAmong(layer: Layer, drawn: Drawn): number {
  const missing = missingTest(layer);
  if (!missing) return 0;
  const [first = new Uint32Array(0), second] = drawn;
  const cells = second ? new Set([...first.filter(missing), ...second.filter(missing)]) : null;
  if (cells) return cells.size;
  let count = 0;
  for (const cell of first) if (missing(cell)) count++;
  return count;
}

const withoutValue = (count: number, noun: Noun): Entry => ({
  name: `${counted(count, noun)} without a value`,
  color: MISSING,
  quiet: true,
});

/** Builds the legend of the drawn cells, in the panel's order; null if nothing colors the tissue. */
export function legendOf(model: Model, drawn: Drawn): Legend | null {
  const layer = model.layer.value;
  const state = model.state.value;
  if (layer.kind === 'none') return null;
  const missing = missingAmong(layer, drawn);
  if (layer.kind === 'category') {
    const { column } = layer;
    const present = new Uint8Array(column.categories.length + 1);
    for (const cells of drawn) for (const cell of cells) present[column.codes[cell] ?? 0] = 1;
    const dimmed = dimmedFlags(column, state);
    const shown = model.categoriesOf
      .value(column)
      .filter((_, code) => present[code] === 1 && dimmed?.[code] !== 1);
    const entries: Entry[] = ordered(shown, state.classOrder).map(({ name, color }) => ({
      name: formatCategory(name),
      color: parseColor(color),
    }));
    if (missing > 0 && dimmed?.[column.categories.length] !== 1)
      entries.push({ name: 'no value', color: MISSING, quiet: true });
    const others = dimmed ? present.reduce((sum, flag, code) => sum + (flag & (dimmed[code] ?? 0)), 0) : 0;
    if (others > 0)
      entries.push({
        name: `${counted(others, 'other category', 'other categories')}, dimmed`,
        color: faded(DIMMED_ALPHA / 255, model.dark.value),
        quiet: true,
      });
    return { kind: 'categories', label: column.name, entries };
  }
  if (layer.kind === 'blend') {
    const corners = cornersOf(model.dark.value);
    const genes = layer.parts.map(({ gene }) => gene);
    const entries: Entry[] = [];
    // Single genes first, then their mixtures.
    for (const size of [1, 2, 3])
      for (let bits = 1; bits < 1 << genes.length; bits++) {
        const together = genes.filter((_, at) => bits & (1 << at));
        if (together.length === size)
          entries.push({ name: together.join(' + '), color: corners[bits] ?? MISSING });
      }
    if (missing > 0) entries.push(withoutValue(missing, model.noun.value));
    return { kind: 'categories', label: 'genes', entries };
  }
  const [low, high] = model.range.value;
  const scale = model.scale.value;
  // If a single section is shown, use the values of its cells.
  const { summary } = model.valuesInScope.value ?? layer;
  const { min, max } = summary;
  const colors = Array.from(
    { length: STEPS },
    (_, i) => parseCssColor(scale.css(low + (i / (STEPS - 1)) * (high - low))) ?? MISSING,
  );
  const entries: Entry[] = [];
  if (state.dimZeros)
    entries.push({ name: 'zero', color: faded(DIMMED_ZERO, model.dark.value), quiet: true });
  if (missing > 0) entries.push(withoutValue(missing, model.noun.value));
  const notes = [
    ...(layer.color.kind === 'score' ? [`mean of ${meaningOf(model, layer).noun}`] : []),
    ...(state.scale === 'log1p' ? ['colors by log(1 + value)'] : []),
  ];
  return {
    kind: 'values',
    label: layer.label,
    colors,
    // "≤" and "≥" mark limits beyond which there are values.
    limits: [
      `${min < low ? '≤ ' : ''}${formatWithin(low, high - low)}`,
      `${max > high ? '≥ ' : ''}${formatWithin(high, high - low)}`,
    ],
    note: notes.length > 0 ? notes.join('; ') : null,
    entries,
  };
}

/** The gray of dimmed cells on the background. */
function faded(opacity: number, dark: boolean): Rgb {
  const ground = dark ? GROUND.dark : GROUND.light;
  return MISSING.map((channel, at) =>
    Math.round(opacity * channel + (1 - opacity) * (ground[at] ?? 0)),
  ) as unknown as Rgb;
}

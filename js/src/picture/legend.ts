import { MISSING_COLOUR, parseColour, parseCssColour, type Rgb } from '../lib/colour';
import { formatClass, formatValue } from '../lib/format';
import { cornersOf } from '../state/blend';
import { ordered } from '../state/class-colours';
import { hiddenFlags } from '../state/layer';
import { meaningOf } from '../state/meaning';
import type { Model } from '../state/model';
import { hiddenOf } from '../state/view-state';

export interface Entry {
  name: string;
  color: Rgb;
  /** For what is no class of its own. */
  quiet?: boolean;
}

/** What the colours of the tissue mean. */
export type Legend =
  | { kind: 'classes'; label: string; entries: Entry[] }
  | {
      kind: 'values';
      label: string;
      /** Evenly spaced in the values, from the lower to the upper limit. */
      colors: Rgb[];
      limits: readonly [string, string];
      /** What the limits do not tell: the scale of the colours. */
      note: string | null;
      entries: Entry[];
    };

const STEPS = 32;
const MISSING = parseColour(MISSING_COLOUR);

/** Null where nothing colours the tissue. Classes stand in the order of the panel; the hidden ones are left out. */
export function legendOf(model: Model): Legend | null {
  const layer = model.layer.value;
  const state = model.state.value;
  if (layer.kind === 'none') return null;
  if (layer.kind === 'category') {
    const { column } = layer;
    const flags = hiddenFlags(column, hiddenOf(state, column.name));
    const shown = model.classes.value(column).filter((_, code) => flags[code] !== 1);
    const entries: Entry[] = ordered(shown, model.state.value.classOrder).map(({ name, color }) => ({
      name: formatClass(name),
      color: parseColour(color),
    }));
    if (column.missing > 0 && flags[column.categories.length] !== 1)
      entries.push({ name: 'no value', color: MISSING, quiet: true });
    return { kind: 'classes', label: column.name, entries };
  }
  if (layer.kind === 'blend') {
    const corners = cornersOf(model.dark.value);
    const genes = layer.parts.map(({ gene }) => gene);
    const entries: Entry[] = [];
    // Single genes first, then what they make together.
    for (const size of [1, 2, 3])
      for (let bits = 1; bits < 1 << genes.length; bits++) {
        const together = genes.filter((_, at) => bits & (1 << at));
        if (together.length === size)
          entries.push({ name: together.join(' + '), color: corners[bits] ?? MISSING });
      }
    return { kind: 'classes', label: 'genes', entries };
  }
  const [low, high] = model.range.value;
  const scale = model.scale.value;
  // Of the section that is shown, where one is.
  const { values, summary } = model.here.value ?? layer;
  const { min, max } = summary;
  const colors = Array.from(
    { length: STEPS },
    (_, i) => parseCssColour(scale.css(low + (i / (STEPS - 1)) * (high - low))) ?? MISSING,
  );
  const missing = values.some((value) => !Number.isFinite(value));
  const grey = [state.dimZeros && 'zero', missing && 'no value'].filter(Boolean).join(', ');
  const notes = [
    ...(layer.color.kind === 'score' ? [`mean of ${meaningOf(model, layer).noun}`] : []),
    ...(state.scale === 'log1p' ? ['colours by log(1 + value)'] : []),
  ];
  return {
    kind: 'values',
    label: layer.label,
    colors,
    // The colours end at the limits; the values may not.
    limits: [`${min < low ? '≤ ' : ''}${formatValue(low)}`, `${max > high ? '≥ ' : ''}${formatValue(high)}`],
    note: notes.length > 0 ? notes.join('; ') : null,
    entries: grey ? [{ name: grey, color: MISSING, quiet: true }] : [],
  };
}

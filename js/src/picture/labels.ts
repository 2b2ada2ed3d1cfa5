import type { Positions } from '../data/bundle';
import type { CategoryValues } from '../data/column-values';
import { project } from '../lib/camera';
import { type CategoryPlaces, categoryPlaces } from '../lib/category-places';
import { formatCategory } from '../lib/format';
import { withoutOverlap } from '../lib/label-layout';
import { dimmedFlags, flagsOf } from '../state/color/layer';
import type { Model } from '../state/model';
import { hiddenOf } from '../state/view-state';
import type { Measure } from './marks';
import { fitted, oneLine } from './text';

/** The name of a category, drawn on its cells. Coordinates are in CSS pixels of the view. */
export interface Label {
  text: string;
  /** Horizontal center */
  x: number;
  /** Baseline */
  y: number;
}

export const LABEL = { size: 12, weight: 600, widest: 180 } as const;
const HEIGHT = 16;
const MARGIN = 8;
/** Distance from the middle of a line to its baseline, in CSS pixels. */
const BASELINE = 4;

const known = new WeakMap<Float32Array, { codes: CategoryValues['codes']; found: CategoryPlaces }>();

/**
 * Returns the places of the names of categories. Caches those of the last column for each set of positions,
 * because labels are laid out at every move of the view.
 */
function cachedPlaces({ coords, extent }: Positions, { codes, categories }: CategoryValues): CategoryPlaces {
  const last = known.get(coords);
  if (last?.codes === codes) return last.found;
  const found = categoryPlaces(coords, extent, codes, categories.length);
  known.set(coords, { codes, found });
  return found;
}

/** Returns the annotation to label: the one that colors the cells, else the one that summarizes a gene. */
export function labeledColumn({ layer, group }: Pick<Model, 'layer' | 'group'>): CategoryValues | null {
  return layer.value.kind === 'category' ? layer.value.column : group.value;
}

/** Returns the names of the categories in view that are neither hidden nor dimmed; small categories give way to large ones. */
export function labelsOf(model: Model, measure: Measure): readonly Label[] {
  const view = model.view.value;
  const positions = model.positions.value;
  const column = labeledColumn(model);
  if (!model.state.value.labels || !view || !positions || !column) return [];
  const { places, counts } = cachedPlaces(positions, column);
  const colors = model.layer.value.kind === 'category';
  const hidden = flagsOf(column, colors ? hiddenOf(model.state.value, column.name) : []);
  const dimmed = colors ? dimmedFlags(column, model.state.value) : null;
  const shown = [...counts.keys()]
    .filter((code) => counts[code] !== 0 && hidden[code] !== 1 && dimmed?.[code] !== 1)
    .sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0));
  const labels = shown.map((code) => {
    const [x, y] = project(view, places[2 * code] ?? Number.NaN, places[2 * code + 1] ?? Number.NaN);
    const name = oneLine(formatCategory(column.categories[code]?.name ?? null));
    const text = fitted(name, LABEL.widest, LABEL.size, LABEL.weight, measure);
    return { text, x, y, width: measure(text, LABEL.size, LABEL.weight) + MARGIN, height: HEIGHT };
  });
  // Lay out all labels, not only those in view: a label must not jump while the view moves.
  return withoutOverlap(labels).flatMap((place, at) => {
    const { text = '', width = 0 } = labels[at] ?? {};
    if (!place) return [];
    const [x, y] = place;
    const inside =
      x >= width / 2 && x <= view.width - width / 2 && y >= HEIGHT / 2 && y <= view.height - HEIGHT / 2;
    return inside ? [{ text, x, y: y + BASELINE }] : [];
  });
}

import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { CategoryValues } from '../../data/column-values';
import type { GeneOrder } from '../../data/gene-search';
import { type Summary, summarizeColumn, summarizeGene } from '../../data/summary';
import { type Colormap, type ColorScale, colorScale } from '../../lib/colormap';
import type { Numbers } from '../../lib/numbers';
import type { BundleModel } from '../bundle-model';
import type { LayoutModel } from '../layout/layout-model';
import { isDistance } from '../selection/distance-columns';
import type { StateModel } from '../state-model';
import type { ViewState } from '../view-state';
import { type CategoriesOf, categoriesWith, type Emphasis, type Paint, paintOf } from './category-colors';
import { type GeneSet, geneSetsOf } from './gene-sets';
import { grouped, groupsOf } from './groups';
import { groupedLayer, type Layer, NO_LAYER, visibleTest } from './layer';
import { type Cells, cellsWhere, packedIn, type Scope, scopeOf } from './scope';

export interface ColorModel {
  /** Loaded values that color the tissue, as in the bundle. */
  readonly loadedLayer: Signal<Layer>;
  /** The shown values: the loaded values, with categories combined into groups. */
  readonly layer: ReadonlySignal<Layer>;
  /** Why the last color could not be loaded. */
  readonly problem: Signal<Error | null>;
  /** Gene sets of the view. */
  readonly geneSets: ReadonlySignal<readonly GeneSet[]>;
  readonly recentGenes: Signal<readonly string[]>;
  /** Order of genes in the search list. */
  readonly geneOrder: Signal<GeneOrder>;
  /** Whether categories are compared by distributions of their values rather than by means. */
  readonly spread: Signal<boolean>;
  /** Categories under the pointer in a legend. */
  readonly emphasis: Signal<Emphasis | null>;
  /** Cells with coordinates in the current layout of sections; null if all cells have them. */
  readonly scope: ReadonlySignal<Scope | null>;
  /** Visible cells: with coordinates and not in a hidden category; null if all are visible. */
  readonly shown: ReadonlySignal<Cells | null>;
  /** Values of the layer within the scope, and their summary; null if the layer has no numeric values. */
  readonly valuesInScope: ReadonlySignal<{ values: Numbers; summary: Summary } | null>;
  readonly range: ReadonlySignal<readonly [number, number]>;
  /** Color map in use, with `auto` resolved. */
  readonly colormap: ReadonlySignal<Colormap>;
  readonly scale: ReadonlySignal<ColorScale>;
  /** The annotation by which cells are grouped, with groups of its categories; null until it is loaded. */
  readonly group: ReadonlySignal<CategoryValues | null>;
  /** Categories with their current colors; `column.categories` has those of the bundle. */
  readonly categoriesOf: ReadonlySignal<CategoriesOf>;
  /** Appearance of the categories of the layer; null if it has none. */
  readonly paint: ReadonlySignal<Paint | null>;
}

export function createColorModel({
  state,
  positions,
  loaded,
  bundle,
}: StateModel & Pick<LayoutModel, 'positions'> & Pick<BundleModel, 'loaded' | 'bundle'>): ColorModel {
  const loadedLayer = signal<Layer>(NO_LAYER);
  const groups = computed(() => state.value.groups);
  const layer = computed(() => groupedLayer(loadedLayer.value, groups.value));
  const emphasis = signal<Emphasis | null>(null);
  const hidden = computed(() => state.value.hidden);
  const isolated = computed(() => state.value.isolated);
  const scopes = createScopes(state, { positions, layer, hidden });
  const palette = computed(() => state.value.palette);
  const classColors = computed(() => state.value.classColors);
  const categoriesOf = computed(() =>
    categoriesWith({ palette: palette.value, classColors: classColors.value }),
  );
  const groupBy = computed(() => state.value.groupBy);
  const ownSets = computed(() => state.value.geneSets);
  return {
    loadedLayer,
    layer,
    problem: signal<Error | null>(null),
    geneSets: computed(() => geneSetsOf(ownSets.value, bundle.value)),
    recentGenes: signal<readonly string[]>([]),
    geneOrder: signal<GeneOrder>('file'),
    spread: signal(false),
    emphasis,
    ...scopes,
    ...createScale(state, { layer, valuesInScope: scopes.valuesInScope }),
    group: computed(() => {
      const column = groupBy.value === null ? undefined : loaded.value.get(groupBy.value);
      return column?.kind === 'category'
        ? grouped(column, groupsOf({ groups: groups.value }, column.name))
        : null;
    }),
    categoriesOf,
    paint: computed(() => {
      if (layer.value.kind !== 'category') return null;
      const { column } = layer.value;
      const shown = { hidden: hidden.value, isolated: isolated.value };
      return paintOf(column, categoriesOf.value(column), shown, emphasis.value);
    }),
  };
}

/** Derives which cells are placed and visible, and their values. */
function createScopes(
  state: ReadonlySignal<ViewState>,
  {
    positions,
    layer,
    hidden,
  }: Pick<LayoutModel, 'positions'> &
    Pick<ColorModel, 'layer'> & { hidden: ReadonlySignal<ViewState['hidden']> },
): Pick<ColorModel, 'scope' | 'shown' | 'valuesInScope'> {
  const layout = computed(() => state.value.layout);
  const scope = computed(() => {
    const placed = positions.value;
    const target = layout.value;
    if (!placed || (target.kind !== 'section' && target.kind !== 'sections')) return null;
    return scopeOf(target.kind === 'section' ? target.name : 'sections shown', placed.coords);
  });
  return {
    scope,
    shown: computed(() => {
      const coords = layout.value.kind === 'tissue' ? undefined : positions.value?.coords;
      const visible = visibleTest(layer.value, { hidden: hidden.value });
      if (!coords && !visible) return null;
      const total = (positions.value?.coords.length ?? 0) / 2;
      return cellsWhere(
        total,
        (cell) => !Number.isNaN(coords?.[2 * cell] ?? 0) && (!visible || visible(cell)),
      );
    }),
    valuesInScope: computed(() => {
      if (layer.value.kind !== 'value') return null;
      const { values, summary, color } = layer.value;
      if (!scope.value) return { values, summary };
      const packed = packedIn(values, scope.value);
      const isGene = color.kind !== 'annotation';
      return { values: packed, summary: (isGene ? summarizeGene : summarizeColumn)(packed) };
    }),
  };
}

/** Derives how numeric values are mapped to colors. */
function createScale(
  state: ReadonlySignal<ViewState>,
  { layer, valuesInScope }: Pick<ColorModel, 'layer' | 'valuesInScope'>,
): Pick<ColorModel, 'range' | 'colormap' | 'scale'> {
  const chosenMap = computed(() => state.value.colormap);
  const chosenRange = computed(() => state.value.range);
  const reversed = computed(() => state.value.reversed);
  const log = computed(() => state.value.scale === 'log1p');
  const colormap = computed((): Colormap => {
    if (chosenMap.value !== 'auto') return chosenMap.value;
    const { lower, upper } = layer.value.kind === 'value' ? layer.value.summary : { lower: 0, upper: 1 };
    return lower < 0 && upper > 0 ? 'rdbu' : 'viridis';
  });
  const range = computed<readonly [number, number]>(() => {
    if (chosenRange.value) return chosenRange.value;
    if (layer.value.kind !== 'value') return [0, 1];
    const { lower, upper } = valuesInScope.value?.summary ?? layer.value.summary;
    // For signed values, center the range at zero, even in a section without negative values: white means zero.
    if (colormap.value !== 'rdbu' || layer.value.summary.lower >= 0) return [lower, upper];
    const sides = [Math.abs(lower), Math.abs(upper)];
    // Cells far from a region would leave those at its border pale: the nearer side determines the limits.
    const near = layer.value.color.kind === 'annotation' && isDistance(layer.value.color.column);
    const far = near && lower < 0 && upper > 0 ? Math.min(...sides) : Math.max(...sides);
    return [-far, far];
  });
  return {
    range,
    colormap,
    scale: computed(() =>
      colorScale({ map: colormap.value, reversed: reversed.value, log: log.value, range: range.value }),
    ),
  };
}

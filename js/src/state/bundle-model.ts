import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Bundle } from '../data/bundle';
import type { CellNames } from '../data/cell-ids';
import type { ColumnInfo, ColumnValues } from '../data/column-values';
import { type Noun, nounOf } from '../lib/counts';
import { distanceColumns } from './selection/distance-columns';
import type { SelectionModel } from './selection/selection-model';

/** The open bundle and the annotations read from it. */
export interface BundleModel {
  readonly bundle: Signal<Bundle | null>;
  /** What each row represents. */
  readonly noun: ReadonlySignal<Noun>;
  /** Annotations of the bundle. */
  readonly storedColumns: Signal<readonly ColumnInfo[]>;
  /** Annotations of the bundle, followed by the distances to the borders of regions. */
  readonly columns: ReadonlySignal<readonly ColumnInfo[]>;
  /** Columns whose values are loaded, for the tooltip and the summaries by category. */
  readonly loaded: Signal<ReadonlyMap<string, ColumnValues>>;
  readonly cellNames: Signal<CellNames | null>;
}

export function createBundleModel({ regions }: Pick<SelectionModel, 'regions'>): BundleModel {
  const bundle = signal<Bundle | null>(null);
  const storedColumns = signal<readonly ColumnInfo[]>([]);
  return {
    bundle,
    noun: computed(() => nounOf(bundle.value?.manifest.observations)),
    storedColumns,
    columns: computed(() => {
      const stored = storedColumns.value;
      const distances = distanceColumns(regions.value, stored);
      return distances.length > 0 ? [...stored, ...distances] : stored;
    }),
    loaded: signal<ReadonlyMap<string, ColumnValues>>(new Map()),
    cellNames: signal<CellNames | null>(null),
  };
}

export function keepColumn(model: Pick<BundleModel, 'loaded'>, column: ColumnValues): void {
  if (model.loaded.value.get(column.name) === column) return;
  model.loaded.value = new Map(model.loaded.value).set(column.name, column);
}

export function forgetColumn(model: Pick<BundleModel, 'loaded'>, name: string): void {
  const others = new Map(model.loaded.value);
  if (others.delete(name)) model.loaded.value = others;
}

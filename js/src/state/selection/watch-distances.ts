import { batch, effect, untracked } from '@preact/signals';
import { forgetColumn } from '../bundle-model';
import type { ColorLoader } from '../color/color-loader';
import type { Model } from '../model';
import { firstColor } from '../save/first-view';
import { update } from '../state-model';
import type { ViewState } from '../view-state';
import { tissueUm } from './border';
import { distanceColumn, isDistance, regionOf } from './distance-columns';
import type { Region } from './selection';

export interface DistanceWatch {
  /** Restores the current color (distances to a region that does not exist yet) once that region is set. */
  awaitColor(): void;
  dispose(): void;
}

/** Recomputes distances when the outline of their region or the unit changes; follows renamed regions. */
export function watchDistances(model: Model, color: Pick<ColorLoader, 'load'>): DistanceWatch {
  let awaited: Pick<ViewState, 'color' | 'range'> | null = null;
  let known: readonly Region[] = [];
  let unit: number | null = null;
  const sameOutline = (region: Region | undefined) =>
    region && model.regions.value.find(({ outline }) => outline === region.outline);

  const renew = (column: string, changed: boolean) => {
    const before = regionOf(known, column);
    const now = regionOf(model.regions.value, column);
    if (!changed && now && now.outline === before?.outline) return;
    forgetColumn(model, column);
    const shown = model.state.value.color;
    if (shown.kind !== 'annotation' || shown.column !== column) return;
    const next = now ?? sameOutline(before);
    update(model, {
      color: next
        ? { kind: 'annotation', column: distanceColumn(next.name) }
        : firstColor(model.columns.value),
    });
    // A failure is reported by `model.problem`.
    color.load(model.state.value.color).catch(() => {});
  };

  const check = (regions: readonly Region[], um: number | null) =>
    batch(() => {
      const { color: shown } = model.state.value;
      const names = new Set(model.loaded.value.keys());
      if (shown.kind === 'annotation') names.add(shown.column);
      const stored = new Set(model.storedColumns.value.map(({ name }) => name));
      for (const name of names)
        if (isDistance(name) && !stored.has(name) && regionOf(known, name)) renew(name, um !== unit);
      known = regions;
      unit = um;
      if (awaited?.color.kind !== 'annotation' || !regionOf(regions, awaited.color.column)) return;
      update(model, awaited);
      color.load(awaited.color).catch(() => {});
      awaited = null;
    });

  const dispose = effect(() => {
    const regions = model.regions.value;
    const um = tissueUm(model);
    untracked(() => check(regions, um));
  });
  return {
    awaitColor() {
      const { color: wanted, range } = model.state.value;
      awaited = { color: wanted, range };
    },
    dispose,
  };
}

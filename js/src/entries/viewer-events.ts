import { effect, untracked } from '@preact/signals';
import type { Disposer } from '../lib/disposer';
import type { Model } from '../state/model';
import { cellCount } from '../state/selection/selection-actions';
import { publicRegion } from './public-regions';
import type { Viewer, ViewerEvents } from './viewer-api';

/** Listeners of a viewer, by event. */
export interface Listeners extends Pick<Viewer, 'on'> {
  emit<K extends keyof ViewerEvents>(event: K, detail: ViewerEvents[K]): void;
  has(event: keyof ViewerEvents): boolean;
}

export function createListeners(): Listeners {
  const handlers = new Map<string, Set<(detail: never) => void>>();
  return {
    on(event, handler) {
      const registered = handlers.get(event) ?? new Set();
      handlers.set(event, registered.add(handler));
      return () => registered.delete(handler);
    },
    emit(event, detail) {
      for (const handler of [...(handlers.get(event) ?? [])]) {
        try {
          // Signals that a handler reads are not tracked, and its errors are not the viewer's.
          untracked(() => (handler as (value: typeof detail) => void)(detail));
        } catch (thrown) {
          reportError(thrown);
        }
      }
    },
    has: (event) => (handlers.get(event)?.size ?? 0) > 0,
  };
}

/** Emits an event for each change of the model; `ready` is emitted by the viewer. */
export function emitChanges(model: Model, { emit, has }: Listeners, disposer: Disposer): void {
  const reported = new WeakSet<Error>();
  const effects: (() => void)[] = [
    () => emit('state', model.state.value),
    () => {
      const hover = model.hover.value;
      const names = model.cellNames.value;
      emit('hover', hover ? { cell: hover.cell, id: names?.(hover.cell) ?? '' } : null);
    },
    () => {
      const status = model.status.value;
      if (status.kind === 'error') emit('error', status.error);
    },
    () => {
      if (model.problem.value) emit('error', model.problem.value);
    },
    () => {
      for (const error of model.notices.value) {
        if (reported.has(error)) continue;
        reported.add(error);
        emit('error', error);
      }
    },
    () => {
      const selection = model.selection.value;
      // Copy the mask (one byte per cell) only if there are listeners.
      if (has('selection'))
        emit('selection', { mask: selection?.mask.slice() ?? null, count: selection?.count ?? 0 });
    },
    () => {
      const regions = model.regions.value;
      if (!has('regions')) return;
      emit(
        'regions',
        regions.map((region) => publicRegion(region, cellCount(model))),
      );
    },
    () => {
      if (model.drawn.value > 0) emit('drawn', undefined);
    },
  ];
  for (const emitChange of effects) disposer.add(effect(emitChange));
}

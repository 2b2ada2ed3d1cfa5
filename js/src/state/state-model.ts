import type { Signal } from '@preact/signals';
import { merged, type ViewState } from './view-state';

export interface StateModel {
  readonly state: Signal<ViewState>;
}

/** Sets fields whose values are already loaded; `createApply` loads them first. Ignores invalid values. */
export function update(model: StateModel, change: Partial<ViewState>): void {
  model.state.value = merged(model.state.value, change);
}

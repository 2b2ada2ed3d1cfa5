import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { type StateModel, update } from './state-model';
import type { Theme } from './view-state';

/** How cells and page are displayed, whatever the color. */
export interface DisplayModel {
  readonly systemDark: Signal<boolean>;
  readonly dark: ReadonlySignal<boolean>;
}

export interface DisplayActions {
  setPointSize(factor: number): void;
  setOpacity(opacity: number): void;
  setTheme(theme: Theme): void;
  /** Sets the width of the panel, in CSS pixels. */
  setPanelWidth(width: number): void;
  setSystemDark(dark: boolean): void;
}

export function createDisplayModel({ state }: StateModel): DisplayModel {
  const theme = computed(() => state.value.theme);
  const systemDark = signal(false);
  return {
    systemDark,
    dark: computed(() => (theme.value === 'auto' ? systemDark.value : theme.value === 'dark')),
  };
}

export function createDisplayActions(model: StateModel & DisplayModel): DisplayActions {
  return {
    setPointSize: (pointSize) => update(model, { pointSize }),
    setOpacity: (opacity) => update(model, { opacity }),
    setTheme: (theme) => update(model, { theme }),
    setPanelWidth: (panelWidth) => update(model, { panelWidth }),
    setSystemDark(dark) {
      model.systemDark.value = dark;
    },
  };
}

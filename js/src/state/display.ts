import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { BundleModel } from './bundle-model';
import { type StateModel, update } from './state-model';
import type { Theme } from './view-state';

/** How cells and page are displayed, whatever the color. */
export interface DisplayModel {
  readonly systemDark: Signal<boolean>;
  readonly dark: ReadonlySignal<boolean>;
  /** Title of the view, else the dataset name; empty before the bundle is open. */
  readonly title: ReadonlySignal<string>;
}

export interface DisplayActions {
  setPointSize(factor: number): void;
  setOpacity(opacity: number): void;
  /** Sets the title of the view; null or a blank title for the dataset name. */
  setTitle(title: string | null): void;
  setLabels(labels: boolean): void;
  setTheme(theme: Theme): void;
  /** Sets the width of the panel, in CSS pixels. */
  setPanelWidth(width: number): void;
  setSystemDark(dark: boolean): void;
}

export function createDisplayModel({
  state,
  bundle,
}: StateModel & Pick<BundleModel, 'bundle'>): DisplayModel {
  const title = computed(() => state.value.title);
  const theme = computed(() => state.value.theme);
  const systemDark = signal(false);
  return {
    systemDark,
    title: computed(() => title.value ?? bundle.value?.manifest.dataset_name ?? ''),
    dark: computed(() => (theme.value === 'auto' ? systemDark.value : theme.value === 'dark')),
  };
}

export function createDisplayActions(
  model: StateModel & DisplayModel & Pick<BundleModel, 'bundle'>,
): DisplayActions {
  return {
    setPointSize: (pointSize) => update(model, { pointSize }),
    setOpacity: (opacity) => update(model, { opacity }),
    setTitle(given) {
      const title = given?.trim() || null;
      update(model, { title: title === model.bundle.value?.manifest.dataset_name ? null : title });
    },
    setLabels: (labels) => update(model, { labels }),
    setTheme: (theme) => update(model, { theme }),
    setPanelWidth: (panelWidth) => update(model, { panelWidth }),
    setSystemDark(dark) {
      model.systemDark.value = dark;
    },
  };
}

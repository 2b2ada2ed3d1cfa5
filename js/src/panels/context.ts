import { useComputed } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Pictures } from '../picture/pictures';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import type { ViewState } from '../state/view-state';
import type { Download } from './save/download';

export interface PanelContext {
  model: Model;
  actions: Actions;
  pictures: Pictures;
  retry: () => void;
  download: Download;
}

export const Panels = createContext<PanelContext | null>(null);

export function usePanels(): PanelContext {
  const context = useContext(Panels);
  if (!context) throw new Error('A panel was rendered outside Panels.Provider.');
  return context;
}

/** Returns one field of the view state. Reading the whole state would re-render on every camera movement. */
export function useView<K extends keyof ViewState>(field: K): ViewState[K] {
  const { model } = usePanels();
  return useComputed(() => model.state.value[field]).value;
}

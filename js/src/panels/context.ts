import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Pictures } from '../picture/pictures';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';

export interface PanelContext {
  model: Model;
  actions: Actions;
  pictures: Pictures;
  retry: () => void;
}

export const Panels = createContext<PanelContext | null>(null);

export function usePanels(): PanelContext {
  const context = useContext(Panels);
  if (!context) throw new Error('A panel was rendered outside its viewer.');
  return context;
}

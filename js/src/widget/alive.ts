/** Widgets of this package whose models exist on this page, for code that shows them without a widget manager of its own. */

/** Widget manager of the notebook application, as far as it is used here. */
export interface Manager {
  get_model(id: string): Promise<unknown>;
  create_view(model: unknown): Promise<unknown>;
}

/** Global registry: each widget and the extension load their own copy, possibly another version, of this module. */
const KEY = Symbol.for('karospace.models');
const CHANGED = 'karospace:models';

/** Managers by model id; null for a widget that was closed. */
function models(): Map<string, Manager | null> {
  const page = globalThis as unknown as Record<symbol, Map<string, Manager | null> | undefined>;
  page[KEY] ??= new Map();
  return page[KEY];
}

function put(id: string, manager: Manager | null): void {
  models().set(id, manager);
  document.dispatchEvent(new CustomEvent(CHANGED, { detail: id }));
}

export const announce = (id: string, manager: Manager): void => put(id, manager);
export const retract = (id: string): void => put(id, null);

/** Returns the manager of a widget; null if the widget was closed, undefined if its model does not exist (yet). */
export const managerOf = (id: string): Manager | null | undefined => models().get(id);

/** Calls `listener` with the id of each model that is created or closed. Returns a function that removes it. */
export function onModels(listener: (id: string) => void): () => void {
  const handle = (event: Event) => listener((event as CustomEvent<string>).detail);
  document.addEventListener(CHANGED, handle);
  return () => document.removeEventListener(CHANGED, handle);
}

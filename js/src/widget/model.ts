import { say } from './say';

/** What a notebook gives a widget's module: the part of anywidget's model that is used here. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, listener: (...args: never[]) => void): void;
  off(event: string, listener: (...args: never[]) => void): void;
  /** False where the manager knows that the kernel's side is gone. */
  comm_live?: boolean;
  widget_manager?: { get_model?(id: string): Promise<Model> };
}

export type Custom = Record<string, unknown> & { type?: string };
type Listener = (message: Custom, buffers: Uint8Array[]) => void;
const LOOK_AFTER_MS = 50;

/** Finds the model behind `IPY_MODEL_…`. */
export async function modelOf(model: Model, reference: unknown): Promise<Model> {
  const id = String(reference).replace('IPY_MODEL_', '');
  const find = model.widget_manager?.get_model;
  if (!find)
    throw new Error('This notebook does not let a widget find its parts (widget_manager.get_model).');
  return find.call(model.widget_manager, id);
}

/** Returns the channel of a widget; null, with a note in the element, if it was closed while the page created it. */
export async function channelOf(model: Model, element: HTMLElement): Promise<Model | null> {
  if (!model.widget_manager?.get_model) return modelOf(model, model.get('_channel'));
  try {
    return await modelOf(model, model.get('_channel'));
  } catch {
    element.textContent = say('This widget was closed. Run the cell again.');
    return null;
  }
}

/** Listens to custom messages; buffers come as bytes, whatever the host makes of them. */
export function onCustom(model: Model, listener: Listener): () => void {
  const handle = (message: Custom, buffers?: readonly unknown[]) => {
    if (message && typeof message === 'object') listener(message, (buffers ?? []).map(asBytes));
  };
  model.on('msg:custom', handle as (...args: never[]) => void);
  return () => model.off('msg:custom', handle as (...args: never[]) => void);
}

function asBytes(buffer: unknown): Uint8Array {
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  if (ArrayBuffer.isView(buffer)) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  return new Uint8Array(0);
}

/** A copy that may be given away: hosts keep views on larger buffers. */
export function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

export function onChange(model: Model, name: string, listener: () => void): () => void {
  model.on(`change:${name}`, listener);
  return () => model.off(`change:${name}`, listener);
}

/** Calls `listener` when the page knows that no kernel stands behind these models: none did, or it is lost. */
export function onLost(models: readonly Model[], element: HTMLElement, listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Models that the manager hands out say it themselves; others leave it to a class on the output.
  const isLost = () =>
    models.some((model) => model.comm_live === false) || element.closest('.jupyter-widgets-disconnected');
  const look = () => {
    clearTimeout(timer);
    // The class comes after the event and after what is drawn.
    timer = setTimeout(() => {
      if (!element.isConnected) look();
      else if (isLost()) listener();
    }, LOOK_AFTER_MS);
  };
  look();
  for (const model of models) model.on('comm_live_update', look);
  return () => {
    clearTimeout(timer);
    for (const model of models) model.off('comm_live_update', look);
  };
}

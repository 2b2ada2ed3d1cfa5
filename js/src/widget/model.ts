import type { Plain } from '../contract/plain';
import type { ToKernel } from '../contract/to-kernel';
import type { ToPage } from '../contract/to-page';
import { say } from './translate';

/** Widget model that the notebook application passes to the module; the part of anywidget's interface used here. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: Sent, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, listener: (...args: never[]) => void): void;
  off(event: string, listener: (...args: never[]) => void): void;
  /** False if the widget manager knows that the kernel side is gone. */
  comm_live?: boolean;
  widget_manager?: { get_model?(id: string): Promise<Model> };
}

/** Message to the kernel. */
export type Sent = Plain<ToKernel>;

/** Event that a viewer without a kernel dispatches to ask the surrounding page to run its cell again. */
export const RECONNECT = 'karospace:reconnect';

export type Listener = (message: ToPage, buffers: Uint8Array[]) => void;
const LOOK_AFTER_MS = 50;

/** Resolves a reference such as `IPY_MODEL_…` to its model. */
export async function modelOf(model: Model, reference: unknown): Promise<Model> {
  const id = String(reference).replace('IPY_MODEL_', '');
  const find = model.widget_manager?.get_model;
  if (!find)
    throw new Error(
      'This notebook application does not support nested widgets (no widget_manager.get_model). Use another one, such as JupyterLab.',
    );
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

/**
 * Listens to custom messages. Converts buffers of any type to bytes. Messages are not checked: the kernel is trusted, and
 * has the same version.
 */
export function onCustom(model: Model, listener: Listener): () => void {
  const handle = (message: ToPage, buffers?: readonly unknown[]) => {
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

/** Copies bytes so that they can be transferred: hosts may pass views on larger buffers. */
export function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

export function onChange(model: Model, name: string, listener: () => void): () => void {
  model.on(`change:${name}`, listener);
  return () => model.off(`change:${name}`, listener);
}

/** Calls `listener` when these models turn out to have no kernel: there never was one, or it is lost. */
export function onLost(models: readonly Model[], element: HTMLElement, listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Models from a widget manager have `comm_live`; otherwise a class on the output marks the loss.
  const isLost = () =>
    models.some((model) => model.comm_live === false) || element.closest('.jupyter-widgets-disconnected');
  const look = () => {
    clearTimeout(timer);
    // The class is set after the event and after rendering.
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

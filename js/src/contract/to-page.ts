// Generated from karospace_jupyter/contracts/to-page.schema.json by `npm run contract`. Do not edit.
import type { Values } from './manifest';
import type { Regions } from './to-kernel';
import type { ViewState } from './view';

export type ToPage =
  | Hi
  | Part
  | Refused
  | Opened
  | SetState
  | LiveChanged
  | Select
  | Regions
  | TakeSnapshot
  | Started
  | Canceling
  | Noted
  | Hits
  | Viewed;
export type JsonValue = unknown;

/**
 * Answers :class:`Hello`. One buffer of one byte.
 */
export interface Hi {
  type: 'hi';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
  /**
   * Number of buffers that arrived.
   */
  buffers: number;
}
/**
 * Part of the bytes that answer a request, in one buffer.
 */
export interface Part {
  type: 'part';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
  index: number;
  /**
   * Number of parts.
   */
  count: number;
  /**
   * Number of bytes of all parts.
   */
  total: number;
}
/**
 * Answers a request that failed.
 */
export interface Refused {
  type: 'refused';
  /**
   * ID of a request, repeated by its answer.
   */
  id?: string | null;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
  tag: 'failed' | 'not-found';
  message: string;
}
/**
 * Answers :class:`Open`.
 */
export interface Opened {
  type: 'opened';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
  /**
   * None if the bundle, or the viewer, determines the initial state.
   */
  state: ViewState | null;
  /**
   * Number of genes of the live object; 0 if there is none.
   */
  live: number;
}
/**
 * Changes fields of the state.
 */
export interface SetState {
  type: 'set';
  /**
   * ID of a request, repeated by its answer.
   */
  id?: string | null;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
  state: ViewState;
}
/**
 * Describes what the live object provides after a change: genes that were read before may be outdated.
 */
export interface LiveChanged {
  type: 'live';
  /**
   * ID of a request, repeated by its answer.
   */
  id?: string | null;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
  /**
   * Columns that are read from the object, as in the manifest; they replace those of the bundle by name.
   */
  columns: {
    [k: string]: JsonValue;
  }[];
  /**
   * The matrix, if the values of genes may have changed, too.
   */
  matrix: LiveMatrix | null;
}
/**
 * The matrix that genes of the live object are read from, instead of that of the bundle.
 */
export interface LiveMatrix {
  /**
   * `X`, `layer:NAME` or `raw`.
   */
  source: string;
  values: Values;
}
/**
 * Changes the selection. One buffer: one bit per cell; none for no selection.
 */
export interface Select {
  type: 'select';
  /**
   * ID of a request, repeated by its answer.
   */
  id?: string | null;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
}
/**
 * Requests an image of the viewer.
 */
export interface TakeSnapshot {
  type: 'snapshot';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
}
/**
 * Answers :class:`Start`.
 */
export interface Started {
  type: 'started';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
}
/**
 * Answers :class:`Cancel`.
 */
export interface Canceling {
  type: 'canceling';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
}
/**
 * Answers :class:`ChangeOptions`.
 */
export interface Noted {
  type: 'noted';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
}
/**
 * Answers :class:`CompleteGene`.
 */
export interface Hits {
  type: 'hits';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
  genes: string[];
}
/**
 * Answers :class:`MakeView`.
 */
export interface Viewed {
  type: 'viewed';
  id: string;
  /**
   * Frame that sends or receives the message; missing for forms, and for a message to all frames of a view.
   */
  view?: string | null;
  /**
   * Whether the sender cannot receive buffers.
   */
  plain?: boolean;
  /**
   * The buffers, if the receiver cannot receive them separately.
   */
  base64?: string[] | null;
  /**
   * ID of the widget model of the viewer.
   */
  model: string;
}

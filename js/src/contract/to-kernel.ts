// Generated from karospace_jupyter/contracts/to-kernel.schema.json by `npm run contract`. Do not edit.
import type { ViewState } from './view';

export type ToKernel =
  | Hello
  | Here
  | Open
  | Gone
  | Read
  | StateChanged
  | SelectionChanged
  | Regions
  | SnapshotTaken
  | Close
  | ChangeOptions
  | Start
  | Cancel
  | CompleteGene
  | Download
  | MakeView;
export type JsonValue = unknown;

/**
 * Tests whether buffers arrive; it has one buffer, and so does its answer.
 */
export interface Hello {
  type: 'hello';
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
 * The page has created a widget.
 */
export interface Here {
  type: 'here';
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
 * A frame opens a view.
 */
export interface Open {
  type: 'open';
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
 * A frame is closed.
 */
export interface Gone {
  type: 'gone';
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
 * Requests a file of the bundle, the page of the viewer, or a gene of the live object.
 *
 * To compare two groups of cells, one buffer holds a bit per cell for each group.
 */
export interface Read {
  type: 'read';
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
  path: string;
}
/**
 * The state of a frame has changed.
 */
export interface StateChanged {
  type: 'state';
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
  /**
   * Whether the change came from outside the frame, so that other frames already have it.
   */
  echo?: boolean;
}
/**
 * The selection has changed. One buffer: one bit per cell; none if nothing is selected.
 */
export interface SelectionChanged {
  type: 'selection';
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
 * All regions, in either direction. One buffer per region: one bit per cell.
 */
export interface Regions {
  type: 'regions';
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
  names: string[];
  /**
   * `#rrggbb` for each region; empty if the viewer chooses the color.
   */
  colors: string[];
  /**
   * Outline of each region, as in a saved view; empty if the region was not drawn as one line.
   */
  outlines: number[][];
}
/**
 * Answers a request for a snapshot. One buffer: the image as PNG; none if there is no image.
 */
export interface SnapshotTaken {
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
  /**
   * Why there is no image.
   */
  message?: string;
}
/**
 * Closes the widget.
 */
export interface Close {
  type: 'close';
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
 * Changes options of a form.
 */
export interface ChangeOptions {
  type: 'options';
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
  options: {
    [k: string]: JsonValue;
  };
  /**
   * Number of the change; the estimate repeats it.
   */
  revision: number;
}
/**
 * Changes options and starts the export.
 */
export interface Start {
  type: 'start';
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
  options: {
    [k: string]: JsonValue;
  };
  revision: number;
}
/**
 * Cancels the export.
 */
export interface Cancel {
  type: 'cancel';
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
 * Requests suggestions for a partial gene name.
 */
export interface CompleteGene {
  type: 'genes';
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
  query: string;
}
/**
 * Requests the bundle as one file.
 */
export interface Download {
  type: 'download';
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
  kind: 'html' | 'zip';
}
/**
 * Creates a viewer of the last export.
 */
export interface MakeView {
  type: 'view';
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

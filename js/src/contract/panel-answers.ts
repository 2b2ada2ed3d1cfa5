// Generated from karospace_jupyter/contracts/panel-answers.schema.json by `npm run contract`. Do not edit.

/**
 * The answer to each request. Any request may fail, and long work is first answered with a ticket.
 */
export interface PanelAnswers {
  form: Made;
  file: Made;
  new_view: Made;
  view_of: Made;
  known: Known;
  verify: Verified;
  delete: Done;
  answer: Made | Verified | Ticket | Failed;
}
/**
 * A widget.
 */
export interface Made {
  /**
   * Its model id.
   */
  model: string;
}
/**
 * Whether a widget exists.
 */
export interface Known {
  known: boolean;
}
/**
 * The bundle is undamaged.
 */
export interface Verified {
  files: number;
}
/**
 * The request succeeded and has no result.
 */
export interface Done {}
/**
 * The request takes a long time; its result is requested with this ticket.
 */
export interface Ticket {
  ticket: string;
}
/**
 * An error, sent as data because a traceback would not be shown.
 */
export interface Failed {
  error: string;
  /**
   * Name of its class.
   */
  kind: string;
}

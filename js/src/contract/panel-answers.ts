// Generated from karospace_jupyter/contracts/panel-answers.schema.json by `npm run contract`. Do not edit.

/**
 * The answer to each request. Any request may fail, and long work is first answered by a ticket.
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
 * A bundle without damage.
 */
export interface Verified {
  files: number;
}
/**
 * Nothing to report.
 */
export interface Done {}
/**
 * The work takes long; ask again for its result.
 */
export interface Ticket {
  ticket: string;
}
/**
 * An error, because nobody would see a traceback.
 */
export interface Failed {
  error: string;
  /**
   * Name of its class.
   */
  kind: string;
}

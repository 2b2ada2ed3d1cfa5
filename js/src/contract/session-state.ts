// Generated from karospace_jupyter/contracts/session-state.schema.json by `npm run contract`. Do not edit.

/**
 * State of an export.
 */
export interface SessionState {
  status: 'idle' | 'running' | 'done' | 'failed' | 'cancelled';
  /**
   * Name of the current stage, as shown to users: "Writing genes".
   */
  stage: string;
  /**
   * Progress of the whole export, from 0 to 1; never decreases during an export.
   */
  progress: number;
  /**
   * One line: the progress of the stage, or the outcome of the export.
   */
  message: string;
  /**
   * Seconds left; None if unknown.
   */
  eta_s: number | null;
  /**
   * Why the export failed, and what to do.
   */
  error: string | null;
  /**
   * Log lines, each starting with the time since the start.
   */
  log: string[];
}

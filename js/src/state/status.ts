import { type Signal, signal } from '@preact/signals';

export type Status =
  | { kind: 'loading'; label: string; done: number; total: number }
  | { kind: 'ready' }
  | { kind: 'error'; error: Error };

/** Progress of a read during which the tissue stays usable. */
export interface Task {
  label: string;
  done: number;
  total: number;
}

/** The source of the data is gone: loaded data stays, but nothing else can be loaded. */
export interface Lost {
  /** Runs the cell again; null if only the user can. */
  reconnect: (() => void) | null;
  /** What was requested last but cannot be loaded; empty if nothing was. */
  wanted: string;
}

/** What the viewer reports about its own work. */
export interface StatusModel {
  readonly status: Signal<Status>;
  readonly task: Signal<Task | null>;
  /** Failures that leave the tissue usable, such as a missing image; shown until dismissed. */
  readonly notices: Signal<readonly Error[]>;
  /** A short notice that disappears by itself; a new object each time, so that it can be repeated. */
  readonly hint: Signal<{ text: string } | null>;
  /** Why nothing can be loaded at the moment, worded to follow the name of what is loading: “is waiting for …”. */
  readonly waiting: Signal<string | null>;
  /** Set when the kernel that provides the data is gone. */
  readonly lost: Signal<Lost | null>;
  /** Number of full frames drawn. */
  readonly drawn: Signal<number>;
}

export interface StatusActions {
  setWaiting(reason: string | null): void;
  frameDrawn(): void;
  /** Adds a notice about a failure that leaves the tissue usable. */
  notify(error: Error): void;
  /** Shows a short notice that disappears by itself; null removes it. */
  hint(text: string | null): void;
  /** Removes a notice that was dismissed or whose cause is resolved. */
  dismiss(error: Error): void;
  /** Replaces the view by an error: nothing can be shown anymore. */
  fail(error: Error): void;
}

export function createStatusModel(): StatusModel {
  return {
    status: signal<Status>({ kind: 'loading', label: 'Opening the bundle', done: 0, total: 0 }),
    task: signal<Task | null>(null),
    notices: signal<readonly Error[]>([]),
    hint: signal<{ text: string } | null>(null),
    waiting: signal<string | null>(null),
    lost: signal<Lost | null>(null),
    drawn: signal(0),
  };
}

export function createStatusActions(model: StatusModel): StatusActions {
  return {
    setWaiting(reason) {
      model.waiting.value = reason;
    },
    frameDrawn() {
      model.drawn.value++;
    },
    notify: (error) => notify(model, error),
    hint(text) {
      model.hint.value = text === null ? null : { text };
    },
    dismiss(error) {
      model.notices.value = model.notices.value.filter((other) => other !== error);
    },
    fail(error) {
      model.status.value = { kind: 'error', error };
    },
  };
}

/** Adds a notice, replacing an earlier one with the same message. */
export function notify(model: Pick<StatusModel, 'notices'>, error: Error): void {
  const others = model.notices.value.filter(({ message }) => message !== error.message);
  model.notices.value = [...others, error];
}

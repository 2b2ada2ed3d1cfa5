import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Defaults, Estimate } from '../../contract/estimate';
import type { Options } from '../../contract/options';
import type { Result } from '../../contract/result';
import type { SessionState } from '../../contract/session-state';
import type { Summary } from '../../contract/summary';
import type { ToKernel } from '../../contract/to-kernel';
import type { Canceling, Hits, Noted, Part, Started, ToPage, Viewed } from '../../contract/to-page';
import { joined } from '../../lib/bytes';
import { copied, type Model, onChange, type Sent } from '../model';
import { Requests } from '../requests';
import { Wire } from '../wire';

type Status = SessionState['status'];

/** Traits of the widget as signals, and requests to the kernel. */
export interface Traits {
  readonly summary: ReadonlySignal<Summary>;
  readonly estimate: ReadonlySignal<Estimate>;
  /** What is exported if nothing is chosen. */
  readonly defaults: ReadonlySignal<Defaults>;
  /** The last export of this form; null before the first. */
  readonly result: ReadonlySignal<Result | null>;
  readonly status: ReadonlySignal<Status>;
  /** The variable that held the object of this form and now refers to another one; empty if there is none. */
  readonly other: ReadonlySignal<string>;
  readonly progress: ReadonlySignal<number>;
  readonly message: ReadonlySignal<string>;
  readonly eta: ReadonlySignal<number | null>;
  readonly error: ReadonlySignal<string | null>;
  readonly log: ReadonlySignal<readonly string[]>;
  readonly path: ReadonlySignal<string>;
  readonly view: ReadonlySignal<string>;
  readonly options: ReadonlySignal<Options>;
  /** Whether changed options have not reached the kernel yet, so that the estimate is outdated. */
  readonly pending: ReadonlySignal<boolean>;
  /** Whether the kernel has not responded for a long time. */
  readonly silent: ReadonlySignal<boolean>;
  readonly canceling: Signal<boolean>;
  /** Whether the kernel of this form has stopped or was restarted. */
  readonly lost: Signal<boolean>;
  change(part: Partial<Options>): void;
  start(): void;
  /** Returns whether this page started the last export. */
  startedHere(): boolean;
  cancel(): void;
  complete(query: string): Promise<string[]>;
  /** Creates a viewer of the last export in the kernel; returns the id of its model. */
  makeView(): Promise<string>;
  download(kind: 'html' | 'zip', progress: (share: number) => void): Promise<Uint8Array>;
  dispose(): void;
}

const SEND_AFTER_MS = 220;

/** The answer to each request. */
interface AnswerTo {
  start: Started;
  cancel: Canceling;
  options: Noted;
  genes: Hits;
  view: Viewed;
  download: Part;
}
type Request<K> = Omit<Extract<ToKernel, { type: K }>, 'id'>;

interface Waiting {
  parts: Uint8Array[];
  progress?: (share: number) => void;
  done: (message: ToPage, parts: Uint8Array[]) => void;
  fail: (error: Error) => void;
}

export function createTraits(model: Model, channel: Model): Traits {
  const ends: (() => void)[] = [];
  const trait = <T>(name: string): Signal<T> => {
    const held = signal(model.get(name) as T);
    ends.push(
      onChange(model, name, () => {
        held.value = model.get(name) as T;
      }),
    );
    return held;
  };
  const options = signal(model.get('options') as Options);
  const pending = signal(false);
  const silent = signal(false);
  const canceling = signal(false);
  const lost = signal(false);
  const status = trait<Status>('status');
  const summary = trait<Summary>('_summary');
  const estimate = trait<Estimate>('_estimate');
  /** Options changed here that the kernel has not confirmed yet. */
  const changed = new Set<keyof Options>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  let revision = estimate.value.revision;
  let lastChange = '';
  /** Prefix of request ids: several forms may share a channel, so each handles only replies to its own requests. */
  const mine = `f${Math.random().toString(36).slice(2)}-`;
  const requests = new Requests<Waiting>((waiting) => {
    silent.value = waiting;
  });

  const wire = new Wire(channel, [], (message, buffers) => {
    const key = message.id ?? '';
    if (!key.startsWith(mine)) return;
    const waiting = requests.heard(key);
    if (!waiting) return;
    if (message.type === 'part') {
      waiting.parts[message.index] = copied(buffers[0] ?? new Uint8Array(0));
      const got = waiting.parts.filter((part) => part !== undefined).length;
      waiting.progress?.(got / message.count);
      if (got < message.count) return;
    }
    requests.close(key);
    if (message.type === 'refused') waiting.fail(new Error(message.message));
    else waiting.done(message, waiting.parts);
  });
  ends.push(() => wire.dispose());
  try {
    wire.hello(() => {});
  } catch {
    silent.value = true;
  }

  const send = (message: Sent) => {
    try {
      wire.send(message);
    } catch {
      silent.value = true;
    }
  };
  const stopTimer = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const localChanges = (): Partial<Options> =>
    Object.fromEntries([...changed].map((name) => [name, options.value[name]]));
  /** Merges unconfirmed local changes over the options of the kernel. */
  const merge = () => {
    const merged = { ...(model.get('options') as Options), ...localChanges() };
    if (JSON.stringify(merged) !== JSON.stringify(options.value)) options.value = merged;
  };
  ends.push(
    onChange(model, 'options', merge),
    estimate.subscribe((now) => {
      if (timer !== undefined || now.revision < revision) return;
      pending.value = false;
      changed.clear();
      merge();
    }),
    status.subscribe((now) => {
      if (now !== 'running') canceling.value = false;
    }),
  );
  let started = false;
  const ask = <K extends keyof AnswerTo>(message: Request<K>, progress?: (share: number) => void) =>
    new Promise<{ answer: AnswerTo[K]; parts: Uint8Array[] }>((resolve, reject) => {
      const id = `${mine}${++last}`;
      const waiting: Waiting = {
        parts: [],
        done: (answer, parts) => resolve({ answer: answer as AnswerTo[K], parts }),
        fail: reject,
        ...(progress ? { progress } : {}),
      };
      requests.add(id, waiting, () => send({ ...message, id } as Sent));
    });

  return {
    summary,
    estimate,
    defaults: computed(() => estimate.value.defaults ?? summary.value.defaults),
    result: trait<Result | null>('_result'),
    status,
    other: trait<string>('_other'),
    progress: trait<number>('progress'),
    message: trait<string>('message'),
    eta: trait<number | null>('eta_s'),
    error: trait<string | null>('error'),
    log: trait<readonly string[]>('log'),
    path: trait<string>('bundle_path'),
    view: trait<string>('_view'),
    options,
    pending,
    silent,
    canceling,
    lost,
    change(part) {
      for (const name of Object.keys(part) as (keyof Options)[]) changed.add(name);
      options.value = { ...options.value, ...part } as Options;
      pending.value = true;
      clearTimeout(timer);
      timer = setTimeout(() => {
        stopTimer();
        revision++;
        // Repeat only the last change until the kernel confirms it: an earlier one would revert it.
        requests.close(lastChange);
        lastChange = `${mine}${++last}`;
        const id = lastChange;
        const ignored = { parts: [], done: () => {}, fail: () => {} };
        requests.add(id, ignored, () => send({ type: 'options', id, options: localChanges(), revision }));
      }, SEND_AFTER_MS);
    },
    startedHere: () => started,
    start() {
      started = true;
      stopTimer();
      requests.close(lastChange);
      ask<'start'>({ type: 'start', options: localChanges(), revision: ++revision }).catch(() => {});
    },
    cancel() {
      canceling.value = true;
      ask<'cancel'>({ type: 'cancel' }).catch(() => {});
    },
    async complete(query) {
      const { answer } = await ask<'genes'>({ type: 'genes', query });
      return answer.genes;
    },
    async makeView() {
      const { answer } = await ask<'view'>({ type: 'view' });
      return answer.model;
    },
    async download(kind, progress) {
      const { parts } = await ask<'download'>({ type: 'download', kind }, progress);
      return joined(parts);
    },
    dispose() {
      stopTimer();
      requests.dispose();
      for (const end of ends) end();
    },
  };
}

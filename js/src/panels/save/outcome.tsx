import { type ReadonlySignal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { asError, ViewerError } from '../../lib/errors';

/** The result of the last action. */
export interface Outcome {
  text: string;
  failed: boolean;
}

/** Runs one action at a time and reports its result. */
export function useWork(): {
  outcome: ReadonlySignal<Outcome | null>;
  run: (doing: string, work: () => Promise<string>) => Promise<void>;
} {
  const outcome = useSignal<Outcome | null>(null);
  const busy = useSignal(false);
  const run = async (doing: string, work: () => Promise<string>) => {
    if (busy.value) return;
    busy.value = true;
    outcome.value = { text: doing, failed: false };
    try {
      outcome.value = { text: await work(), failed: false };
    } catch (thrown) {
      const error = asError(thrown);
      const advice = error instanceof ViewerError ? ` ${error.advice}` : '';
      outcome.value = { text: `${error.message}${advice}`, failed: true };
    }
    busy.value = false;
  };
  return { outcome, run };
}

export function OutcomeText({ of }: { of: Outcome | null }): JSX.Element {
  return (
    <p class={`ks-save-outcome ks-break${of?.failed ? ' ks-warning' : ''}`} role="status">
      {of?.text}
    </p>
  );
}

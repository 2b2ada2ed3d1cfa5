import type { JSX } from 'preact';
import { ViewerError } from '../lib/errors';
import { usePanels } from './context';

export function Advice({ error }: { error: Error }): JSX.Element {
  const advice =
    error instanceof ViewerError
      ? error.advice
      : 'Reload the page. If it fails again, export the bundle again.';
  return (
    <>
      <p>{error.message}</p>
      {advice && <p class="ks-note">{advice}</p>}
    </>
  );
}

/** Shows why a color could not be loaded. The tissue remains usable. */
export function Problem(): JSX.Element | null {
  const { model, actions } = usePanels();
  const error = model.problem.value;
  if (!error) return null;
  return (
    <section class="ks-section ks-problem" role="alert">
      <Advice error={error} />
      <button type="button" class="ks-button" onClick={() => actions.retryColor()}>
        Try again
      </button>
    </section>
  );
}

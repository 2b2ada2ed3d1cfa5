import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { usePanels } from './context';
import { IconButton } from './icons';
import { Advice } from './problem';

/** Shows the first error as a card on the tissue while the panel is hidden. */
export function Notice({ wanted }: { wanted: boolean }): JSX.Element | null {
  const { model, actions } = usePanels();
  const read = useSignal<Error | null>(null);
  const problem = model.problem.value === read.value ? null : model.problem.value;
  const error = problem ?? model.notices.value[0];
  if (!wanted || !error) return null;
  return (
    <div class="ks-card ks-notice" role="alert">
      <div class="ks-break" title={error.message}>
        <Advice error={error} />
      </div>
      <IconButton
        icon="close"
        label="Dismiss"
        onClick={() => {
          // Only hides the card: the panel still shows why there is no color.
          if (error === problem) read.value = error;
          else actions.dismiss(error);
        }}
      />
      {error === problem && (
        <button type="button" class="ks-button" onClick={() => actions.retryColor()}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Lists all notices in the panel. */
export function Notices(): JSX.Element {
  const { model, actions } = usePanels();
  return (
    <>
      {model.notices.value.map((error) => (
        <div key={error.message} class="ks-notice-line" role="status">
          <div class="ks-note ks-break">
            <Advice error={error} />
          </div>
          <IconButton icon="close" label="Dismiss" onClick={() => actions.dismiss(error)} />
        </div>
      ))}
    </>
  );
}

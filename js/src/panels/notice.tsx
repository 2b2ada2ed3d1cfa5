import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { usePanels } from './context';
import { IconButton } from './icons';
import { Advice } from './problem';

/** What failed, on the tissue, where no panel is open to say it. */
export function Notice({ wanted }: { wanted: boolean }): JSX.Element | null {
  const { model, actions } = usePanels();
  const read = useSignal<readonly Error[]>([]);
  const problem = model.problem.value;
  const error = [problem, model.notice.value].find((one) => one !== null && !read.value.includes(one));
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
          read.value = [...read.value, error];
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

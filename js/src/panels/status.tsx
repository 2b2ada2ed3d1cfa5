import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { GraphicsError } from '../lib/errors';
import { usePanels } from './context';
import { Icon } from './icons';
import { Advice } from './problem';

export function StatusView(): JSX.Element | null {
  const { model, retry } = usePanels();
  const status = model.status.value;
  const task = model.task.value;
  if (status.kind === 'error') {
    return (
      <div class="ks-center">
        <div class="ks-card ks-message" role="alert">
          <Icon name="alert" size={24} />
          <h2>This bundle cannot be shown</h2>
          <Advice error={status.error} />
          {status.error instanceof GraphicsError && <Preview alt="Preview of the tissue" />}
          <button type="button" class="ks-button ks-primary" onClick={retry}>
            Try again
          </button>
        </div>
      </div>
    );
  }
  if (status.kind === 'loading') {
    return (
      <>
        <Progress done={status.done} total={status.total} label={status.label} />
        <Preview alt="" />
        <div class="ks-loading" role="status">
          {model.waiting.value ? `The viewer ${model.waiting.value}` : `${status.label}…`}
        </div>
      </>
    );
  }
  if (task && model.waiting.value) {
    return (
      <>
        <Progress done={task.done} total={task.total} label={`Loading ${task.label}`} />
        <div class="ks-card ks-waiting" role="status">
          <strong>{task.label}</strong> {model.waiting.value}
        </div>
      </>
    );
  }
  return task ? <Progress done={task.done} total={task.total} label={`Loading ${task.label}`} /> : null;
}

/** Notes unobtrusively that the kernel is gone, and names what cannot be loaded once it is requested. */
export function LostKernel(): JSX.Element | null {
  const { model } = usePanels();
  const lost = model.lost.value;
  if (!lost) return null;
  const { wanted, reconnect } = lost;
  return (
    <div class="ks-card ks-lost" role="status">
      <span>
        {wanted ? (
          <>
            <strong>{wanted}</strong> cannot be loaded: the kernel has stopped.
          </>
        ) : (
          'Kernel disconnected'
        )}
        {wanted && !reconnect && ' Run the cell again.'}
      </span>
      {reconnect && (
        <button type="button" class="ks-button" title="Run the cell again" onClick={reconnect}>
          Reconnect
        </button>
      )}
    </div>
  );
}

function Progress({ done, total, label }: { done: number; total: number; label: string }): JSX.Element {
  const known = total > 0;
  return (
    <div
      class={`ks-progress${known ? '' : ' ks-unknown'}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known ? Math.round((done / total) * 100) : undefined}
    >
      <div style={known ? { width: `${Math.min(100, (done / total) * 100)}%` } : {}} />
    </div>
  );
}

/** The bundle's preview image, shown while the tissue loads or when it cannot be drawn. */
function Preview({ alt }: { alt: string }): JSX.Element | null {
  const { model } = usePanels();
  const blob = model.preview.value;
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url ? <img class="ks-preview" src={url} alt={alt} /> : null;
}

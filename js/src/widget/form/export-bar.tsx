import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { formatBytes, formatCount } from '../../lib/format';
import { counted, say } from '../translate';
import type { Traits } from './traits';

/** Delay before explaining why canceling takes long, in milliseconds. */
const TELL_BUSY_MS = 1000;

function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.round(seconds / 60)} min`;
}

interface Props {
  traits: Traits;
  /** Options with a problem that have no field in the form. */
  unplaced: readonly string[];
  onTab: (() => void) | null;
  /** What to do when this form no longer works. */
  advice: string;
}

/** Shows the export and cancel buttons, the progress, the estimated size and the result. */
export function Run({ traits, unplaced, onTab, advice }: Props): JSX.Element {
  const status = traits.status.value;
  const lost = traits.lost.value;
  const running = status === 'running' && !lost;
  const { problems, warnings, loses_cells } = traits.estimate.value;
  const blocked = Object.keys(problems).length > 0 && !traits.pending.value;
  const logOpen = useSignal(false);
  const log = traits.log.value;
  const shownWarnings = running || status === 'done' ? [] : warnings;
  return (
    <div class="kf-run">
      <div class="kf-bar">
        {running ? (
          <button
            type="button"
            class="kf-button"
            disabled={traits.canceling.value}
            onClick={() => traits.cancel()}
          >
            {say('Cancel')}
          </button>
        ) : (
          <button
            type="button"
            class="kf-button kf-primary"
            disabled={blocked || lost || !traits.summary.value.ready}
            onClick={() => traits.start()}
          >
            {status === 'done' ? say('Export again') : say('Export')}
          </button>
        )}
        <div class="kf-middle">
          {running ? <Progress traits={traits} /> : <Ended traits={traits} onTab={onTab} advice={advice} />}
        </div>
        {status !== 'done' && <Size traits={traits} />}
      </div>
      {unplaced.map((name) => (
        <p key={name} class="kf-problem kf-wide" role="alert">
          {name === 'object' ? problems[name] : `${name}: ${problems[name]}`}
        </p>
      ))}
      {traits.other.value && !lost && (
        <p class="kf-note" role="status">
          {say('%1 no longer refers to the object that this form exports.', traits.other.value)} {advice}
        </p>
      )}
      {shownWarnings.length > 0 && <Warnings warnings={shownWarnings} open={loses_cells} />}
      {log.length > 0 && (
        <details
          class="kf-log"
          open={logOpen.value}
          onToggle={(event) => {
            logOpen.value = event.currentTarget.open;
          }}
        >
          <summary>{say('Log')}</summary>
          {logOpen.value && <pre>{log.join('\n')}</pre>}
        </details>
      )}
    </div>
  );
}

function Warnings({ warnings, open }: { warnings: readonly string[]; open: boolean }): JSX.Element {
  return (
    <details class="kf-log" open={open}>
      <summary>{counted(warnings.length, '%1 warning', '%1 warnings')}</summary>
      <ul>
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </details>
  );
}

function Size({ traits }: { traits: Traits }): JSX.Element | null {
  const { files, bytes, seconds } = traits.estimate.value;
  if (traits.status.value === 'done' || files === 0) return null;
  const running = traits.status.value === 'running';
  return (
    <span class={`kf-size${traits.pending.value ? ' kf-stale' : ''}`}>
      {files === 1
        ? say('1 file · about %1', formatBytes(bytes))
        : say('%1 files · about %2', formatCount(files), formatBytes(bytes))}
      {!running && ` · ≈ ${duration(seconds)}`}
    </span>
  );
}

function Progress({ traits }: { traits: Traits }): JSX.Element {
  const share = Math.round(traits.progress.value * 1000) / 10;
  const eta = traits.eta.value;
  const late = useSignal(false);
  const canceling = traits.canceling.value;
  useEffect(() => {
    late.value = false;
    if (!canceling) return;
    const timer = setTimeout(() => {
      late.value = true;
    }, TELL_BUSY_MS);
    return () => clearTimeout(timer);
  }, [canceling, late]);
  const message = !canceling
    ? traits.message.value
    : late.value
      ? say('The kernel is busy with a cell. The export will be canceled when the cell finishes.')
      : say('Canceling…');
  return (
    <>
      <div class="kf-line">
        <span class="kf-clip" role="status">
          {message}
        </span>
        {eta !== null && !canceling && <span class="kf-figures">{say('%1 left', duration(eta))}</span>}
      </div>
      <div
        class="kf-track"
        role="progressbar"
        aria-label={say('Export')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share)}
      >
        <div style={{ width: `${share}%` }} />
      </div>
    </>
  );
}

function Ended({ traits, onTab, advice }: Omit<Props, 'unplaced'>): JSX.Element | null {
  const status = traits.status.value;
  const error = traits.lost.value
    ? `${say('The kernel has stopped or was restarted, so this form no longer works.')} ${advice}`
    : traits.error.value;
  if (error) {
    return (
      <p class="kf-problem" role="alert">
        {error}
      </p>
    );
  }
  if (status === 'cancelled') return <p class="kf-note">{traits.message.value}</p>;
  const result = traits.result.value;
  if (status !== 'done' || !result) return null;
  const { bytes, files, folder, warnings } = result;
  return (
    <div class="kf-done">
      <span role="status">
        <strong>{say('Done')}</strong> · {counted(files, '%1 file', '%1 files')} · {formatBytes(bytes)}
        {folder ? (
          <>
            {' · '}
            <code title={traits.path.value}>{folder}</code>
          </>
        ) : (
          ` · ${say('in memory')}`
        )}
      </span>
      <span class="kf-links">
        {onTab && (
          <button type="button" onClick={onTab}>
            {say('Open in tab')}
          </button>
        )}
        <Download traits={traits} kind="html" text="HTML" />
        <Download traits={traits} kind="zip" text="Zip" />
      </span>
      {warnings.length > 0 && <Warnings warnings={warnings} open={traits.estimate.value.loses_cells} />}
    </div>
  );
}

function Download(props: { traits: Traits; kind: 'html' | 'zip'; text: string }): JSX.Element {
  const { traits, kind, text } = props;
  const share = useSignal<number | null>(null);
  const problem = useSignal('');
  const run = async () => {
    share.value = 0;
    problem.value = '';
    try {
      const bytes = await traits.download(kind, (part) => {
        share.value = part;
      });
      const type = kind === 'zip' ? 'application/zip' : 'text/html';
      const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
      const link = document.createElement('a');
      const name = (traits.result.value?.name ?? 'tissue').replace(/[^\p{L}\p{N}._-]+/gu, '_');
      link.href = url;
      link.download = `${name}.${kind}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (thrown) {
      problem.value = thrown instanceof Error ? thrown.message : String(thrown);
    } finally {
      share.value = null;
    }
  };
  return (
    <button
      type="button"
      disabled={share.value !== null}
      title={problem.value || say('Download the bundle as one %1 file', text)}
      onClick={() => void run()}
    >
      {problem.value ? say('%1 download failed', text) : text}
      {share.value !== null && ` ${Math.floor(share.value * 100)}%`}
    </button>
  );
}

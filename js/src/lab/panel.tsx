import { type Signal, useSignal } from '@preact/signals';
import { type JSX, render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { formatBytes, formatCount } from '../lib/format';
import { type Place, renderForm } from '../widget/form/export-form';
import type { Model } from '../widget/model';
import type { Say } from '../widget/translate';
import type { Followed } from './active-kernel';
import { type Found, sameVersion } from './calls';
import type { Exported } from './exports';

/** Form that is open in the panel. */
export interface OpenForm {
  label: string;
  /** Name of the notebook, console or file to which it belongs. */
  of: string;
  model: Model;
  place: Place;
}

/** Object or file that is being opened. */
export interface Opening {
  label: string;
  /** Id of its kernel; empty while the kernel starts. */
  kernel: string;
  /** Cancels opening. */
  stop: AbortController;
}

export interface PanelModel {
  readonly followed: Signal<Followed>;
  readonly form: Signal<OpenForm | null>;
  /** Label of the last form that was closed; empty if none. */
  readonly left: string;
  readonly opening: Signal<Opening | null>;
  readonly problem: Signal<string>;
  /** Problem to show in the list of exports. */
  readonly exportProblem: Signal<string>;
  /** Whether the application has a file browser that can show a folder. */
  readonly canReveal: boolean;
  readonly exports: Signal<readonly Exported[]>;
  /** Version of the front-end part of the package. */
  readonly version: string;
  refresh(): void;
  /** Opens the export form of an object. */
  open(found: Found): Promise<void>;
  /** Opens a view of an object in a tab, without an export. */
  view(found: Found): void;
  leaveForm(): Promise<boolean>;
  act(what: ExportAction, exported: Exported): void;
}

export type ExportAction = 'open' | 'reveal' | 'copy' | 'verify' | 'delete' | 'forget';

const time = (at: Date) => at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

export function renderPanel(model: PanelModel, element: HTMLElement, say: Say): () => void {
  render(<Panel model={model} say={say} />, element);
  return () => render(null, element);
}

function Panel({ model, say }: { model: PanelModel; say: Say }): JSX.Element {
  const form = model.form.value;
  return (
    <div class="kl-panel">
      <Alert text={model.problem} say={say} />
      <OpeningLine model={model} say={say} />
      {form ? (
        <FormPart key={form.label} model={model} form={form} say={say} />
      ) : (
        <Objects model={model} say={say} />
      )}
      <Exports model={model} say={say} />
    </div>
  );
}

function Alert({ text, say }: { text: Signal<string>; say: Say }): JSX.Element | null {
  if (!text.value) return null;
  const dismiss = () => {
    text.value = '';
  };
  return (
    <p class="kl-problem" role="alert">
      {text.value}
      <button type="button" aria-label={say('Dismiss')} onClick={dismiss}>
        ×
      </button>
    </p>
  );
}

/** Shows what is being opened, whichever notebook is active, with a button to cancel it. */
function OpeningLine({ model, say }: { model: PanelModel; say: Say }): JSX.Element | null {
  const opening = model.opening.value;
  if (!opening) return null;
  return (
    <p class="kl-opening" role="status">
      <span>{say('Opening %1…', opening.label)}</span>
      <button type="button" class="kl-link" onClick={() => opening.stop.abort()}>
        {say('Cancel')}
      </button>
    </p>
  );
}

function Objects({ model, say }: { model: PanelModel; say: Say }): JSX.Element {
  const now = model.followed.value;
  const opening = model.opening.value;
  const left = useRef(model.left);
  const mine = (found: Found) => opening?.label === found.label && opening.kernel === now.kernel;
  return (
    <section aria-label={say('AnnData objects')}>
      <header class="kl-head">
        <h2 class={now.name ? '' : 'kl-caps'} title={now.name ?? ''}>
          {now.name ?? say('AnnData objects')}
        </h2>
        {now.name && (
          <button
            type="button"
            class="kl-icon"
            title={say('Refresh the list')}
            aria-label={say('Refresh the list')}
            onClick={() => model.refresh()}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M20 12a8 8 0 1 1-2.4-5.7M20 3v5h-5" />
            </svg>
          </button>
        )}
      </header>
      <Notice model={model} say={say} />
      {now.objects.length > 0 && (
        <ul class="kl-list">
          {now.objects.map((found) => (
            <li key={found.label} class="kl-object">
              <button
                type="button"
                class="kl-row"
                disabled={mine(found) || blocked(now)}
                ref={left.current === found.label ? comeBack : undefined}
                title={say('Export %1', found.label)}
                onClick={() => void model.open(found)}
              >
                <span class="kl-name">{found.label}</span>
                <span class="kl-figures">
                  {formatCount(found.cells)} × {formatCount(found.genes)}
                </span>
                <span class={found.coordinates ? 'kl-found' : 'kl-note'}>
                  {mine(found)
                    ? now.busy
                      ? say('opens when the running cell finishes')
                      : say('opening…')
                    : found.coordinates
                      ? say('coordinates found')
                      : say('no coordinates with common names')}
                </span>
              </button>
              <span class="kl-choices">
                <button
                  type="button"
                  class="kl-link"
                  disabled={mine(found) || blocked(now)}
                  title={say('View %1 in a tab, without an export', found.label)}
                  onClick={() => model.view(found)}
                >
                  {say('View')}
                </button>
                <button
                  type="button"
                  class="kl-link"
                  disabled={mine(found) || blocked(now)}
                  title={say('Open the export form of %1', found.label)}
                  onClick={() => void model.open(found)}
                >
                  {say('Export')}
                </button>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Restores the keyboard focus that was in the form that has just been closed. */
const comeBack = (button: HTMLElement | null) => {
  if (button && document.activeElement === document.body) button.focus({ preventScroll: true });
};

const blocked = (now: Followed) => now.version === null;

/** Explains in one sentence why there is no list and what to do. */
function Notice({ model, say }: { model: PanelModel; say: Say }): JSX.Element | null {
  const now = model.followed.value;
  const note = (text: string) => (
    <p class="kl-note" role="status">
      {text}
    </p>
  );
  if (now.state === 'none')
    return note(say('Open a notebook or console to list the AnnData objects of its kernel.'));
  if (now.state === 'no kernel')
    return note(say('No kernel is running. Select a kernel to list its objects.'));
  if (now.state === 'dead') return note(say('The kernel has stopped. Restart it to list its objects.'));
  if (now.state === 'foreign')
    return note(say('This kernel does not run Python, so it has no AnnData objects.'));
  if (now.problem) return note(say('The objects could not be listed: %1', now.problem));
  if (now.state === 'starting')
    return note(
      now.busy ? say('The kernel is busy. Objects are listed when it is idle.') : say('Starting the kernel…'),
    );
  const busy = now.busy && now.at ? say('Kernel busy; list as of %1', time(now.at)) : '';
  if (now.objects.length === 0)
    return note(busy || say('No AnnData objects in this kernel yet. Load one: adata = anndata.read_h5ad(…)'));
  if (now.version === null)
    return (
      <p class="kl-problem" role="alert">
        {say(
          'karospace-jupyter is not installed in the kernel’s environment. Run this in a cell, then restart the kernel:',
        )}
        <code>%pip install karospace-jupyter=={model.version}</code>
      </p>
    );
  if (!sameVersion(now.version, model.version))
    return (
      <p class="kl-problem" role="alert">
        {say(
          'This panel has version %1, but the kernel has %2. Run this in a cell, then restart the kernel:',
          model.version,
          now.version,
        )}
        <code>%pip install karospace-jupyter=={model.version}</code>
      </p>
    );
  return busy ? note(busy) : null;
}

function FormPart({ model, form, say }: { model: PanelModel; form: OpenForm; say: Say }): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const failed = useSignal('');
  // Move the keyboard focus to the new form.
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    let end: (() => void) | null = null;
    let gone = false;
    renderForm(form.model, element, form.place).then(
      (dispose) => {
        if (gone) dispose();
        else end = dispose;
      },
      (thrown) => {
        failed.value = thrown instanceof Error ? thrown.message : String(thrown);
      },
    );
    return () => {
      gone = true;
      end?.();
    };
  }, [form, failed]);
  return (
    <section aria-label={form.label}>
      <header class="kl-head">
        <button
          type="button"
          class="kl-icon"
          title={say('Back to the list')}
          aria-label={say('Back to the list')}
          onClick={() => void model.leaveForm()}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M15 5l-7 7 7 7" />
          </svg>
        </button>
        <h2 tabIndex={-1} ref={heading}>
          {form.label}
          {form.of !== '' && form.of !== form.label && <span class="kl-of"> · {form.of}</span>}
        </h2>
      </header>
      {failed.value && (
        <p class="kl-problem" role="alert">
          {failed.value}
        </p>
      )}
      <div class="kl-form" ref={holder} />
    </section>
  );
}

const ICONS: Record<ExportAction, string> = {
  open: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  reveal: 'M3 6h6l2 3h10v10H3z',
  copy: 'M8 8h12v12H8zM4 16V4h12',
  verify: 'M5 13l4 4L19 7',
  delete: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  forget: 'M6 6l12 12M18 6L6 18',
};

function Exports({ model, say }: { model: PanelModel; say: Say }): JSX.Element | null {
  const exports = model.exports.value;
  if (exports.length === 0) return null;
  const labels: Record<ExportAction, string> = {
    open: say('Open in tab'),
    reveal: say('Show in file browser'),
    copy: say('Copy path'),
    verify: say('Verify files'),
    delete: say('Delete from disk'),
    forget: say('Remove from list'),
  };
  const actions = (Object.keys(ICONS) as ExportAction[]).filter((one) => one !== 'reveal' || model.canReveal);
  return (
    <section aria-label={say('Exports')} class="kl-exports">
      <header class="kl-head">
        <h2 class="kl-caps">{say('Exports')}</h2>
      </header>
      <Alert text={model.exportProblem} say={say} />
      <ul class="kl-list">
        {exports.map((one) => (
          <li key={one.path} class="kl-export">
            <span class="kl-name" title={one.path}>
              {one.title}
            </span>
            <span class="kl-note">
              <span class="kl-path" title={one.path}>
                {one.path.split(/[\\/]/).pop()}
              </span>
              {' · '}
              {formatBytes(one.bytes)} · {time(new Date(one.at))}
              {one.checked && ` · ${one.checked}`}
            </span>
            <span class="kl-actions">
              {actions.map((action) => (
                <button
                  key={action}
                  type="button"
                  class="kl-icon"
                  title={labels[action]}
                  aria-label={`${labels[action]}: ${one.title}`}
                  disabled={action === 'reveal' && one.folder === ''}
                  onClick={() => model.act(action, one)}
                >
                  <svg viewBox="0 0 24 24" aria-hidden="true">
                    <path d={ICONS[action]} />
                  </svg>
                </button>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

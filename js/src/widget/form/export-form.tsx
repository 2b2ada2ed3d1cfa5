import { useSignal } from '@preact/signals';
import { type JSX, render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Options } from '../../contract/options';
import { isSaveKey, pressSaveKey } from '../../lib/save-key';
import { type Box, createBox, openTab } from '../box';
import type { Frame } from '../frame';
import { channelOf, type Model, modelOf, onLost } from '../model';
import { isDark, onTheme } from '../theme';
import { counted, say } from '../translate';
import { More } from './advanced';
import { Columns } from './annotation-field';
import { Coordinates } from './coordinates';
import { Run } from './export-bar';
import { Field, TextInput } from './fields';
import fields from './fields.css';
import base from './form.css';
import { Genes } from './gene-field';
import narrow from './narrow.css';
import run from './run.css';
import { createTraits, type Traits } from './traits';

/** `narrow` overrides the other styles, so it must come last. */
const CSS = [base, fields, run, narrow].join('');

/** Where the form shows the problem of an option: at its field under “More options” or above; null without a field. */
const SHOWN_AT = {
  outdir: 'above',
  single_file: null,
  zip_path: null,
  coords: 'above',
  um_per_unit: 'more',
  annotation_columns: 'above',
  sections: 'more',
  embeddings: 'more',
  proportions: null,
  genes_mode: 'above',
  packed: 'more',
  markers: 'more',
  gene_sets: null,
  image_path: 'more',
  neighbors: 'more',
  downsample: 'more',
  seed: 'more',
  gzip: null,
  max_asset_mb: 'more',
  dataset_name: 'more',
  scripts: 'more',
  tables: null,
  host: 'more',
  color: 'more',
  view: 'more',
  embed_origins: null,
  preview: null,
  layer: 'more',
  raw: null,
  matrices: 'more',
  jobs: 'more',
  memory_mb: 'more',
} satisfies Record<keyof Options, 'more' | 'above' | null>;
const placeOf = (problem: string) =>
  Object.hasOwn(SHOWN_AT, problem) ? SHOWN_AT[problem as keyof Options] : null;

const COUNTED = {
  cells: (count: number) => counted(count, '%1 cell', '%1 cells'),
  spots: (count: number) => counted(count, '%1 spot', '%1 spots'),
  bins: (count: number) => counted(count, '%1 bin', '%1 bins'),
};

function Head({ traits }: { traits: Traits }): JSX.Element {
  const { n_cells: cells, n_genes: genes, observations, facts, ready } = traits.summary.value;
  return (
    <header class="kf-head">
      <h2>{say('Export to KaroSpace')}</h2>
      <span>
        {[`${COUNTED[observations](cells)} × ${counted(genes, '%1 gene', '%1 genes')}`, ...facts].join(' · ')}
        {!ready && ` · ${say('Inspecting…')}`}
      </span>
      {traits.silent.value && !traits.lost.value && (
        <span class="kf-silent" role="status">
          {say('Waiting for the kernel…')}
        </span>
      )}
    </header>
  );
}

/** Host of the form that shows viewers in its own place instead of below the form. */
export interface Place {
  /** Whether it needs a viewer connected to the kernel; otherwise it reads the files of the bundle itself. */
  live: boolean;
  /** Shows a bundle; called after each export and when the user opens it again. */
  show(exported: {
    view: string;
    title: string;
    /** Absolute path in the kernel's file system; empty for a bundle in memory. */
    path: string;
    /** Path relative to the kernel's working directory. */
    folder: string;
    /** All spellings of the path. */
    places: readonly string[];
    created: string;
    bytes: number;
  }): void | Promise<void>;
  /** Returns whether another page also shows this form. */
  others(): Promise<boolean>;
}

interface Props {
  model: Model;
  channel: Model;
  traits: Traits;
  place: Place | null;
}

function Form({ model, channel, traits, place: elsewhere }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const shown = useRef<{ view: Model; box: Box } | null>(null);
  const tabs = useRef<Frame[]>([]);
  const failed = useSignal('');
  const open = useSignal(false);
  const view = traits.view.value;
  useEffect(() => {
    if (!view) return;
    let stale = false;
    modelOf(model, view).then(
      (found) => {
        const holder = place.current;
        if (stale || !holder) return;
        shown.current?.box.dispose();
        const box = createBox(found, channel);
        holder.append(box.element);
        shown.current = { view: found, box };
      },
      (thrown) => {
        failed.value = String(thrown);
      },
    );
    return () => {
      stale = true;
      shown.current?.box.dispose();
      shown.current = null;
    };
  }, [view, model, channel, failed]);
  useEffect(
    () => () => {
      for (const tab of tabs.current) tab.dispose();
    },
    [],
  );
  const number = traits.result.value?.number ?? 0;
  const seen = useRef(number);
  const showElsewhere = () => {
    const result = traits.result.value;
    if (!elsewhere || !result) return;
    const made = elsewhere.live ? traits.makeView() : Promise.resolve('');
    made.then(
      (view) => {
        failed.value = '';
        const { name, path, folder, bytes, places, created } = result;
        void elsewhere.show({ view, title: name, path, folder, places, created, bytes });
      },
      (thrown) => {
        failed.value = thrown instanceof Error ? thrown.message : String(thrown);
      },
    );
  };
  useEffect(() => {
    if (number <= seen.current) return;
    seen.current = number;
    // A duplicated window shows the same form; open the viewer only where Export was clicked.
    if (traits.startedHere()) showElsewhere();
    else void elsewhere?.others().then((others) => !others && showElsewhere());
  });
  const onTab = () => {
    if (elsewhere) {
      showElsewhere();
      return;
    }
    const tab = shown.current && openTab(shown.current.view, channel);
    if (tab) tabs.current.push(tab);
    failed.value = tab
      ? ''
      : say('The browser blocked the new tab. Allow pop-ups for this page, or download the HTML file.');
  };
  const { problems, exists } = traits.estimate.value;
  const { outdir } = traits.options.value;
  const { help } = traits.summary.value;
  const wrongInMore = Object.keys(problems).some((name) => placeOf(name) === 'more');
  const unplaced = Object.keys(problems).filter((name) => placeOf(name) === null);
  const { silent } = traits;
  return (
    <div class={`kf-card${silent.value ? ' kf-quiet' : ''}`}>
      <Head traits={traits} />
      <div class="kf-fields">
        <div class="kf-column">
          <Coordinates traits={traits} />
          <Columns traits={traits} />
        </div>
        <div class="kf-column">
          <Genes traits={traits} />
          <Field label={say('Folder')} help={help.outdir} problem={problems.outdir}>
            {({ id, describedBy }) => (
              <TextInput
                id={id}
                describedBy={describedBy}
                value={outdir ?? ''}
                placeholder={say('Leave empty to keep it in memory')}
                note={outdir ? (exists ? say('replaces existing bundle') : say('new')) : say('in memory')}
                onChange={(value) => traits.change({ outdir: value || null })}
              />
            )}
          </Field>
          <details
            class="kf-details"
            open={open.value || wrongInMore}
            onToggle={(event) => {
              open.value = event.currentTarget.open;
            }}
          >
            <summary>
              <span class="kf-label">{say('More options')}</span>
              {!open.value && (
                <span class="kf-note">{say('Layer, image, sections, cells, name, compression')}</span>
              )}
            </summary>
            <More traits={traits} />
          </details>
        </div>
      </div>
      <Run
        traits={traits}
        unplaced={unplaced}
        onTab={view || (elsewhere && number > 0) ? onTab : null}
        advice={elsewhere ? say('Go back and choose the data again.') : say('Run the cell again.')}
      />
      {failed.value && <p class="kf-problem kf-wide">{failed.value}</p>}
      <div class="kf-view" ref={place} />
    </div>
  );
}

/** Adds the styles and a root element to `element`; the theme follows the notebook application. */
export function styled(element: HTMLElement): { root: HTMLElement; dispose: () => void } {
  const style = document.createElement('style');
  style.textContent = CSS;
  const root = document.createElement('div');
  root.className = 'kf-root';
  const theme = () => {
    root.dataset.theme = isDark() ? 'dark' : 'light';
  };
  theme();
  const end = onTheme(theme);
  // Notebook applications listen to keys everywhere; typing here must not trigger their shortcuts.
  root.dataset.lmSuppressShortcuts = 'true';
  const keep = (event: KeyboardEvent) => {
    event.stopPropagation();
    // Pass on only the save shortcut, once per press: it must save the notebook from here, too.
    if (isSaveKey(event) && (event.repeat || pressSaveKey())) event.preventDefault();
  };
  root.addEventListener('keydown', keep);
  element.append(style, root);
  return {
    root,
    dispose() {
      end();
      root.removeEventListener('keydown', keep);
      root.remove();
      style.remove();
    },
  };
}

export async function renderForm(
  model: Model,
  element: HTMLElement,
  place: Place | null = null,
): Promise<() => void> {
  const channel = await channelOf(model, element);
  if (!channel) return () => {};
  const { root, dispose } = styled(element);
  const traits = createTraits(model, channel);
  const end = onLost([model, channel], root, () => {
    traits.lost.value = true;
  });
  render(<Form model={model} channel={channel} traits={traits} place={place} />, root);
  return () => {
    end();
    render(null, root);
    traits.dispose();
    dispose();
  };
}

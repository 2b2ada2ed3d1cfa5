import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { AnnotationPanel } from './annotation-panel';
import { ColorTabs, type Tab, tabOf } from './color-tabs';
import { usePanels } from './context';
import { Display } from './display';
import { GenePanel } from './gene-panel';
import { Help } from './help';
import { IconButton } from './icons';
import { ScaleBar } from './scale-bar';
import { StatusView } from './status';
import { nextTheme } from './theme';
import { TitleCard } from './title-card';
import { Tooltip } from './tooltip';
import { ValuePanel } from './value-panel';

/** What is open of the controls: not part of a view that one shares. */
export interface Chrome {
  panelOpen: Signal<boolean>;
  helpOpen: Signal<boolean>;
  /** Asks the gene search to take the keyboard. */
  findGene: Signal<boolean>;
}

export function App({ canvas, chrome }: { canvas: HTMLCanvasElement; chrome: Chrome }): JSX.Element {
  const { model, actions } = usePanels();
  const holder = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    holder.current?.prepend(canvas);
  }, [canvas]);
  const { theme } = model.state.value;
  const ready = model.status.value.kind === 'ready';
  const open = chrome.panelOpen.value;
  return (
    <div class={`ks-app${open ? ' ks-open' : ''}`}>
      <div class="ks-stage">
        <div class="ks-canvas-holder" ref={holder} />
        <div class="ks-top">
          <TitleCard />
          <div class="ks-card ks-actions">
            <IconButton
              icon={theme === 'auto' ? 'auto' : theme === 'dark' ? 'moon' : 'sun'}
              label={`Theme: ${theme === 'auto' ? 'as the system' : theme}`}
              shortcut="T"
              onClick={() => actions.setTheme(nextTheme(theme, model.systemDark.value))}
            />
            <IconButton
              icon="help"
              label="Keys and mouse"
              shortcut="?"
              onClick={() => {
                chrome.helpOpen.value = true;
              }}
            />
            <IconButton
              icon="panel"
              label={open ? 'Fold the panel' : 'Show the panel'}
              shortcut="P"
              pressed={open}
              onClick={() => {
                chrome.panelOpen.value = !open;
              }}
            />
          </div>
        </div>
        {ready && (
          <>
            <div class="ks-bottom">
              <ScaleBar />
              <div class="ks-card ks-zoom">
                <IconButton icon="fit" label="Show all cells" shortcut="0" onClick={() => actions.fit()} />
                <IconButton
                  icon="reset"
                  label="Reset the view"
                  shortcut="R"
                  onClick={() => actions.reset()}
                />
                <IconButton icon="plus" label="Zoom in" shortcut="+" onClick={() => actions.zoom(1.4)} />
                <IconButton
                  icon="minus"
                  label="Zoom out"
                  shortcut="−"
                  onClick={() => actions.zoom(1 / 1.4)}
                />
              </div>
            </div>
            <Tooltip />
          </>
        )}
        <StatusView />
      </div>
      {open && model.status.value.kind !== 'error' && <Panel chrome={chrome} />}
      {chrome.helpOpen.value && (
        <Help
          onClose={() => {
            chrome.helpOpen.value = false;
          }}
        />
      )}
    </div>
  );
}

function Panel({ chrome }: { chrome: Chrome }): JSX.Element {
  const { model } = usePanels();
  const { color } = model.state.value;
  const columns = model.columns.value;
  const genes = model.bundle.value?.manifest.gene_list.length ?? 0;
  const preferred = tabOf(color, columns, genes);
  const chosen = useSignal<Tab | null>(null);
  const colorKey = JSON.stringify(color);
  useLayoutEffect(() => {
    chosen.value = null;
  }, [colorKey]);
  const finding = chrome.findGene.value;
  useLayoutEffect(() => {
    if (finding) chosen.value = 'gene';
  }, [finding, chosen]);
  const tab = chosen.value ?? preferred;
  const busy = model.status.value.kind !== 'ready';
  return (
    <aside class="ks-panel" aria-label="Colour and display">
      <div class="ks-panel-scroll">
        <section class="ks-section">
          <h2 class="ks-heading">Colour</h2>
          <ColorTabs
            tab={tab}
            onTab={(next) => {
              chosen.value = next;
            }}
          />
          {!busy && tab === 'gene' && <GenePanel.Search focus={chrome.findGene} />}
          {!busy && tab === 'annotation' && <AnnotationPanel.Select />}
          {!busy && tab === 'value' && <ValuePanel.Select />}
        </section>
        {busy ? (
          <section class="ks-section" aria-hidden="true">
            {[0, 1, 2, 3, 4].map((line) => (
              <div class="ks-skeleton" key={line} />
            ))}
          </section>
        ) : (
          <>
            {tab === 'annotation' && <AnnotationPanel.Legend />}
            {tab === 'gene' && <GenePanel.Facts />}
            {tab === 'value' && <ValuePanel.Facts />}
          </>
        )}
      </div>
      <Display />
    </aside>
  );
}

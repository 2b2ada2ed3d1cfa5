import type { ReadonlySignal, Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { CellCard } from './cell-card';
import { AnnotationPanel } from './color/annotation-panel';
import { ColorTabs, type Tab, tabOf } from './color/color-tabs';
import { GenePanel } from './color/gene-panel';
import { SmallLegend } from './color/small-legend';
import { ValuePanel } from './color/value-panel';
import { ComparePanel } from './compare/compare-panel';
import { DotPlot } from './compare/dot-plot';
import { type PanelContext, usePanels, useView } from './context';
import { Display } from './display';
import { Help } from './help';
import { Hint } from './hint';
import { IconButton } from './icons';
import type { IndexLinks } from './index-nav';
import { Labels } from './labels';
import { useCards } from './layout/cards';
import { Layouts } from './layout/layouts';
import { Minimap } from './layout/minimap';
import { Pointer, ScaleBar } from './layout/scale-bar';
import { SecondView } from './layout/second-view';
import { SectionTitles } from './layout/section-titles';
import { ZoomCard } from './layout/zoom-card';
import { Neighborhoods } from './neighbors/neighborhoods';
import { Notice } from './notice';
import { PanelEdge } from './panel-edge';
import { SaveMenu } from './save/save-menu';
import { ShareMenu } from './save/share-menu';
import { useCorner } from './selection/corner';
import { Highlight } from './selection/highlight';
import { Outline } from './selection/outline';
import { Regions } from './selection/regions';
import { type Room, roomFor, SelectionCard, SelectionPanel } from './selection/selection-panel';
import { Tools } from './selection/tools';
import { LostKernel, StatusView } from './status';
import { nextTheme } from './theme';
import { PlacedCount, TitleCard } from './title-card';
import { Tooltip } from './tooltip';

/** Which controls are open. Not part of a saved or shared view. */
export interface Chrome {
  panelOpen: Signal<boolean>;
  helpOpen: Signal<boolean>;
  /** Show only the tissue and a small legend: the page is embedded in another one. */
  embed: boolean;
  saveOpen: Signal<boolean>;
  /** The index from which the bundle was opened. */
  index: Signal<IndexLinks | null>;
  shareOpen: Signal<boolean>;
  /** Set to request keyboard focus for the gene search. */
  findGene: Signal<boolean>;
}

/** The second view and the element that contains its canvas. */
export interface Second {
  pane: Pick<PanelContext, 'model' | 'actions'>;
  holder: HTMLElement;
}

export function App(props: {
  canvas: HTMLCanvasElement;
  chrome: Chrome;
  second: ReadonlySignal<Second | null>;
}): JSX.Element {
  const { canvas, chrome, second } = props;
  const { model, actions } = usePanels();
  const holder = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLElement>(null);
  const corner = useCorner();
  useCards(stage, actions);
  useLayoutEffect(() => {
    holder.current?.prepend(canvas);
  }, [canvas]);
  const ready = model.status.value.kind === 'ready';
  const open = chrome.panelOpen.value && !chrome.embed;
  const room = roomFor(model.viewport.value, open);
  const openPanel = () => {
    chrome.panelOpen.value = true;
  };
  return (
    <div class={`ks-app${open ? ' ks-open' : ''}${chrome.embed ? ' ks-embed' : ''}`}>
      <section class="ks-stage" aria-label="View" ref={stage}>
        <div class="ks-canvas-holder" ref={holder} />
        <Outline />
        <Labels />
        <Highlight />
        <SectionTitles />
        <div class="ks-cards">
          {!chrome.embed && <TopCards chrome={chrome} />}
          {!chrome.embed && ready && (
            <>
              <div class="ks-left">
                <Tools canvas={canvas} />
                {room === 'card' && <SelectionCard side="left" corner={corner} onMore={openPanel} />}
              </div>
              <div class="ks-right">
                {room === 'card' && <SelectionCard side="right" corner={corner} onMore={openPanel} />}
                <div class="ks-lower-right">
                  <Minimap />
                  <ZoomCard />
                </div>
              </div>
            </>
          )}
          <div class="ks-bottom">
            <Notice wanted={!open} />
            {ready && <LostKernel />}
            {ready && <ScaleBar fixed={chrome.embed} />}
            {!chrome.embed && ready && <PlacedCount />}
            {!chrome.embed && ready && <Pointer />}
            {!chrome.embed && ready && room === 'line' && <SelectionPanel as={room} onMore={openPanel} />}
          </div>
        </div>
        {ready && <Tooltip />}
        {ready && <CellCard />}
        {ready && !chrome.embed && <DotPlot />}
        {ready && !chrome.embed && <Neighborhoods />}
        <Hint />
        <StatusView />
      </section>
      {second.value && <SecondView {...second.value} />}
      {!open && ready && <SmallLegend />}
      {open && model.status.value.kind !== 'error' && <Panel chrome={chrome} room={room} />}
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

function TopCards({ chrome }: { chrome: Chrome }): JSX.Element {
  const { model, actions } = usePanels();
  const { theme } = model.state.value;
  const ready = model.status.value.kind === 'ready';
  const open = chrome.panelOpen.value;
  return (
    <div class="ks-top">
      <TitleCard index={chrome.index.value} />
      {ready && <Layouts />}
      <div class="ks-card ks-actions">
        {ready && <ShareMenu open={chrome.shareOpen} />}
        {ready && <SaveMenu open={chrome.saveOpen} />}
        <IconButton
          icon={theme === 'auto' ? 'auto' : theme === 'dark' ? 'moon' : 'sun'}
          label={`Theme: ${theme === 'auto' ? 'system' : theme}`}
          shortcut="T"
          onClick={() => actions.setTheme(nextTheme(theme, model.systemDark.value))}
        />
        <IconButton
          icon="help"
          label="Keyboard and mouse"
          shortcut="?"
          onClick={() => {
            chrome.helpOpen.value = true;
          }}
        />
        <IconButton
          icon="panel"
          label={open ? 'Hide panel' : 'Show panel'}
          shortcut="P"
          pressed={open}
          onClick={() => {
            chrome.panelOpen.value = !open;
          }}
        />
      </div>
    </div>
  );
}

function Panel({ chrome, room }: { chrome: Chrome; room: Room }): JSX.Element {
  const { model } = usePanels();
  const id = useId();
  const { color } = model.state.value;
  const columns = model.columns.value;
  const genes = model.bundle.value?.genes.count ?? 0;
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
  const comparing = model.comparison.value !== null;
  const busy = model.status.value.kind !== 'ready';
  return (
    <aside
      class="ks-panel"
      aria-label="Color and display"
      style={{ '--panel-width': `${useView('panelWidth')}px` }}
    >
      <PanelEdge />
      <div class="ks-panel-scroll">
        {!busy && !comparing && room === 'section' && <SelectionPanel as={room} onMore={() => {}} />}
        {comparing ? (
          <ComparePanel />
        ) : (
          <>
            <section class="ks-section ks-tabs-section">
              <h2 class="ks-heading">Color</h2>
              <ColorTabs
                tab={tab}
                panel={id}
                onTab={(next) => {
                  chosen.value = next;
                }}
              />
            </section>
            <div class="ks-tabpanel" role="tabpanel" id={id} aria-labelledby={`${id}-tab`}>
              <section class="ks-section" aria-hidden={busy}>
                {busy && [0, 1, 2, 3, 4].map((line) => <div class="ks-skeleton" key={line} />)}
                {!busy && tab === 'gene' && <GenePanel.Search focus={chrome.findGene} />}
                {!busy && tab === 'annotation' && <AnnotationPanel.Select />}
                {!busy && tab === 'value' && <ValuePanel.Select />}
              </section>
              {!busy && tab === 'annotation' && <AnnotationPanel.Legend />}
              {!busy && tab === 'gene' && <GenePanel.Facts />}
              {!busy && tab === 'value' && <ValuePanel.Facts />}
            </div>
          </>
        )}
      </div>
      {!comparing && <Display />}
      {!busy && <Regions />}
    </aside>
  );
}

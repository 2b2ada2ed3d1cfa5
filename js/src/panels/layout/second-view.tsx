import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { CellCard } from '../cell-card';
import type { PanelContext } from '../context';
import { Panels, usePanels } from '../context';
import { IconButton } from '../icons';
import { Labels } from '../labels';
import { Highlight } from '../selection/highlight';
import { Outline } from '../selection/outline';
import { PlacedCount } from '../title-card';
import { Tooltip } from '../tooltip';
import { useCards } from './cards';
import { LayoutSelect } from './layouts';
import { ScaleBar } from './scale-bar';
import { SectionTitles } from './section-titles';

/** The second view: the same cells, colors, selection and pointer in another layout. */
export function SecondView({
  pane,
  holder,
}: {
  pane: Pick<PanelContext, 'model' | 'actions'>;
  holder: HTMLElement;
}): JSX.Element | null {
  const around = usePanels();
  const { model, actions } = around;
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    place.current?.prepend(holder);
  }, [holder]);
  useCards(place, pane.actions);
  const { beside } = model.state.value;
  if (!beside) return null;
  return (
    <div class="ks-beside" ref={place}>
      <Panels.Provider value={{ ...around, ...pane }}>
        <Outline />
        <Labels />
        <Highlight />
        <SectionTitles />
        <div class="ks-cards">
          <div class="ks-top">
            <div class="ks-card ks-layouts">
              <LayoutSelect label="Second view" layout={beside} onLayout={actions.setSecondLayout} />
              <IconButton icon="swap" label="Swap views" shortcut="X" onClick={() => actions.swap()} />
              <IconButton icon="fit" label="Show all cells in this view" onClick={() => pane.actions.fit()} />
              <IconButton
                icon="close"
                label="Close"
                shortcut="B"
                onClick={() => actions.setSecondLayout(null)}
              />
            </div>
          </div>
          <div class="ks-bottom">
            <ScaleBar />
            <PlacedCount />
          </div>
        </div>
        <Tooltip inSecondView />
        <CellCard inSecondView />
      </Panels.Provider>
    </div>
  );
}

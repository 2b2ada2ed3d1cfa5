import type { JSX } from 'preact';
import { usePanels } from './context';
import { IconButton } from './icons';

const STEP = 1.4;

/** How near the tissue is, and how it lies. */
export function ZoomCard(): JSX.Element {
  const { model, actions } = usePanels();
  const { layout, flip } = model.state.value;
  return (
    <div class="ks-card ks-zoom">
      <IconButton icon="reset" label="Reset the view" shortcut="R" onClick={() => actions.reset()} />
      <IconButton icon="plus" label="Zoom in" shortcut="+" onClick={() => actions.zoom(STEP)} />
      <IconButton icon="minus" label="Zoom out" shortcut="−" onClick={() => actions.zoom(1 / STEP)} />
      {layout.kind !== 'embedding' && (
        <>
          <IconButton icon="turn" label="Turn by 90°" shortcut="Q" onClick={() => actions.turn()} />
          <IconButton
            icon="mirror"
            label="Mirror left to right"
            shortcut="F"
            pressed={flip}
            onClick={() => actions.mirror()}
          />
        </>
      )}
    </div>
  );
}

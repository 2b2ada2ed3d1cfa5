import type { JSX } from 'preact';
import { usePanels } from '../context';
import { IconButton } from '../icons';

const STEP = 1.4;

/** Zoom, rotation and mirroring of the view. */
export function ZoomCard(): JSX.Element {
  const { model, actions } = usePanels();
  const { layout, flip } = model.state.value;
  return (
    <div class="ks-card ks-zoom">
      <IconButton icon="reset" label="Reset view" shortcut="R" onClick={() => actions.reset()} />
      <IconButton icon="plus" label="Zoom in" shortcut="+" onClick={() => actions.zoom(STEP)} />
      <IconButton icon="minus" label="Zoom out" shortcut="−" onClick={() => actions.zoom(1 / STEP)} />
      {layout.kind !== 'embedding' && (
        <>
          <IconButton icon="turn" label="Rotate by 90°" shortcut="Q" onClick={() => actions.turn()} />
          <IconButton
            icon="mirror"
            label="Flip horizontally"
            shortcut="F"
            pressed={flip}
            onClick={() => actions.mirror()}
          />
        </>
      )}
    </div>
  );
}

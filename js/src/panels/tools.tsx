import type { JSX } from 'preact';
import type { How, Tool } from '../state/selection';
import { usePanels } from './context';
import { IconButton, type IconName } from './icons';

const TOOLS: readonly [Tool, IconName, string, string][] = [
  ['move', 'move', 'Move', 'V'],
  ['lasso', 'lasso', 'Select with a lasso', 'L'],
  ['rect', 'rect', 'Select with a rectangle', 'M'],
  ['zoom', 'zoom', 'Zoom to a box', 'Z'],
];

const HOWS: readonly [How, IconName, string, string | undefined][] = [
  ['replace', 'one', 'Select anew', undefined],
  ['add', 'both', 'Add to the selection', 'Shift'],
  ['subtract', 'less', 'Take away from the selection', 'Alt'],
  ['intersect', 'common', 'Keep what is in both', 'Shift Alt'],
];

/** After a click the keys belong to the tissue; by keyboard the focus stays. */
const choosing = (canvas: HTMLCanvasElement, choose: () => void) => (event: MouseEvent) => {
  choose();
  if (event.detail > 0) canvas.focus();
};

export function Tools({ canvas }: { canvas: HTMLCanvasElement }): JSX.Element {
  const { model, actions } = usePanels();
  const chosen = model.tool.value;
  return (
    <div class="ks-tool-line">
      <fieldset class="ks-card ks-tools" aria-label="Tools">
        {TOOLS.map(([tool, icon, label, shortcut]) => (
          <IconButton
            key={tool}
            tool
            {...{ icon, label, shortcut }}
            pressed={chosen === tool}
            onClick={choosing(canvas, () => actions.setTool(tool))}
          />
        ))}
        <IconButton icon="fit" label="Show all cells" shortcut="0" onClick={() => actions.fit()} />
      </fieldset>
      {(chosen === 'lasso' || chosen === 'rect') && <Hows canvas={canvas} />}
    </div>
  );
}

/** What the next line does to the selection, for who has no keys at hand. */
function Hows({ canvas }: { canvas: HTMLCanvasElement }): JSX.Element {
  const { model, actions } = usePanels();
  return (
    <fieldset class="ks-card ks-hows" aria-label="What a line does to the selection">
      {HOWS.map(([how, icon, label, shortcut]) => (
        <IconButton
          key={how}
          tool
          {...{ icon, label, shortcut }}
          pressed={model.how.value === how}
          onClick={choosing(canvas, () => actions.setHow(how))}
        />
      ))}
      <IconButton
        icon="undo"
        label="The selection before"
        shortcut="Ctrl Z"
        disabled={!model.undoable.value}
        onClick={actions.undo}
      />
      <IconButton
        icon="redo"
        label="The selection after"
        shortcut="Ctrl Shift Z"
        disabled={!model.redoable.value}
        onClick={actions.redo}
      />
    </fieldset>
  );
}

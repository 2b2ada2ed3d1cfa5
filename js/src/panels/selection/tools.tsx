import type { JSX } from 'preact';
import type { SelectionMode, Tool } from '../../state/selection/selection';
import { usePanels } from '../context';
import { IconButton, type IconName } from '../icons';

const TOOLS: readonly [Tool, IconName, string, string][] = [
  ['move', 'move', 'Pan', 'V'],
  ['lasso', 'lasso', 'Lasso select', 'L'],
  ['rect', 'rect', 'Rectangle select', 'M'],
  ['zoom', 'zoom', 'Zoom to box', 'Z'],
];

const MODES: readonly [SelectionMode, IconName, string, string | undefined][] = [
  ['replace', 'one', 'New selection', undefined],
  ['add', 'both', 'Add to selection', 'Shift'],
  ['subtract', 'less', 'Subtract from selection', 'Alt'],
  ['intersect', 'common', 'Intersect with selection', 'Shift+Alt'],
];

/** A click moves the focus to the tissue, whose shortcuts then work; keyboard activation keeps it on the button. */
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
      {(chosen === 'lasso' || chosen === 'rect') && <SelectionModes canvas={canvas} />}
    </div>
  );
}

/** Selection mode and undo/redo as buttons, for input without a keyboard. */
function SelectionModes({ canvas }: { canvas: HTMLCanvasElement }): JSX.Element {
  const { model, actions } = usePanels();
  return (
    <fieldset class="ks-card ks-modes" aria-label="Selection mode">
      {MODES.map(([mode, icon, label, shortcut]) => (
        <IconButton
          key={mode}
          tool
          {...{ icon, label, shortcut }}
          pressed={model.mode.value === mode}
          onClick={choosing(canvas, () => actions.setMode(mode))}
        />
      ))}
      <IconButton
        icon="undo"
        label="Undo"
        shortcut="Ctrl+Z"
        disabled={!model.undoable.value}
        onClick={actions.undo}
      />
      <IconButton
        icon="redo"
        label="Redo"
        shortcut="Ctrl+Shift+Z"
        disabled={!model.redoable.value}
        onClick={actions.redo}
      />
    </fieldset>
  );
}

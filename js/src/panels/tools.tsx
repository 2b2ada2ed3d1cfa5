import type { JSX } from 'preact';
import type { How, Tool } from '../state/selection';
import { usePanels } from './context';
import { Icon, IconButton, type IconName } from './icons';

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

function Switch(props: {
  icon: IconName;
  label: string;
  shortcut: string | undefined;
  pressed: boolean;
  canvas: HTMLCanvasElement;
  onChoose: () => void;
}): JSX.Element {
  const { icon, label, shortcut, pressed, canvas, onChoose } = props;
  return (
    <button
      type="button"
      class="ks-icon-button ks-tool"
      aria-label={label}
      aria-pressed={pressed}
      title={shortcut ? `${label} (${shortcut})` : label}
      onClick={(event) => {
        onChoose();
        // After a click the keys belong to the tissue; by keyboard the focus stays.
        if (event.detail > 0) canvas.focus();
      }}
    >
      <Icon name={icon} />
    </button>
  );
}

export function Tools({ canvas }: { canvas: HTMLCanvasElement }): JSX.Element {
  const { model, actions } = usePanels();
  const chosen = model.tool.value;
  return (
    <div class="ks-tool-line">
      <fieldset class="ks-card ks-tools" aria-label="Tools">
        {TOOLS.map(([tool, icon, label, shortcut]) => (
          <Switch
            key={tool}
            {...{ icon, label, shortcut, canvas }}
            pressed={chosen === tool}
            onChoose={() => actions.setTool(tool)}
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
        <Switch
          key={how}
          {...{ icon, label, shortcut, canvas }}
          pressed={model.how.value === how}
          onChoose={() => actions.setHow(how)}
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

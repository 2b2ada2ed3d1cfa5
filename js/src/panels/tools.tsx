import type { JSX } from 'preact';
import type { Tool } from '../state/selection';
import { usePanels } from './context';
import { Icon, IconButton, type IconName } from './icons';

const TOOLS: readonly [Tool, IconName, string, string][] = [
  ['move', 'move', 'Move', 'V'],
  ['lasso', 'lasso', 'Select with a lasso', 'L'],
  ['rect', 'rect', 'Select with a rectangle', 'M'],
  ['zoom', 'zoom', 'Zoom to a box', 'Z'],
];

export function Tools({ canvas }: { canvas: HTMLCanvasElement }): JSX.Element {
  const { model, actions } = usePanels();
  const chosen = model.tool.value;
  return (
    <fieldset class="ks-card ks-tools" aria-label="Tools">
      {TOOLS.map(([tool, icon, label, shortcut]) => (
        <button
          key={tool}
          type="button"
          class="ks-icon-button ks-tool"
          aria-label={label}
          aria-pressed={chosen === tool}
          title={`${label} (${shortcut})`}
          onClick={(event) => {
            actions.setTool(tool);
            // After a click the keys belong to the tissue; by keyboard the focus stays.
            if (event.detail > 0) canvas.focus();
          }}
        >
          <Icon name={icon} />
        </button>
      ))}
      <IconButton icon="fit" label="Show all cells" shortcut="0" onClick={() => actions.fit()} />
    </fieldset>
  );
}

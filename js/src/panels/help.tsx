import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { IconButton } from './icons';

const LINES: readonly [string, string][] = [
  ['Drag', 'pan'],
  ['Wheel, pinch', 'zoom'],
  ['Double-click, with Shift', 'zoom in, zoom out'],
  ['V  L  M  Z', 'pan, lasso, rectangle, zoom to box'],
  ['Draw with Shift, Alt, both', 'add to the selection, subtract, intersect'],
  ['Space, middle button', 'pan while another tool is active'],
  ['Esc', 'cancel drawing, clear the selection'],
  ['Ctrl+Z, with Shift', 'undo, redo changes of the selection or regions'],
  ['← → ↑ ↓', 'pan'],
  ['+  −', 'zoom'],
  ['0', 'show all cells'],
  ['Q  F', 'rotate by 90°, flip horizontally'],
  ['R', 'reset the view'],
  ['I', 'show or hide the image'],
  ['B  X', 'second view (an embedding or the tissue) on or off, swap views'],
  ['[  ]  or  ,  .', 'previous, next section; from all sections to one'],
  ['/', 'search genes'],
  ['P', 'show or hide the panel'],
  ['S', 'save a picture, a table or the view'],
  ['T', 'theme: light, dark, system'],
  ['Click on a category', 'hide or show it'],
  ['Double-click, Shift+Enter', 'isolate it: dim the other categories'],
  ['Alt+click, Alt+Enter on a category', 'select its cells; with Shift, add them'],
  ['Click on a region with Shift, Alt, both', 'add it to the selection, subtract, intersect'],
  ['F2, Delete on a region', 'rename, remove it'],
  ['← →, Page ↑ ↓ on a color limit', 'move the limit'],
  ['← →, double-click on the panel’s edge', 'resize the panel, reset its width'],
  ['?', 'show this help'],
];

export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Closing the dialog returns the focus; removing an open one would not.
    return () => shown?.close();
  }, []);
  return (
    <dialog
      class="ks-card ks-help"
      ref={dialog}
      aria-label="Keyboard and mouse"
      // The cancel event fires before the dialog closes and the close event a task later: a key may come in between.
      onCancel={onClose}
      onClose={onClose}
    >
      <div class="ks-heading-line">
        <h2 class="ks-heading">Keyboard and mouse</h2>
        <IconButton icon="close" label="Close" shortcut="Esc" onClick={onClose} />
      </div>
      <dl class="ks-facts">
        {LINES.map(([key, what]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}

import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { IconButton } from './icons';

/** Keys and gestures, and what they do, by what they act on. */
const GROUPS: readonly [string, readonly (readonly [string, string])[]][] = [
  [
    'Move around',
    [
      ['Drag, ← → ↑ ↓', 'pan'],
      ['Wheel, pinch, +  −', 'zoom'],
      ['Double-click, with Shift', 'zoom in, zoom out'],
      ['Z', 'zoom to box'],
      ['0', 'show all cells'],
      ['Q  F', 'rotate by 90°, flip horizontally'],
      ['R', 'reset the view'],
    ],
  ],
  [
    'Layout',
    [
      ['[  ]  or  ,  .', 'previous, next section; from all sections to one'],
      ['B  X', 'second view (an embedding or the tissue) on or off, swap views'],
    ],
  ],
  [
    'Cells',
    [
      ['Click, tap', 'open the card of a cell; Esc closes it'],
      ['Enter on the tissue', 'open the card of the cell in the middle'],
      ['V  L  M', 'pan, lasso, rectangle'],
      ['Draw with Shift, Alt, both', 'add to the selection, subtract, intersect'],
      ['Space, middle button', 'pan while another tool is active'],
      ['Esc', 'cancel drawing, clear the selection'],
      ['Ctrl+Z, with Shift', 'undo, redo changes of the selection, regions or groups'],
    ],
  ],
  [
    'Categories and genes',
    [
      ['Click on a category', 'hide or show it'],
      ['Double-click, Shift+Enter', 'isolate it: dim the other categories'],
      ['Alt+click, Alt+Enter on a category', 'select its cells; with Shift, add them'],
      ['Ctrl+click, Ctrl+Enter on categories', 'check them to show them as one group'],
      ['F2, Delete on a group', 'rename, ungroup it'],
      ['N', 'names of the categories on the cells'],
      ['/', 'search genes'],
      ['← →, Page ↑ ↓ on a color limit', 'move the limit'],
    ],
  ],
  [
    'Regions',
    [
      ['Click on a region with Shift, Alt, both', 'add it to the selection, subtract, intersect'],
      ['F2, Delete on a region', 'rename, remove it'],
    ],
  ],
  [
    'Viewer',
    [
      ['S', 'save a picture or a table'],
      ['I', 'show or hide the image'],
      ['P', 'show or hide the panel'],
      ['← → on the panel’s edge', 'resize the panel'],
      ['T', 'theme: light, dark, system'],
      ['?', 'show this help'],
    ],
  ],
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
      <div class="ks-help-groups">
        {GROUPS.map(([name, lines]) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl class="ks-facts">
              {lines.map(([key, what]) => (
                <div key={key}>
                  <dt>{key}</dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}

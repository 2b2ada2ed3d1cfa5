import type { Signal } from '@preact/signals';
import { useComputed, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { boxOf, type Extent, unproject, type View } from '../../lib/camera';
import type { Cells } from '../../state/color/scope';
import type { Selection } from '../../state/selection/selection';
import { usePanels } from '../context';

/** Where the card of the selection is: at the lower left or the upper right, where there are no other cards. */
export type Side = 'left' | 'right';

export interface Corner {
  readonly side: Signal<Side>;
  readonly folded: Signal<boolean>;
  /** The selection for which the side was chosen. */
  readonly placed: { current: Selection | null };
}

/** About how many selected cells are looked up: enough to tell which corner has fewer. */
const SAMPLE = 100_000;

/** Counts the selected cells inside each box of the window, in CSS pixels. Of many cells, only every nth is counted. */
export function countCovered(
  boxes: readonly Extent[],
  { mask, count }: Selection,
  { coords, view, shown }: { coords: Float32Array; view: View; shown: Cells | null },
): number[] {
  const step = Math.ceil(count / SAMPLE);
  return boxes.map(([left, top, right, bottom]) => {
    const [x0, y0, x1, y1] = boxOf([...unproject(view, left, top), ...unproject(view, right, bottom)]);
    let covered = 0;
    let next = 0;
    for (let cell = 0; cell < mask.length; cell++) {
      if (!mask[cell] || next++ % step > 0 || shown?.mask[cell] === 0) continue;
      const x = coords[2 * cell] ?? Number.NaN;
      const y = coords[2 * cell + 1] ?? Number.NaN;
      if (x >= x0 && x <= x1 && y >= y0 && y <= y1) covered++;
    }
    return covered;
  });
}

/** Keeps the place of the card. Without a selection, it returns to the lower left. */
export function useCorner(): Corner {
  const { model } = usePanels();
  const side = useSignal<Side>('left');
  const folded = useSignal(false);
  const placed = useRef<Selection | null>(null);
  const none = model.selection.value === null;
  useLayoutEffect(() => {
    if (!none) return;
    side.value = 'left';
    placed.current = null;
  }, [none, side]);
  return { side, folded, placed };
}

/** Moves the card once for each selection, to where it covers the fewest selected cells. */
export function useFreeCorner(
  card: RefObject<HTMLElement | null>,
  { side, placed }: Corner,
  selection: Selection,
): void {
  const { model } = usePanels();
  // The cells may still be loading, or the view may be hidden, when they are selected.
  const laidOut = useComputed(() => model.view.value !== null && model.positions.value !== null).value;
  useLayoutEffect(() => {
    const view = model.view.peek();
    const coords = model.positions.peek()?.coords;
    const shown = card.current;
    const row = shown?.closest('.ks-stage')?.querySelector('.ks-left');
    const right = shown?.closest('.ks-cards');
    // A card that is being used stays where it is.
    const used = shown?.contains(document.activeElement);
    if (placed.current === selection || !laidOut || !view || !coords || !shown || !row || !right) return;
    placed.current = selection;
    if (used) return;
    const stage = right.parentElement?.getBoundingClientRect() ?? new DOMRect();
    const { width, height } = shown.getBoundingClientRect();
    const { left, top, bottom } = row.getBoundingClientRect();
    const end = right.getBoundingClientRect().right;
    const [x, y] = [stage.x, stage.y];
    const boxes: Record<Side, Extent> = {
      left: [left - x, bottom - height - y, left + width - x, bottom - y],
      right: [end - width - x, top - y, end - x, top + height - y],
    };
    const on = { coords, view, shown: model.shown.peek() };
    const [atLeft = 0, atRight = 0] = countCovered([boxes.left, boxes.right], selection, on);
    if (atLeft !== atRight) side.value = atLeft < atRight ? 'left' : 'right';
  }, [model, card, side, placed, selection, laidOut]);
}

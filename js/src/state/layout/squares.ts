import { rowOnScreen, type View } from '../../lib/camera';
import type { Model } from '../model';

/**
 * Returns the angle of the rows, in degrees from x toward y, if cells are drawn as squares: bins with a known side, at
 * their place in the tissue. Returns null for discs.
 */
export function squareAngle({ noun, positions }: Pick<Model, 'noun' | 'positions'>): number | null {
  const cells = positions.value;
  return noun.value === 'bin' && cells && cells.spotDiameter !== null ? (cells.binAngle ?? 0) : null;
}

/** Returns the side of squares in CSS pixels, and their angle on the screen in radians; null for discs. */
export function squareOnScreen(
  model: Pick<Model, 'noun' | 'positions'>,
  view: View,
  pointSize: number,
): { side: number; angle: number } | null {
  const angle = squareAngle(model);
  if (angle === null) return null;
  const [right, down] = rowOnScreen(view, angle);
  return {
    side: (model.positions.value?.spotDiameter ?? 0) * view.scale * pointSize,
    angle: Math.atan2(down, right),
  };
}

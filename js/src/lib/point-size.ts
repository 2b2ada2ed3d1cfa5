import { typicalSpacing } from './grid-index';

/** CSS pixels */
const SMALLEST = 1.4;
const LARGEST = 48;
/** Diameter if all cells are at the same point, in CSS pixels. */
const ALONE = 12;
/**
 * Diameter that shows a color, in CSS pixels: points of known diameter grow to the first if their neighbors leave room,
 * and to half of that room up to the second, because points that are far apart are seen less well.
 */
const VISIBLE = [5, 9] as const;
/** Maximum diameter of enlarged points, as a fraction of the distance between neighbors. */
const ROOM = 0.7;
/** Point diameter as a fraction of the distance between neighbors: leaves a gap between them. */
const FILL = 0.9;

/** Diameter of points: proportional to the scale up to a limit. */
export interface PointSize {
  /** Coordinate units */
  units: number;
  /** CSS pixels */
  most: number;
  /** Maximum diameter of enlarged points, in coordinate units; 0 if the points are not enlarged. */
  room: number;
}

const spacings = new WeakMap<Float32Array, number>();

/** Returns the diameter of points: physical if known, else derived from the distance between neighbors. */
export function pointSizeOf(of: {
  coords: Float32Array;
  extent: readonly [number, number, number, number];
  spotDiameter: number | null;
}): PointSize {
  const { coords, extent, spotDiameter } = of;
  // Computed once: the camera and the renderer ask for it.
  const spacing = spacings.get(coords) ?? typicalSpacing(coords, extent);
  spacings.set(coords, spacing);
  if (spotDiameter !== null && spotDiameter > 0)
    return { units: spotDiameter, most: Infinity, room: spacing * ROOM };
  return spacing > 0
    ? { units: spacing * FILL, most: LARGEST, room: 0 }
    : { units: Infinity, most: ALONE, room: 0 };
}

/** Returns the diameter in CSS pixels at a scale, multiplied by a factor. */
export function diameterAt({ units, most, room }: PointSize, scale: number, factor: number): number {
  if (most === Infinity) {
    const free = room * scale;
    const visible = Math.min(free, Math.max(VISIBLE[0], Math.min(VISIBLE[1], free / 2)));
    return Math.max(SMALLEST, Math.max(visible, units * scale) * factor);
  }
  return Math.min(most, Math.max(SMALLEST, units * scale)) * factor;
}

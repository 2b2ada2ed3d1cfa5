import { typicalSpacing } from './grid-index';

/** CSS pixels */
const SMALLEST = 1.4;
const LARGEST = 48;
/** Of cells that are all at one point. */
const ALONE = 12;
/** Point diameter as a fraction of the distance between neighbors: leaves a gap between them. */
const FILL = 0.9;

/** Diameter of points: proportional to the scale up to a limit. */
export interface PointSize {
  /** Coordinate units */
  units: number;
  /** CSS pixels */
  most: number;
}

const spacings = new WeakMap<Float32Array, number>();

/** Returns the diameter of points: physical if known, else derived from the spacing. */
export function pointSizeOf(of: {
  coords: Float32Array;
  extent: readonly [number, number, number, number];
  spotDiameter: number | null;
}): PointSize {
  const { coords, extent, spotDiameter } = of;
  if (spotDiameter !== null && spotDiameter > 0) return { units: spotDiameter, most: Infinity };
  // Computed once: the camera and the renderer ask for it.
  const spacing = spacings.get(coords) ?? typicalSpacing(coords, extent);
  spacings.set(coords, spacing);
  return spacing > 0 ? { units: spacing * FILL, most: LARGEST } : { units: Infinity, most: ALONE };
}

/** Returns the diameter in CSS pixels at a scale, multiplied by a factor. */
export function diameterAt({ units, most }: PointSize, scale: number, factor: number): number {
  if (most === Infinity) return Math.max(SMALLEST, units * scale * factor);
  return Math.min(most, Math.max(SMALLEST, units * scale)) * factor;
}

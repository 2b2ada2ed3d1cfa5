/** The box of a label around its middle, in CSS pixels. */
export interface LabelBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Places to try, in units of the label's size: the middle first, then around it. */
const OFFSETS = [
  [0, 0],
  [0, -0.8],
  [0, 0.8],
  [-0.4, -0.8],
  [0.4, -0.8],
  [-0.4, 0.8],
  [0.4, 0.8],
  [-0.6, 0],
  [0.6, 0],
] as const;

/**
 * Moves labels so that none overlaps another; the first ones have priority. Returns the middle of each, null for those
 * that find no place.
 */
export function withoutOverlap(labels: readonly LabelBox[]): (readonly [number, number] | null)[] {
  const taken: LabelBox[] = [];
  return labels.map(({ x, y, width, height }) => {
    for (const [right, down] of OFFSETS) {
      const box = { x: x + right * width, y: y + down * height, width, height };
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      return [box.x, box.y];
    }
    return null;
  });
}

const overlap = (a: LabelBox, b: LabelBox) =>
  2 * Math.abs(a.x - b.x) < a.width + b.width && 2 * Math.abs(a.y - b.y) < a.height + b.height;

/** Length of each arrow from the shared corner, in CSS pixels. */
export const ARROW = 30;
const HEAD = 4;

type Line = readonly (readonly [number, number])[];

/** Returns the polylines of two arrows that start at the corner (`x`, `y`) and point right and up. */
export function axesLines(x: number, y: number): Line[] {
  const [corner, right, top, foot] = [x + 4.5, x + ARROW - 1, y - ARROW + 1, y - 4.5];
  return [
    [
      [corner, top],
      [corner, foot],
      [right, foot],
    ],
    [
      [corner - HEAD, top + HEAD],
      [corner, top],
      [corner + HEAD, top + HEAD],
    ],
    [
      [right - HEAD, foot - HEAD],
      [right, foot],
      [right - HEAD, foot + HEAD],
    ],
  ];
}

/** Returns the same arrows as the `d` attribute of an SVG `path`. */
export function axesPath(x: number, y: number): string {
  return axesLines(x, y)
    .map((line) => `M${line.map((point) => point.join(' ')).join('L')}`)
    .join('');
}

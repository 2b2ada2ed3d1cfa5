import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { INITIAL, merged, problemOf, refusedFields } from '../view-state';
import { openedView } from './saved-view';

interface Vector {
  reason: string;
  /** Field that is invalid; null if the view is valid. */
  invalid: string | null;
  state: Record<string, unknown>;
  view: unknown;
}
// Also read by tests/view/test_contract.py: Python and the viewer accept the same views.
const { states, views } = JSON.parse(
  readFileSync(new URL('../../../../tests/view/views.json', import.meta.url), 'utf8'),
) as { states: Vector[]; views: Vector[] };

describe('a valid state is accepted, and an error names the invalid field', () => {
  test.each(states)('$reason', ({ state, invalid }) => {
    if (invalid === null) expect(problemOf(state)).toBeNull();
    else expect(problemOf(state)).toContain(`“${invalid}`);
  });
});

describe('an invalid field is ignored and reported, but a number outside its limits is clamped', () => {
  test.each(states.filter(({ invalid }) => invalid))('$reason', ({ state }) => {
    const [[field, value]] = Object.entries(state) as [[keyof typeof INITIAL, unknown]];
    const clamps = typeof value === 'number' && typeof INITIAL[field] === 'number' && field !== 'turn';
    expect(refusedFields(state)).toEqual(clamps ? [] : [field]);
    expect(problemOf({ ...merged(INITIAL, state) })).toBeNull();
    if (!clamps) expect(merged(INITIAL, state)).toEqual(INITIAL);
  });
});

describe('a valid saved view is accepted, and an error names the invalid field', () => {
  test.each(views)('$reason', ({ view, invalid }) => {
    if (invalid === null) openedView(view, 10);
    else expect(() => openedView(view, 10)).toThrow(invalid);
  });
});

import { expect, test } from 'vitest';
import { tableOf } from './neighborhoods';

const categories = ['a', '=b', 'c'].map((name) => ({ name, count: 1, color: '#000000' }));

test('a table has a row for each pair; undefined scores are empty', () => {
  const found = {
    count: Float64Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0),
    expected: new Float64Array(9).fill(0.25),
    z: Float64Array.of(1.5, ...new Array(8).fill(Number.NaN)),
  };
  const [head, first, second, ...rest] = tableOf({ categories }, found).trim().split('\r\n');
  expect(head).toBe('category,neighbor,count,expected,z');
  expect(first).toBe('a,a,2,0.25,1.5');
  expect(second).toBe("a,'=b,0,0.25,");
  expect(rest).toHaveLength(7);
});

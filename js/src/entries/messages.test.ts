import { expect, test } from 'vitest';
import { mayAsk } from './messages';

const OWN = 'https://here.example';

test.each([
  [OWN, [], true],
  ['https://other.example', [], false],
  ['https://other.example', ['https://other.example'], true],
  ['https://other.example.evil.example', ['https://other.example'], false],
  ['http://other.example', ['https://other.example'], false],
  ['https://anyone.example', ['*'], true],
  // Pages with an opaque origin cannot be distinguished.
  ['null', [], false],
  ['null', ['null'], false],
  ['null', ['*'], true],
] as const)('a page of %s may ask when %j is allowed: %s', (origin, allowed, may) => {
  expect(mayAsk(origin, OWN, allowed)).toBe(may);
});

test('two opaque origins do not count as the same origin', () => {
  expect(mayAsk('null', 'null', [])).toBe(false);
});

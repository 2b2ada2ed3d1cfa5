import { expect, test } from 'vitest';
import { mayAsk } from './messages';

const OWN_ORIGIN = 'https://here.example';

test.each([
  [OWN_ORIGIN, [], true],
  ['https://other.example', [], false],
  ['https://other.example', ['https://other.example'], true],
  ['https://other.example.evil.example', ['https://other.example'], false],
  ['http://other.example', ['https://other.example'], false],
  ['https://anyone.example', ['*'], true],
  // Pages with an opaque origin cannot be distinguished.
  ['null', [], false],
  ['null', ['null'], false],
  ['null', ['*'], true],
] as const)('a page from %s gets answers when %j is allowed: %s', (origin, allowed, answered) => {
  expect(mayAsk(origin, OWN_ORIGIN, allowed)).toBe(answered);
});

test('two opaque origins do not count as the same origin', () => {
  expect(mayAsk('null', 'null', [])).toBe(false);
});

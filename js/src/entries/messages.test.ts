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
  // Pages without an origin of their own cannot be told apart.
  ['null', [], false],
  ['null', ['null'], false],
  ['null', ['*'], true],
] as const)('%s, where %j may: %s', (origin, allowed, may) => {
  expect(mayAsk(origin, OWN, allowed)).toBe(may);
});

test('two pages without an origin are not of the same one', () => {
  expect(mayAsk('null', 'null', [])).toBe(false);
});

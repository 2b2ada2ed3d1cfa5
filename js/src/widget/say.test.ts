import { expect, test } from 'vitest';
import { plainly, say, translateWith } from './say';

test('texts are English until someone translates them', () => {
  expect(say('Use %1 instead of %2', 'EPCAM', '$1')).toBe('Use EPCAM instead of $1');
  translateWith((text, ...values) => plainly(text === '%1 genes' ? '%1 Gene' : text, ...values));
  expect(say('%1 genes', '7')).toBe('7 Gene');
  expect(say('Log')).toBe('Log');
  translateWith(plainly);
});

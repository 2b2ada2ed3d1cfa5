import { expect, test } from 'vitest';
import { counted, plainly, say, translateWith } from './translate';

test('texts are English unless a translation is set', () => {
  expect(say('Use %1 instead of %2', 'EPCAM', '$1')).toBe('Use EPCAM instead of $1');
  translateWith((text, ...values) => plainly(text === '%1 genes' ? '%1 Gene' : text, ...values));
  expect(say('%1 genes', '7')).toBe('7 Gene');
  expect(say('Log')).toBe('Log');
  translateWith(plainly);
});

test('counts use the singular only for one', () => {
  const files = [0, 1, 2, 1234].map((count) => counted(count, '%1 file', '%1 files'));
  expect(files).toEqual(['0 files', '1 file', '2 files', '1,234 files']);
});

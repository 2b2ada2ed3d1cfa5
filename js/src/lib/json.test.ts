import { expect, test } from 'vitest';
import { looseJson } from './json';

test('strict JSON is parsed unchanged', () => {
  expect(looseJson('[{"a": 1, "b": null}]')).toEqual({ value: [{ a: 1, b: null }], constants: 0 });
});

test('NaN and Infinity become null and are counted', () => {
  const text = '[{"a":NaN,"b":-Infinity},{"a":Infinity,"b":-1.5}]';
  expect(looseJson(text)).toEqual({
    value: [
      { a: null, b: null },
      { a: null, b: -1.5 },
    ],
    constants: 3,
  });
});

test('NaN and Infinity inside strings are kept', () => {
  const text = String.raw`[{"NaN":"NaN","q":"say \"NaN\", -Infinity","end":"\\","x":NaN}]`;
  expect(looseJson(text)).toEqual({
    value: [{ NaN: 'NaN', q: 'say "NaN", -Infinity', end: '\\', x: null }],
    constants: 1,
  });
});

test.each(['', '[', '{"a": nan}', '[NaN', '<html>NaN</html>', '[undefined]', '[NaNa]'])(
  '%j is not JSON',
  (text) => {
    expect(() => looseJson(text)).toThrow(SyntaxError);
  },
);

import { describe, expect, test } from 'vitest';
import { differs, type Shape } from './shape';

/** Returns a function that checks a value of this shape as the field of an object. */
const check = (shape: Shape) => (value: unknown) =>
  differs({ field: value }, { type: 'object', properties: { field: shape } });

const integers: Shape = { type: 'integer', minimum: 0 };
const kinds: Shape = {
  discriminator: { propertyName: 'kind', mapping: { whole: '#/$defs/Whole', tiled: '#/$defs/Tiled' } },
};
const $defs: Record<string, Shape> = {
  Whole: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  Tiled: {
    type: 'object',
    properties: { side: { type: 'integer', exclusiveMinimum: 0 } },
    required: ['side'],
  },
};

describe('a value that fits its shape', () => {
  test.each<[Shape, unknown[]]>([
    [{ type: 'string' }, ['', 'a']],
    [{ type: 'boolean' }, [true, false]],
    [{ type: 'integer' }, [0, -1, 2 ** 53]],
    [{ type: 'number' }, [0.5, -3, null]],
    [{ type: 'null' }, [null]],
    [{ type: 'object' }, [{}, { any: 'thing' }]],
    [{ type: 'array' }, [[], [1, 'a']]],
    [integers, [0, 7]],
    [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }, [0.5]],
    [{ type: 'array', items: integers, minItems: 1, maxItems: 2 }, [[0], [1, 2]]],
    [{ type: 'array', prefixItems: [{ type: 'string' }, integers] }, [['a', 1], ['a']]],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, ['a', null]],
    [{}, [1, 'a', null, []]],
  ])('%j', (shape, values) => {
    for (const value of values) expect(check(shape)(value)).toBeNull();
  });

  test('fields and kinds of later versions are ignored', () => {
    const shape: Shape = { type: 'object', properties: { part: kinds }, $defs };
    expect(differs({ part: { kind: 'whole', path: 'a', more: 1 }, later: [] }, shape)).toBeNull();
    expect(differs({ part: { kind: 'of a later version' } }, shape)).toBeNull();
  });
});

describe('the first mismatch is named', () => {
  test.each<[Shape, unknown, string]>([
    [{ type: 'string' }, 1, 'should be a string'],
    [{ type: 'boolean' }, 'true', 'should be true or false'],
    [{ type: 'integer' }, 1.5, 'should be an integer'],
    [{ type: 'integer' }, null, 'should be an integer'],
    [{ type: 'number' }, '1', 'should be a number'],
    [{ type: 'null' }, 0, 'should be null'],
    [{ type: 'object' }, [], 'should be an object'],
    [{ type: 'object' }, null, 'should be an object'],
    [{ type: 'array' }, {}, 'should be an array'],
    [integers, -1, 'should be at least 0'],
    [{ type: 'number', exclusiveMinimum: 0 }, 0, 'should be more than 0'],
    [{ type: 'number', exclusiveMaximum: 1 }, 1, 'should be less than 1'],
    [{ type: 'number', maximum: 1 }, 1.5, 'should be at most 1'],
    [{ enum: ['a', 'b'] }, 'c', 'should be a, b'],
    [{ const: 1 }, 2, 'should be 1'],
    [{ type: 'array', minItems: 1 }, [], 'should have 1 items, not 0'],
    [{ type: 'array', maxItems: 1 }, [1, 2], 'should have 1 items, not 2'],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 1, 'should be a string'],
  ])('%j: %j', (shape, value, problem) => {
    expect(check(shape)(value)).toBe(`“field” ${problem}`);
  });

  test('in objects with arbitrary names', () => {
    const colors: Shape = {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '^#[0-9a-f]{6}$' },
    };
    expect(check(colors)({})).toBeNull();
    expect(check(colors)({ constructor: '#12ab34' })).toBeNull();
    expect(check(colors)({ a: '#12ab34', b: 'red' })).toBe('“field.b” should match ^#[0-9a-f]{6}$');
  });

  test('in unknown kinds and in missing or infinite numbers, if the check is exact', () => {
    const exactly = (shape: Shape, value: unknown) =>
      differs({ field: value }, { type: 'object', properties: { field: shape }, $defs }, { exact: true });
    expect(exactly(kinds, { kind: 'whole', path: 'a', more: 1 })).toBeNull();
    expect(exactly(kinds, { kind: 'later' })).toBe('“field.kind” should be whole, tiled');
    for (const value of [null, Number.NaN, Number.POSITIVE_INFINITY])
      expect(exactly({ type: 'number' }, value)).toBe('“field” should be a number');
  });

  test('in arrays, in objects and behind references', () => {
    expect(check({ type: 'array', items: integers })([0, 1, -1])).toBe('“field[2]” should be at least 0');
    expect(check({ type: 'array', prefixItems: [{ type: 'string' }] })([1])).toBe(
      '“field[0]” should be a string',
    );
    const shape: Shape = {
      type: 'object',
      properties: {
        part: kinds,
        perhaps: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/Whole' }] },
      },
      $defs,
    };
    expect(differs({ part: { kind: 'tiled', side: 0 } }, shape)).toBe('“part.side” should be more than 0');
    expect(differs({ part: { kind: 'tiled' } }, shape)).toBe('“part.side” is missing');
    expect(differs({ part: {} }, shape)).toBe('“part.kind” should be a string');
    expect(differs({ part: null }, shape)).toBe('“part.kind” should be a string');
    // Report what is wrong inside an object rather than that it is not null.
    expect(differs({ perhaps: { path: 1 } }, shape)).toBe('“perhaps.path” should be a string');
  });

  test('properties of the prototype do not count as fields', () => {
    const shape: Shape = { type: 'object', properties: {}, required: ['constructor'] };
    expect(differs({}, shape)).toBe('“constructor” is missing');
  });
});

test('a contract with an undefined reference throws', () => {
  expect(() => check({ $ref: '#/$defs/None' })(1)).toThrow('The contract has no #/$defs/None');
});

/** Reproducible damage to bytes and JSON values, for fuzz tests: one seed, one result. */

export type Random = () => number;

/** Returns a generator of numbers in [0, 1), seeded by a string: mulberry32 over its hash. */
export function randomFrom(seed: string): Random {
  let state = 2166136261;
  for (const char of seed) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);
export const oneOf = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;

const ODD: readonly unknown[] = [
  null,
  true,
  false,
  '',
  'x',
  '../../x',
  '/etc/passwd',
  'a\0b',
  '\ud800',
  '__proto__',
  'constructor',
  'é'.repeat(300),
  'javascript:alert(1)',
  [],
  {},
  [[]],
  [null],
  { a: null },
  0,
  -1,
  1,
  0.5,
  2 ** 31,
  2 ** 32,
  2 ** 53 + 2,
  1e308,
  -1e-308,
];
/** Maximum number of changes. */
const MAX_CHANGES = 6;

type Holder = Record<string, unknown> | unknown[];

/** Returns every value inside an object or array, as its holder and key. */
function places(value: unknown): [Holder, string | number][] {
  const found: [Holder, string | number][] = [];
  const waiting = [value];
  while (waiting.length > 0) {
    const one = waiting.pop();
    if (one === null || typeof one !== 'object') continue;
    const keys = Array.isArray(one) ? one.map((_, at) => at) : Object.keys(one);
    for (const key of keys) {
      found.push([one as Holder, key]);
      waiting.push((one as Record<string | number, unknown>)[key]);
    }
  }
  return found;
}

/** Changes a few values in a copy: deletes, repeats, shifts or replaces them, some with invalid values. */
export function damagedValue(value: unknown, random: Random): unknown {
  const whole: unknown[] = [structuredClone(value)];
  for (let times = 1 + below(random, MAX_CHANGES); times > 0; times--) {
    const all = places(whole);
    const [holder, key] = oneOf(random, all);
    const entries = holder as Record<string | number, unknown>;
    const how = below(random, 5);
    if (how === 0) {
      if (Array.isArray(holder)) holder.splice(key as number, 1);
      else delete entries[key];
      if (whole.length === 0) whole.push(null);
    } else if (how === 1 && Array.isArray(holder)) {
      for (let copies = oneOf(random, [1, 2, 50]); copies > 0; copies--)
        holder.push(structuredClone(entries[key]));
    } else if (how === 2) {
      const [other, at] = oneOf(random, all);
      const taken = structuredClone((other as Record<string | number, unknown>)[at]);
      if (places([taken]).length < 2000) entries[key] = taken;
    } else if (how === 3 && typeof entries[key] === 'number') {
      entries[key] = entries[key] + oneOf(random, [-1, 1, 0.5, 1000]);
    } else entries[key] = structuredClone(oneOf(random, ODD));
  }
  return whole[0];
}

/** Changes a copy in a few places: flips a bit, or overwrites, zeroes, removes or repeats bytes. */
export function damagedBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let damaged = [...bytes];
  for (let times = 1 + below(random, MAX_CHANGES); times > 0 && damaged.length > 0; times--) {
    const at = below(random, damaged.length);
    const length = Math.min(damaged.length - at, Math.ceil(2 ** (12 * random())));
    const how = below(random, 6);
    if (how === 0) damaged[at] = (damaged[at] ?? 0) ^ (1 << below(random, 8));
    else if (how === 1) damaged[at] = below(random, 256);
    else if (how === 2) damaged.fill(0, at, at + length);
    else if (how === 3) for (let i = at; i < at + length; i++) damaged[i] = below(random, 256);
    else if (how === 4) damaged.splice(at, random() < 0.3 ? damaged.length : length);
    else damaged = [...damaged.slice(0, at), ...damaged.slice(below(random, damaged.length))];
  }
  return Uint8Array.from(damaged);
}

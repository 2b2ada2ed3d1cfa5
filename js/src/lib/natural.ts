/** Superscript, subscript and circled digits. They are not decimal digits, so each is a number of its own. */
const SINGLE = '⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉⓪①②③④⑤⑥⑦⑧⑨';
const NUMBERS = new RegExp(`\\p{Nd}+|[${SINGLE}]`, 'gu');
const DECIMAL = /\p{Nd}/u;

/** Converts a number in any script to ASCII digits without leading zeros. */
function digitsOf(text: string): string {
  let digits = '';
  for (const character of text) {
    const single = SINGLE.indexOf(character);
    if (single >= 0) digits += single % 10;
    else if (character >= '0' && character <= '9') digits += character;
    else {
      // Decimal digits come in runs of ten, zero first; some scripts have several runs in a row.
      const point = character.codePointAt(0) ?? 0;
      let before = 0;
      while (before < 60 && DECIMAL.test(String.fromCodePoint(point - before - 1))) before++;
      digits += before % 10;
    }
  }
  return digits.replace(/^0+(?=.)/, '');
}

/** Splits a name into alternating text and numbers, starting with text. */
function partsOf(name: string): string[] {
  const text = name.normalize('NFD');
  const parts: string[] = [];
  let at = 0;
  for (const found of text.matchAll(NUMBERS)) {
    parts.push(text.slice(at, found.index), digitsOf(found[0]));
    at = found.index + found[0].length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

/** Compares by code points like Python; JavaScript compares UTF-16 code units. */
function compareText(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [left, right] = [a[i] ?? '', b[i] ?? ''];
    const longer = i % 2 === 1 ? left.length - right.length : 0;
    const difference = longer || compareText(left, right);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Sorts names like anndata's natsort, with 2 before 10. The exporter has the same order (`plan/natural_order.py`). */
export function naturalOrder(names: Iterable<string>): string[] {
  return Array.from(names, (name) => ({ name, parts: partsOf(name) }))
    .sort((a, b) => compareParts(a.parts, b.parts) || compareText(a.name, b.name))
    .map(({ name }) => name);
}

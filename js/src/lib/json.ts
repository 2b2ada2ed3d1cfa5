// Strings come first in the alternation, so that text inside them is not taken for a number.
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * Parses JSON text, and also the `NaN` and `Infinity` that Python's `json` module writes although JSON has no such
 * values: they become null, and `constants` counts them.
 *
 * @throws SyntaxError if the text is neither.
 */
export function looseJson(text: string): { value: unknown; constants: number } {
  try {
    return { value: JSON.parse(text), constants: 0 };
  } catch (cause) {
    let constants = 0;
    const strict = text.replace(TOKEN, (token) => {
      if (token.startsWith('"')) return token;
      constants++;
      return 'null';
    });
    if (constants === 0) throw cause;
    return { value: JSON.parse(strict), constants };
  }
}

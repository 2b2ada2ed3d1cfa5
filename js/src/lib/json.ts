// Text comes first in the alternatives: what is inside it is not a number.
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * The value of JSON text. Python's `json` module writes `NaN` and `Infinity`, which JSON does not have: they become null,
 * and `constants` counts them.
 *
 * @throws SyntaxError when it is neither.
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

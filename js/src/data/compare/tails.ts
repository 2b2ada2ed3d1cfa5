/** Two-sided p-values as logarithms: those of many cells are far below the smallest double. */

/** Terms of the continued fraction of erfc: enough for full precision at x ≥ 2. */
const ERFC_TERMS = 120;
const MAX_TERMS = 10_000;

/** Returns the natural logarithm of the two-sided p-value of a standard normal deviate. */
export function lnNormalTails(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  if (Number.isNaN(x)) return Number.NaN;
  if (x < 2) {
    // A series of positive terms, which loses no digits.
    let term = x;
    let sum = x;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return Math.log1p((-2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum);
  }
  let fraction = x;
  for (let n = ERFC_TERMS; n > 0; n--) fraction = x + n / 2 / fraction;
  return -x * x - Math.log(Math.sqrt(Math.PI) * fraction);
}

/** Returns ln(Γ(a + ½) / Γ(a)): the difference of two logarithms of Γ would lose the digits of a large `a`. */
function lnGammaRatio(a: number): number {
  let shift = 0;
  let at = a;
  for (; at < 30; at++) shift += Math.log(at / (at + 0.5));
  const square = at * at;
  const series = (-1 / 8 + (1 / 192 - (1 / 640 - 17 / 14336 / square) / square) / square) / at;
  return Math.log(at) / 2 + series + shift;
}

/**
 * Evaluates the continued fraction of Didonato and Morris by Lentz's method, for x = 1 − y below (a + 1) / (a + b + 2).
 * x^a y^b / B(a, b) divided by it is the incomplete beta function. Unlike the usual fraction, it keeps its digits for
 * many degrees of freedom.
 */
function betaFraction(a: number, b: number, x: number, y: number): number {
  const least = 1e-300;
  const sound = (value: number) => (Math.abs(value) < least ? least : value);
  const skew = a * y - b * x + 1;
  let fraction = (a * skew) / (a + 1);
  let c = fraction;
  let d = 0;
  for (let m = 1; m < MAX_TERMS; m++) {
    const before = a + 2 * m - 1;
    const above = ((m * (a + m - 1)) / before) * ((a + b + m - 1) / before) * (b - m) * x * x;
    const below = m + (m * (b - m) * x) / before + ((a + m) * (skew + m * (1 + y))) / (a + 2 * m + 1);
    d = 1 / sound(below + above * d);
    c = sound(below + above / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 4e-16) break;
  }
  return fraction;
}

/** Returns the natural logarithm of the two-sided p-value of Student's t; `df` is the degrees of freedom. */
export function lnStudentTails(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN;
  const ratio = (t * t) / df;
  if (ratio === Infinity) return -Infinity;
  // The p-value is the incomplete beta function I_x(df / 2, ½) at x = df / (df + t²).
  const a = df / 2;
  const lnX = -Math.log1p(ratio);
  const rest = ratio / (1 + ratio);
  if (rest === 0) return 0;
  // x^a y^½ / B(a, ½), where ln(1 / B(a, ½)) = ln(Γ(a + ½) / Γ(a)) − ln √π
  const front = a * lnX + Math.log(rest) / 2 + lnGammaRatio(a) - Math.log(Math.PI) / 2;
  const x = 1 / (1 + ratio);
  if (x < (a + 1) / (a + 2.5)) return Math.min(0, front - Math.log(betaFraction(a, 0.5, x, rest)));
  return Math.log1p(-Math.exp(front) / betaFraction(0.5, a, rest, x));
}

/** Adjusts base-10 logarithms of p-values for multiple tests (Benjamini–Hochberg); ignores NaN. */
export function adjusted(log10P: ArrayLike<number>): Float64Array {
  const out = new Float64Array(log10P.length).fill(Number.NaN);
  const order = Array.from(log10P, (_, i) => i).filter((i) => !Number.isNaN(log10P[i]));
  order.sort((i, j) => (log10P[j] as number) - (log10P[i] as number));
  let least = 0;
  order.forEach((i, at) => {
    const rank = order.length - at;
    least = Math.min(least, (log10P[i] as number) + Math.log10(order.length / rank));
    out[i] = least;
  });
  return out;
}

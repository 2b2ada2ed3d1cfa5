import { formatCount } from '../lib/format';

/** Translates a text and replaces `%1`, `%2`, … by the values. */
export type Say = (text: string, ...values: string[]) => string;

/** Returns the text in English, as written in the code. */
export const plainly: Say = (text, ...values) =>
  text.replace(/%(\d)/g, (_, number: string) => values[Number(number) - 1] ?? '');

let translate: Say = plainly;

/** Translates a text with the translation set for this page. */
export const say: Say = (text, ...values) => translate(text, ...values);

/** Formats a count with the text for one or for many; `%1` stands for the count. */
export const counted = (count: number, one: string, many: string): string =>
  say(count === 1 ? one : many, formatCount(count));

/** Sets the translation; call once, before any form is rendered. */
export function translateWith(other: Say): void {
  translate = other;
}

/** A text for people, in their language; `%1`, `%2` … stand for the values. */
export type Say = (text: string, ...values: string[]) => string;

/** English, as it is written here. */
export const plainly: Say = (text, ...values) =>
  text.replace(/%(\d)/g, (_, number: string) => values[Number(number) - 1] ?? '');

let translate: Say = plainly;

/** What every form on this page says. */
export const say: Say = (text, ...values) => translate(text, ...values);

/** From now on in another language: set once, before any form is drawn. */
export function translateWith(other: Say): void {
  translate = other;
}

import { counted } from './format';

/** Subset of JSON Schema used by the contracts. */
export interface Shape {
  type?: string;
  $ref?: string;
  $defs?: Readonly<Record<string, Shape>>;
  properties?: Readonly<Record<string, Shape>>;
  required?: readonly string[];
  /** Values of an object whose names are arbitrary. */
  additionalProperties?: Shape;
  const?: unknown;
  enum?: readonly unknown[];
  pattern?: string;
  /** In code points. */
  minLength?: number;
  maxLength?: number;
  items?: Shape;
  prefixItems?: readonly Shape[];
  anyOf?: readonly Shape[];
  /** Instead of `oneOf`, which lists the same shapes. */
  discriminator?: { propertyName: string; mapping: Readonly<Record<string, string>> };
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
}

const NAMES: Record<string, string> = {
  object: 'an object',
  array: 'an array',
  string: 'a string',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  null: 'null',
};

function isOf(value: unknown, type: string, exact: boolean): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  // `looseJson` parses the NaN that other programs write as null, a missing value.
  if (type === 'number') return exact ? Number.isFinite(value) : typeof value === 'number' || value === null;
  return type === 'null' ? value === null : typeof value === type;
}

/**
 * Describes the first mismatch of a value with its shape, such as: “columns[2].chunks” should be an array.
 * Returns null if there is none. Ignores fields, kinds and names that the shape does not define: a later version may
 * have added them. With `exact`, refuses unknown kinds, and null for numbers.
 */
export function differs(value: unknown, whole: Shape, { exact = false } = {}): string | null {
  const resolved = (shape: Shape): Shape => {
    if (!shape.$ref) return shape;
    const definition = whole.$defs?.[shape.$ref.slice('#/$defs/'.length)];
    if (!definition) throw new Error(`The contract has no ${shape.$ref}.`);
    return definition;
  };

  const check = (value: unknown, node: Shape, path: string): string | null => {
    const shape = resolved(node);
    if (shape.anyOf || shape.discriminator) return checkAlternatives(value, shape, path);
    if (shape.type && !isOf(value, shape.type, exact))
      return `“${path}” should be ${NAMES[shape.type] ?? shape.type}`;
    const allowed = shape.enum ?? (shape.const === undefined ? null : [shape.const]);
    if (allowed && !allowed.includes(value)) return `“${path}” should be ${allowed.join(', ')}`;
    if (typeof value === 'number') return numberProblem(value, shape, path);
    if (typeof value === 'string') return stringProblem(value, shape, path);
    if (Array.isArray(value)) return checkItems(value, shape, path);
    return isOf(value, 'object', exact) ? checkFields(value as Record<string, unknown>, shape, path) : null;
  };

  const checkAlternatives = (value: unknown, shape: Shape, path: string): string | null => {
    if (shape.discriminator) {
      const { propertyName, mapping } = shape.discriminator;
      const tag = isOf(value, 'object', exact) ? (value as Record<string, unknown>)[propertyName] : undefined;
      if (typeof tag !== 'string') return `“${path}.${propertyName}” should be a string`;
      if (!Object.hasOwn(mapping, tag))
        return exact ? `“${path}.${propertyName}” should be ${Object.keys(mapping).join(', ')}` : null;
      return check(value, { $ref: mapping[tag] ?? '' }, path);
    }
    const alternatives = shape.anyOf ?? [];
    const problems = alternatives.map((option) => check(value, option, path));
    // Report the closest alternative: for an object, what is wrong inside it rather than “should be null”.
    return problems.includes(null)
      ? null
      : (problems.find((_, at) => fits(value, alternatives[at])) ?? problems[0] ?? null);
  };
  const fits = (value: unknown, shape: Shape | undefined) => {
    const type = shape && resolved(shape).type;
    return type !== undefined && isOf(value, type, exact);
  };

  const checkItems = (value: readonly unknown[], shape: Shape, path: string): string | null => {
    if (value.length < (shape.minItems ?? 0) || value.length > (shape.maxItems ?? Number.POSITIVE_INFINITY))
      return `“${path}” should have ${shape.minItems ?? shape.maxItems} items, not ${value.length}`;
    for (let at = 0; at < value.length; at++) {
      const item = shape.prefixItems?.[at] ?? shape.items;
      const problem = item ? check(value[at], item, `${path}[${at}]`) : null;
      if (problem) return problem;
    }
    return null;
  };

  const checkFields = (value: Record<string, unknown>, shape: Shape, path: string): string | null => {
    const at = (name: string) => (path ? `${path}.${name}` : name);
    for (const name of shape.required ?? [])
      if (!Object.hasOwn(value, name)) return `“${at(name)}” is missing`;
    const { properties = {}, additionalProperties: other } = shape;
    for (const name of Object.keys(other ? value : properties)) {
      const part = Object.hasOwn(properties, name) ? properties[name] : other;
      const problem = part && Object.hasOwn(value, name) ? check(value[name], part, at(name)) : null;
      if (problem) return problem;
    }
    return null;
  };

  return check(value, whole, '');
}

function stringProblem(
  value: string,
  { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Shape,
  path: string,
): string | null {
  const { length } = [...value];
  if (length < minLength) return `“${path}” should have at least ${counted(minLength, 'character')}`;
  if (length > maxLength) return `“${path}” should have at most ${counted(maxLength, 'character')}`;
  return pattern === undefined || new RegExp(pattern).test(value)
    ? null
    : `“${path}” should match ${pattern}`;
}

function numberProblem(value: number, shape: Shape, path: string): string | null {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = shape;
  if (minimum !== undefined && value < minimum) return `“${path}” should be at least ${minimum}`;
  if (maximum !== undefined && value > maximum) return `“${path}” should be at most ${maximum}`;
  if (above !== undefined && value <= above) return `“${path}” should be more than ${above}`;
  return below !== undefined && value >= below ? `“${path}” should be less than ${below}` : null;
}

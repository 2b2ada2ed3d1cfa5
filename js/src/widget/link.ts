/** Views of one group, moved together inside the page. */
export interface Linked {
  group: string;
  /** Tells apart sets of cells: a selection means nothing to another set. */
  cells: number;
  /** What others of the group did. */
  receive(state: Record<string, unknown> | null, selection: { bits: Uint8Array | null } | null): void;
}

/** Each widget of a page has a module of its own: they meet here. */
const KEY = Symbol.for('karospace.linked');
const SHARED = ['camera', 'color', 'hidden', 'range'] as const;

function members(): Set<Linked> {
  const page = globalThis as unknown as Record<symbol, Set<Linked> | undefined>;
  page[KEY] ??= new Set();
  return page[KEY];
}

export function join(member: Linked): () => void {
  members().add(member);
  return () => members().delete(member);
}

const others = (member: Linked) =>
  [...members()].filter((other) => other !== member && member.group !== '' && other.group === member.group);

/** Hands on what linked views share of the fields that were changed. */
export function shareState(member: Linked, state: Record<string, unknown>, changed: readonly string[]): void {
  const names = SHARED.filter((name) => changed.includes(name));
  if (names.length === 0) return;
  const shared = Object.fromEntries(names.map((name) => [name, state[name]]));
  for (const other of others(member)) other.receive(shared, null);
}

export function shareSelection(member: Linked, bits: Uint8Array | null): void {
  for (const other of others(member)) {
    if (other.cells === member.cells) other.receive(null, { bits });
  }
}

import type { StateFields } from '../contract/host';

/** View that shares camera, colors, hidden categories and selection with others of its group on the page. */
export interface Linked {
  group: string;
  /** Checksum of the cell IDs: selections are only shared between views of the same cells. */
  cells: number;
  /** Receives changes made in other views of the group. */
  receive(state: StateFields | null, selection: { bits: Uint8Array | null } | null): void;
}

/** Global registry, because each widget on a page loads its own copy of this module. */
const KEY = Symbol.for('karospace.linked');
const SHARED_FIELDS = ['camera', 'color', 'hidden', 'isolated', 'range'] as const;

function members(): Set<Linked> {
  const page = globalThis as unknown as Record<symbol, Set<Linked> | undefined>;
  page[KEY] ??= new Set();
  return page[KEY];
}

/** Links a view with the others of its group. Returns a function that ends this. */
export function join(member: Linked): () => void {
  members().add(member);
  return () => members().delete(member);
}

const others = (member: Linked) =>
  [...members()].filter((other) => other !== member && member.group !== '' && other.group === member.group);

/** Forwards the changed fields that linked views share. */
export function shareState(member: Linked, state: StateFields, changed: readonly string[]): void {
  const names = SHARED_FIELDS.filter((name) => changed.includes(name));
  if (names.length === 0) return;
  const shared = Object.fromEntries(names.map((name) => [name, state[name]]));
  for (const other of others(member)) other.receive(shared, null);
}

export function shareSelection(member: Linked, bits: Uint8Array | null): void {
  for (const other of others(member)) {
    if (other.cells === member.cells) other.receive(null, { bits });
  }
}

/** JSON data that nobody modifies: to the lists of the generated types, readonly ones cannot be assigned. */
export type Plain<T> = T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;

/** JSON for people and programs; numbers that JSON does not have are "NaN", "Infinity" and "-Infinity". */
export function toJsonText(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'number' && !Number.isFinite(item) ? String(item) : item),
    2,
  );
}

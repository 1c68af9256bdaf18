/** The bytes of one field of a protocol buffer. */
export type Field = Uint8Array;

/** A field that holds a whole number of at least 0. */
export const number = (id: number, value: number): Field =>
  Uint8Array.from([...varint(id * 8), ...varint(value)]);

/** A field that holds text. */
export const text = (id: number, value: string): Field =>
  bytes(id, new TextEncoder().encode(value));

/** A field that holds another message, or the values of a tensor. */
export const bytes = (id: number, value: Uint8Array): Field =>
  joined([Uint8Array.from([...varint(id * 8 + 2), ...varint(value.length)]), value]);

/** A field that holds a message of these fields. */
export const message = (id: number, fields: readonly Field[]): Field => bytes(id, joined(fields));

/** Fields one after the other. */
export function joined(fields: readonly Field[]): Uint8Array {
  const all = new Uint8Array(fields.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const field of fields) {
    all.set(field, at);
    at += field.length;
  }
  return all;
}

/** Seven bits a byte, the lowest first; all but the last with the eighth set. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

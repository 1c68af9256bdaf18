import { isObject, type SchemaObject, type TypeName, types } from './keywords.js';

/** Whether no value is valid against both of two schemas, as far as types, constants and required properties tell. */
export function areDisjoint(a: unknown, b: unknown): boolean {
  if (a === false || b === false) return true;
  if (!isObject(a) || !isObject(b)) return false;
  const [valuesA, valuesB] = [valuesOf(a), valuesOf(b)];
  if (valuesA && valuesB) return !valuesA.some((value) => valuesB.includes(value));
  const [typesA, typesB] = [typesOf(a), typesOf(b)];
  if (!typesA.some((type) => typesB.includes(type))) return true;
  const shared = requiredOf(a).filter((name) => requiredOf(b).includes(name));
  return (
    [typesA, typesB].every((all) => all.join() === 'object') &&
    shared.some((name) => areDisjoint(propertyOf(a, name), propertyOf(b, name)))
  );
}

function valuesOf({ const: constant, enum: values }: SchemaObject): string[] | undefined {
  if (constant !== undefined) return [JSON.stringify(constant)];
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : undefined;
}

/** The types of its values; an integer is a number too. */
function typesOf(schema: SchemaObject): TypeName[] {
  const { type, const: constant, enum: values } = schema;
  const given = constant === undefined ? values : [constant];
  if (Array.isArray(given)) return [...new Set(given.map(typeOf))];
  if (schema.properties !== undefined && type === undefined) return [...types];
  const named = (type === undefined ? types : Array.isArray(type) ? type : [type]) as TypeName[];
  return [...new Set(named.map((name) => (name === 'integer' ? 'number' : name)))];
}

function typeOf(value: unknown): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as TypeName;
}

const requiredOf = ({ required }: SchemaObject): readonly string[] =>
  Array.isArray(required) ? required : [];
const propertyOf = ({ properties }: SchemaObject, name: string): unknown =>
  isObject(properties) ? properties[name] : undefined;

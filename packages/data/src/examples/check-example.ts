import { type ExampleFormat, type ExampleOf, formats, keysOf, type ValueKind } from './formats.js';

type Fields = Readonly<Record<string, unknown>>;

/** Examples of one format. */
export type Examples<F extends ExampleFormat = ExampleFormat> = {
  [Format in F]: {
    readonly format: Format;
    readonly examples: readonly ExampleOf[Format][];
    /** Where each example stands in its file, counted from 1: a line of JSON lines, a row of Parquet. */
    readonly places: readonly number[];
  };
}[F];

/** The first of some formats whose keys an example has; the most specific one first. */
export function formatOf<F extends ExampleFormat>(
  value: unknown,
  accepted: readonly F[],
): F | undefined {
  if (!isObject(value)) return undefined;
  const has = (format: F) => Object.keys(formats[format].keys).every((key) => isThere(value, key));
  return [...accepted]
    .sort((a, b) => Object.keys(formats[b].keys).length - Object.keys(formats[a].keys).length)
    .find(has);
}

/** What is wrong with an example of a format; undefined where nothing is. */
export function problemOf(value: unknown, format: ExampleFormat): string | undefined {
  if (!isObject(value)) return `is ${described(value)}; expected an object with ${keysOf(format)}`;
  const { keys, optional = {} } = formats[format];
  for (const [key, kind] of Object.entries(keys)) {
    if (!isThere(value, key)) {
      const there = Object.keys(value).filter((name) => isThere(value, name));
      const others = there.map((name) => `'${name}'`);
      return `has ${others.join(', ') || 'no key'}; expected ${keysOf(format)}`;
    }
    const problem = kinds[kind](value[key]);
    if (problem) return `'${key}' ${problem}`;
  }
  for (const [key, kind] of Object.entries(optional)) {
    const problem = isThere(value, key) ? kinds[kind](value[key]) : undefined;
    if (problem) return `'${key}' ${problem}`;
  }
  return mixedProblem(value, format);
}

/** Prompt and answers are all texts or all messages. */
function mixedProblem(value: Fields, format: ExampleFormat): string | undefined {
  const parts = Object.entries(formats[format].keys).filter(([, kind]) => eitherKinds.has(kind));
  const [first, ...others] = parts.map(([key]) => key);
  const isText = (key: string) => typeof value[key] === 'string';
  const other = others.find((key) => isText(key) !== isText(first!));
  if (other === undefined) return undefined;
  const named = (key: string) => `'${key}' is ${isText(key) ? 'a text' : 'messages'}`;
  return `${named(first!)} and ${named(other)}; expected texts, or messages, for all`;
}

const eitherKinds: ReadonlySet<ValueKind> = new Set(['turns', 'answer']);

/** An example with the keys of its format alone. */
export function exampleOf<F extends ExampleFormat>(value: Fields, format: F): ExampleOf[F] {
  const { keys, optional = {} } = formats[format];
  const wanted = Object.entries({ ...keys, ...optional }).filter(([key]) => isThere(value, key));
  return Object.fromEntries(
    wanted.map(([key, kind]) => [key, kind === 'class' ? String(value[key]) : value[key]]),
  ) as unknown as ExampleOf[F];
}

const kinds: Record<ValueKind, (value: unknown) => string | undefined> = {
  text: (value) =>
    typeof value === 'string' ? undefined : `is ${described(value)}; expected a text`,
  turns: (value) => (typeof value === 'string' ? undefined : turnsProblem(value, 'a text, or ')),
  answer: (value) =>
    typeof value === 'string' ? undefined : messagesProblem(value, 'a text, or '),
  class: (value) =>
    typeof value === 'string' || Number.isInteger(value) || typeof value === 'boolean'
      ? undefined
      : `is ${described(value)}; expected the name or the number of a class`,
  boolean: (value) =>
    typeof value === 'boolean' ? undefined : `is ${described(value)}; expected true or false`,
  list: (value) => (Array.isArray(value) ? undefined : `is ${described(value)}; expected an array`),
  messages: (value) => messagesProblem(value),
};

function messagesProblem(value: unknown, or = ''): string | undefined {
  const problem = turnsProblem(value, or);
  if (problem) return problem;
  return (value as Fields[]).some(({ role }) => role === 'assistant')
    ? undefined
    : "has no message of the role 'assistant', so there is nothing to learn; expected at least one";
}

/** @param or what else the value may be, for the message */
function turnsProblem(value: unknown, or = ''): string | undefined {
  if (!Array.isArray(value) || value.length === 0) {
    return `is ${described(value)}; expected ${or}an array of messages with 'role' and 'content'`;
  }
  for (const [i, message] of value.entries()) {
    if (!isObject(message) || typeof message.role !== 'string') {
      return `holds ${described(message)} at ${i}; expected a message with 'role' and 'content'`;
    }
  }
  return undefined;
}

/** Absent and null are the same: Parquet has null where a row lacks a value. */
const isThere = (value: Fields, key: string): boolean =>
  Object.hasOwn(value, key) && value[key] !== null && value[key] !== undefined;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value in an error, cut where it is long. */
function described(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

import { ShapeError } from '@headwise/core';
import {
  type ElementType,
  type Program,
  type StorageBinding,
  shaderOf,
  storageOf,
} from './program.js';

/** How tensors that are larger than one binding are bound. */
export interface Division {
  /** The number of bindings of each such tensor. */
  readonly pieces: Readonly<Record<string, number>>;
  /** Bytes of each binding but the last: a multiple of every element's. */
  readonly bytes: number;
}

const elementBytes: Readonly<Record<ElementType, number>> = {
  f16: 2,
  f32: 4,
  i32: 4,
  u32: 4,
  'atomic<u32>': 4,
  vec2u: 8,
  vec2f: 8,
  vec2h: 4,
  vec4h: 8,
  vec4u: 16,
  vec4f: 16,
};

const made = new WeakMap<Program, Map<string, Program>>();

/**
 * The variant of a program for tensors that are larger than one binding: each is bound as consecutive pieces of its
 * buffer, and every `name[i]` becomes `read_name(i)` or `write_name(i, value)`, which find the piece.
 *
 * @throws ShapeError where the program uses such a tensor in another way
 */
export function divided(program: Program, { pieces, bytes }: Division): Program {
  const variants = made.get(program) ?? new Map<string, Program>();
  made.set(program, variants);
  const key = JSON.stringify([pieces, bytes]);
  const existing = variants.get(key);
  if (existing) return existing;
  const { description } = program;
  const large = new Set(Object.keys(pieces));
  const storage = storageOf(description);
  const wgsl = shaderOf(
    description,
    storage.flatMap((binding) => pieceBindings(binding, pieces[binding.name] ?? 1)),
    [
      ...storage
        .filter(({ name }) => large.has(name))
        .map((binding) =>
          accessFunctions(binding, pieces[binding.name]!, bytes / elementBytes[binding.type]),
        ),
      throughFunctions(program.label, withoutComments(description.wgsl), large),
    ].join('\n'),
  );
  const variant = { ...program, wgsl };
  variants.set(key, variant);
  return variant;
}

const pieceName = (name: string, i: number): string => `${name}_piece${i}`;

const pieceBindings = (binding: StorageBinding, count: number): StorageBinding[] =>
  count === 1
    ? [binding]
    : Array.from({ length: count }, (_, i) => ({ ...binding, name: pieceName(binding.name, i) }));

/**
 * WGSL of `read_name(i)`, and of `write_name(i, value)` where the tensor is written.
 *
 * @param elements of each piece but the last
 */
function accessFunctions(
  { name, type, access }: StorageBinding,
  count: number,
  elements: number,
): string {
  const atPiece = (code: (element: string) => string) =>
    Array.from({ length: count }, (_, i) => {
      const element = `${pieceName(name, i)}[i - ${i * elements}u]`;
      return i === count - 1
        ? code(element)
        : `if (i < ${(i + 1) * elements}u) { ${code(element)} }`;
    }).join('\n');
  const read = /* wgsl */ `
    fn read_${name}(i: u32) -> ${type} {
      ${atPiece((element) => `return ${element};`)}
    }
  `;
  if (access === 'read') return read;
  return /* wgsl */ `
    ${read}
    fn write_${name}(i: u32, value: ${type}) {
      ${atPiece((element) => `${element} = value; return;`)}
    }
  `;
}

const withoutComments = (wgsl: string): string => wgsl.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '');

/** A body with every element of some tensors read and written by `read_name` and `write_name`. */
function throughFunctions(label: string, body: string, large: ReadonlySet<string>): string {
  const use = new RegExp(`(?<![\\w.])(${[...large].join('|')})\\b`, 'g');
  let text = '';
  let done = 0;
  for (let found = use.exec(body); found; found = use.exec(body)) {
    const [name] = found;
    const line = body.slice(found.index).split('\n')[0];
    const refused = () =>
      new ShapeError(
        `${label}: '${name}' is larger than one binding and stands in '${line}'; expected ${name}[i], read or assigned`,
      );
    const open = body.slice(use.lastIndex).match(/^\s*\[/)?.[0].length;
    const pointer = /[(,=]\s*&\s*$/.test(body.slice(0, found.index));
    if (open === undefined || pointer) throw refused();
    const start = use.lastIndex + open;
    const end = closing(body, start);
    const index = `u32(${throughFunctions(label, body.slice(start, end), large)})`;
    const rest = body.slice(end + 1);
    text += body.slice(done, found.index);
    const assigned = rest.match(/^\s*([-+*/%&|^]?)=(?!=)/);
    if (assigned) {
      const from = end + 1 + assigned[0].length;
      const to = body.indexOf(';', from);
      const value = throughFunctions(label, body.slice(from, to).trim(), large);
      const operator = assigned[1];
      const whole = operator ? `read_${name}(${index}) ${operator} (${value})` : value;
      text += `write_${name}(${index}, ${whole})`;
      done = to;
    } else if (/^\s*(\+\+|--|(\.\w+|\[[^\]]*\])\s*=(?!=))/.test(rest)) {
      throw refused();
    } else {
      text += `read_${name}(${index})`;
      done = end + 1;
    }
    use.lastIndex = done;
  }
  return text + body.slice(done);
}

/** The place of the bracket that closes the one before `start`. */
function closing(text: string, start: number): number {
  let depth = 1;
  for (let i = start; ; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return i;
  }
}

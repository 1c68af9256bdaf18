/** The element types of a storage buffer that a program may declare. */
export type ElementType =
  | 'f32'
  | 'f16'
  | 'i32'
  | 'u32'
  | 'vec2u'
  | 'vec4u'
  | 'vec2f'
  | 'vec4f'
  | 'vec2h'
  | 'vec4h'
  | 'atomic<u32>';

/** The types of a field of the uniform `params`. */
export type ParamType = 'f32' | 'i32' | 'u32';

/** What a compute program reads, writes and runs. */
export interface ProgramDescription<I extends string, O extends string, U extends string> {
  /** Names the program in errors and captures, e.g. `headwise/RmsNorm`. */
  label: string;
  /** WGSL extensions to enable, e.g. `subgroups`; `f16` is where a buffer holds halves. */
  enable?: readonly string[] | undefined;
  /** Storage buffers that are read, by name. */
  inputs: Record<I, ElementType>;
  /** Storage buffers that are written, by name. */
  outputs: Record<O, ElementType>;
  /** Fields of the uniform `params`, by name. */
  params: Record<U, ParamType>;
  /**
   * The body: helper functions and the entry point `main`. Every binding must be used; one that may be larger than a
   * binding of the device (see `divided`) is read as `name[i]` and written as `name[i] = value;` only.
   */
  wgsl: string;
}

/** A compute program; pipelines are cached by its identity, so make one a variant and keep it. */
export interface Program<
  I extends string = string,
  O extends string = string,
  U extends string = string,
> {
  readonly label: string;
  readonly inputs: readonly I[];
  readonly outputs: readonly O[];
  readonly params: readonly (readonly [U, ParamType])[];
  /** What the storage buffers hold, by name. */
  readonly types: Readonly<Record<string, ElementType>>;
  /** What it was made from. */
  readonly description: ProgramDescription<I, O, U>;
  /** The whole shader. */
  readonly wgsl: string;
}

/** A storage buffer as a shader declares it. */
export interface StorageBinding {
  name: string;
  type: ElementType;
  access: 'read' | 'read_write';
}

/**
 * Writes the declarations of a program's bindings before its body.
 *
 * Inputs come first, then outputs, then the uniform struct `params`.
 */
export function defineProgram<I extends string, O extends string, U extends string>(
  description: ProgramDescription<I, O, U>,
): Program<I, O, U> {
  const { label, inputs, outputs, params, wgsl } = description;
  return {
    label,
    inputs: Object.keys(inputs) as I[],
    outputs: Object.keys(outputs) as O[],
    params: Object.entries(params) as [U, ParamType][],
    types: { ...inputs, ...outputs },
    description,
    wgsl: shaderOf(description, storageOf(description), wgsl),
  };
}

type AnyDescription = ProgramDescription<string, string, string>;

/** The storage buffers of a program, in the order of its bindings. */
export function storageOf({ inputs, outputs }: AnyDescription): StorageBinding[] {
  const bindings = (of: Record<string, ElementType>, access: StorageBinding['access']) =>
    Object.entries(of).map(([name, type]) => ({ name, type, access }));
  return [...bindings(inputs, 'read'), ...bindings(outputs, 'read_write')];
}

/** A whole shader: extensions, the storage buffers and then the uniform `params`, and a body. */
export function shaderOf(
  { enable = [], params }: Pick<AnyDescription, 'enable' | 'params'>,
  storage: readonly StorageBinding[],
  body: string,
): string {
  const fields = Object.entries(params).map(([name, type]) => `${name}: ${type}`);
  const ofHalves = storage.some(
    ({ type }) => type === 'f16' || type === 'vec2h' || type === 'vec4h',
  );
  return [
    ...[...enable, ...(ofHalves ? ['f16'] : [])].map((extension) => `enable ${extension};`),
    `struct Params { ${fields.join(', ')} }`,
    ...storage.map(
      ({ name, type, access }, binding) =>
        `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${type}>;`,
    ),
    `@group(0) @binding(${storage.length}) var<uniform> params: Params;`,
    body,
  ].join('\n');
}

/** Keeps one program for each variant that was asked for. */
export function variants<K, P>(
  keyOf: (variant: K) => string,
  make: (variant: K) => P,
): (variant: K) => P {
  const made = new Map<string, P>();
  return (variant) => {
    const key = keyOf(variant);
    let program = made.get(key);
    if (program === undefined) {
      program = make(variant);
      made.set(key, program);
    }
    return program;
  };
}

/** The element types of a storage buffer that a program may declare. */
export type ElementType = 'f32' | 'i32' | 'u32' | 'vec2u' | 'vec4u' | 'vec4f' | 'atomic<u32>';

/** The types of a field of the uniform `params`. */
export type ParamType = 'f32' | 'i32' | 'u32';

/** What a compute program reads, writes and runs. */
export interface ProgramDescription<I extends string, O extends string, U extends string> {
  /** Names the program in errors and captures, e.g. `headwise/RmsNorm`. */
  label: string;
  /** WGSL extensions to enable, e.g. `subgroups`. */
  enable?: readonly string[];
  /** Storage buffers that are read, by name. */
  inputs: Record<I, ElementType>;
  /** Storage buffers that are written, by name. */
  outputs: Record<O, ElementType>;
  /** Fields of the uniform `params`, by name. */
  params: Record<U, ParamType>;
  /** The body: helper functions and the entry point `main`. Every binding must be used. */
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
  /** The whole shader. */
  readonly wgsl: string;
}

/**
 * Writes the declarations of a program's bindings before its body.
 *
 * Inputs come first, then outputs, then the uniform struct `params`.
 */
export function defineProgram<I extends string, O extends string, U extends string>(
  description: ProgramDescription<I, O, U>,
): Program<I, O, U> {
  const { label, enable = [], inputs, outputs, params, wgsl } = description;
  const fields = Object.entries(params) as [U, ParamType][];
  let binding = 0;
  const storage = (access: string) => (entry: [string, ElementType]) =>
    `@group(0) @binding(${binding++}) var<storage, ${access}> ${entry[0]}: array<${entry[1]}>;`;
  const lines = [
    ...enable.map((extension) => `enable ${extension};`),
    `struct Params { ${fields.map(([name, type]) => `${name}: ${type}`).join(', ')} }`,
    ...Object.entries<ElementType>(inputs).map(storage('read')),
    ...Object.entries<ElementType>(outputs).map(storage('read_write')),
    `@group(0) @binding(${binding}) var<uniform> params: Params;`,
  ];
  return {
    label,
    inputs: Object.keys(inputs) as I[],
    outputs: Object.keys(outputs) as O[],
    params: fields,
    types: { ...inputs, ...outputs },
    wgsl: `${lines.join('\n')}\n${wgsl}`,
  };
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

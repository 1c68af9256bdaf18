import type { Mask, Score, ScoreMod } from '@headwise/attention';
import { InputError, type Layer, type ParamStore, quoted } from '@headwise/core';
import { refuse } from '@headwise/core/internal';
import type { AttentionPosition, InputPosition } from '@headwise/positions';
import type { BlockParts, CrossBlock, CrossBlockParts } from '@headwise/transformer';

/** The places of a configuration that take a part of one's own, and what each takes. */
export interface OwnParts {
  /** Added to the embeddings, or acting within attention; one for each stack. */
  position: AttentionPosition | InputPosition;
  /** One for each attention layer. */
  score: Score;
  /** Combined with the topology's own mask by `and`. */
  mask: Mask;
  /** Applied to scores after positions. */
  mod: ScoreMod;
  norm: Layer;
  feedForward: Layer;
  /** With `parts.cross`, in the decoder of an encoder-decoder, a block with cross-attention. */
  block: Layer | CrossBlock;
}

/** A place of a configuration that takes a part of one's own. */
export type OwnSlot = keyof OwnParts;

/** What a part is made for. */
export interface PartContext {
  /** Of the stack that the part belongs to; an encoder-decoder has one of each. */
  topology: 'decoder' | 'encoder';
  /** The longest sequence; null where there is no limit. */
  maxLength: number | null;
  /** `L` */
  layers: number;
  /** `D` */
  dim: number;
  /** `H` */
  heads: number;
  /** `Hkv` */
  kvHeads: number;
  /** `Dh` */
  headDim: number;
  /** The width of what keys and values are made from: `D`. */
  kvDim: number;
  /** What the configuration says of the part. */
  options: Readonly<Record<string, unknown>>;
}

/** What a block is made for: its layers, made already. */
export interface BlockContext extends PartContext {
  parts: BlockParts & Partial<CrossBlockParts>;
}

/** What a part for a slot is made for. */
export type ContextOf<S extends OwnSlot> = S extends 'block' ? BlockContext : PartContext;

/** Makes a part of one's own; `params` is where its parameters lie. */
export type PartFactory<S extends OwnSlot = OwnSlot> = (
  params: ParamStore,
  context: ContextOf<S>,
) => OwnParts[S];

/** A part of one's own in a configuration, by the name under which it was registered. */
export interface OwnPart<S extends OwnSlot = OwnSlot> {
  kind: 'own';
  name: string;
  /** Plain data, which is saved and given to the factory. */
  options?: Readonly<Record<string, unknown>> | undefined;
  /** The factory, where it was given itself; default the registered one. */
  make?: PartFactory<S> | undefined;
}

/** What a configuration takes beside its named kinds: an instance without parameters, or a factory. */
export type GivenPart<S extends OwnSlot> = OwnParts[S] | PartFactory<S>;

const registered: { readonly [S in OwnSlot]: Map<string, PartFactory<S>> } = {
  position: new Map(),
  score: new Map(),
  mask: new Map(),
  mod: new Map(),
  norm: new Map(),
  feedForward: new Map(),
  block: new Map(),
};

/**
 * Gives a part of one's own a name, under which configurations hold it: `{ kind: 'own', name }`.
 *
 * A model with such a part is saved, and loaded wherever the name is registered.
 *
 * @throws InputError for a slot that takes none, and for a name that another factory has
 * @example
 * registerPart('norm', 'scale-norm', (params, { dim }) => new ScaleNorm(params, dim));
 * createModel({ ...config, norm: { kind: 'own', name: 'scale-norm' } });
 */
export function registerPart<S extends OwnSlot>(slot: S, name: string, make: PartFactory<S>): void {
  const names = Object.hasOwn(registered, slot) ? registered[slot] : undefined;
  if (!names) {
    throw new InputError(
      `registerPart: the slot is ${quoted(slot)}; expected one of ${Object.keys(registered).join(', ')}`,
    );
  }
  checkFactory(`registerPart: '${name}'`, make);
  const before = names.get(name);
  if (before && before !== make) {
    throw new InputError(`registerPart: the ${slot} '${name}' is registered already`);
  }
  names.set(name, make);
}

const aFactory = 'a function (params, context) that returns the part';

function checkFactory(what: string, make: unknown): void {
  const isClass = /^class\b/.test(Function.prototype.toString.call(make ?? (() => {})));
  if (typeof make !== 'function' || isClass) refuse(what, make, aFactory);
}

/** Whether a value is an instance for a slot. */
const isInstance: { readonly [S in OwnSlot]: (given: Record<string, unknown>) => boolean } = {
  position: ({ apply, forward }) => isFunction(apply) || isFunction(forward),
  score: (given) => typeof given.name === 'string' && 'scale' in given,
  mask: ({ name, inputs }) => typeof name === 'string' && Array.isArray(inputs),
  mod: ({ of }) => isFunction(of),
  norm: ({ forward }) => isFunction(forward),
  feedForward: ({ forward }) => isFunction(forward),
  block: ({ forward }) => isFunction(forward),
};

const isFunction = (value: unknown): boolean => typeof value === 'function';

/**
 * A value of a configuration, with an instance or a factory as the part that it stands for; others as they are.
 *
 * @throws InputError for a class
 */
export function ownPartOf<S extends OwnSlot>(slot: S, given: unknown, what: string): unknown {
  if (typeof given === 'function') {
    checkFactory(what, given);
    const make = given as PartFactory<S>;
    return { kind: 'own', name: nameOf(slot, make) ?? (given.name || 'a function'), make };
  }
  if (typeof given !== 'object' || given === null || 'kind' in given) return given;
  if (!isInstance[slot](given as Record<string, unknown>)) return given;
  const { name } = (Object.getPrototypeOf(given) as object | null)?.constructor ?? Object;
  return { kind: 'own', name, make: () => given };
}

const nameOf = <S extends OwnSlot>(slot: S, make: PartFactory<S>): string | undefined =>
  [...registered[slot]].find(([, known]) => known === make)?.[0];

/**
 * Throws unless a part can be made.
 *
 * @throws InputError for a name that is not registered
 */
export function checkOwnPart(slot: OwnSlot, part: OwnPart, what: string): void {
  if (part.make || registered[slot].has(part.name)) return;
  const known = [...registered[slot].keys()];
  throw new InputError(
    `${what} is the part "${part.name}", which is not registered; call registerPart('${slot}', '${part.name}', …) first${known.length > 0 ? `; registered are ${known.join(', ')}` : ''}`,
  );
}

/**
 * A part as it is saved.
 *
 * @throws InputError for an instance or a factory that is not registered
 */
export function savedPart(slot: OwnSlot, { name, options, make }: OwnPart, what: string): OwnPart {
  const known = make ? nameOf(slot, make) : name;
  if (known !== undefined) return { kind: 'own', name: known, ...(options ? { options } : {}) };
  throw new InputError(
    `${what} is a part of your own, ${name}, without a registered name; only such parts are saved: registerPart('${slot}', 'a-name', …), and { kind: 'own', name: 'a-name' } in its place`,
  );
}

/**
 * The factory of a part.
 *
 * @throws InputError for a name that is not registered
 */
export function factoryOf<S extends OwnSlot>(slot: S, part: OwnPart): PartFactory<S> {
  checkOwnPart(slot, part, `'${slot}'`);
  return (part.make ?? registered[slot].get(part.name)) as PartFactory<S>;
}

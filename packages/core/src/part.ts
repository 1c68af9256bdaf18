import * as tf from '@tensorflow/tfjs';
import { InputError } from './errors.js';

/** What a value is, for messages: `class LayerNorm`, `an instance of LayerNorm`, `'causal'`. */
function described(given: unknown): string {
  if (given instanceof tf.Tensor) return `a tensor of shape [${given.shape.join(', ')}]`;
  if (Array.isArray(given)) return `a list of ${given.length}`;
  if (isClass(given)) return `class ${given.name}`;
  if (typeof given === 'function') return 'a function';
  if (typeof given === 'string') return `'${given.slice(0, 60)}'`;
  if (typeof given !== 'object' || given === null) return String(given);
  const name = (Object.getPrototypeOf(given) as object | null)?.constructor?.name;
  return name && name !== 'Object' ? `an instance of ${name}` : 'an object';
}

const isClass = (given: unknown): given is { name: string } =>
  typeof given === 'function' && /^class\b/.test(Function.prototype.toString.call(given));

/** @throws InputError that says what a value is, and what was expected */
export function refuse(what: string, given: unknown, expected: string): never {
  throw new InputError(`${what} is ${described(given)}; expected ${expected}`);
}

/**
 * Throws unless a value has some methods, as the parts of layers and blocks do.
 *
 * @param what names the part in the message, e.g. `PreNormBlock: norm1`
 * @param methods by name
 * @param expected what to pass, with an example
 * @throws InputError with what was given and what was expected
 * @example checkPart('attention: position', position, ['apply'], 'a position, such as new RotaryPosition(…)');
 */
export function checkPart(
  what: string,
  given: unknown,
  methods: readonly string[],
  expected: string,
): void {
  const fits =
    typeof given === 'object' &&
    given !== null &&
    methods.every((name) => typeof (given as Record<string, unknown>)[name] === 'function');
  if (!fits) refuse(what, given, expected);
}

/**
 * Throws unless a value is a layer.
 *
 * @param what names the part in the message
 * @throws InputError with what was given
 */
export function checkLayer(what: string, given: unknown): void {
  checkPart(
    what,
    given,
    ['forward'],
    'a layer, an object with forward(x, ctx), such as new LayerNorm(params, { dim })',
  );
}

/**
 * Throws unless a value is a `ParamStore`.
 *
 * @param what names the layer in the message
 * @throws InputError with what was given
 */
export function checkParams(what: string, given: unknown): void {
  checkPart(
    `${what}: params`,
    given,
    ['at', 'get', 'matrix'],
    'a ParamStore, such as new ParamStore().at(name)',
  );
}

import { type Initializer, initializers } from '@headwise/core';
import type { ModelConfiguration } from './model-configuration.js';

/** How the weights of a model start. */
export interface Initializers {
  /** Tables of tokens and positions. */
  table: Initializer;
  /** An output head with weights of its own. */
  head: Initializer;
  /** A matrix of so many inputs. */
  matrix(inputs: number): Initializer;
  /** A matrix of so many inputs, whose product is added to the residual stream. */
  residual(inputs: number): Initializer;
}

/** The initializers that a configuration names. */
export function initializersOf({ init = {}, layers }: ModelConfiguration): Initializers {
  const { std = 0.02, byDepth = false, byFanIn = false, zero = [] } = init;
  const deviation = (inputs: number) => (byFanIn ? std / Math.sqrt(inputs) : std);
  const depth = byDepth ? Math.sqrt(2 * layers) : 1;
  const table = initializers.normal(std);
  return {
    table,
    head: zero.includes('head') ? initializers.zeros : table,
    matrix: (inputs) => initializers.normal(deviation(inputs)),
    residual: (inputs) =>
      zero.includes('residual')
        ? initializers.zeros
        : initializers.normal(deviation(inputs) / depth),
  };
}

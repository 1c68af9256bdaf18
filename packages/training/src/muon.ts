import { InputError } from '@headwise/core';
import { type MatrixLayout, matrixOf } from '@headwise/core/internal';
import {
  adamwRule,
  joinedState,
  type MuonAdjustment,
  type MuonParameter,
  muonState,
  type OptimizerParameter,
  optimizerState,
} from '@headwise/kernels/internal';
import { checkAtLeast0, checkShares, type OptimizerClass, optimizerClass } from './fused.js';
import type { ByPath, ByPathOptions, Optimizer } from './optimizer.js';

/** `weightDecay` is 0.1 by default; a number is that of the matrices that Muon updates. */
export interface MuonOptions extends ByPathOptions {
  /** Default 0.95. */
  momentum?: number | undefined;
  /** Looks ahead by the momentum; default true. */
  nesterov?: boolean | undefined;
  /** Of the Newton–Schulz iteration `aX + (bA + cA²)X`; default 3.4445, −4.775, 2.0315. */
  coefficients?: readonly [a: number, b: number, c: number] | undefined;
  /** Newton–Schulz iterations a step; default 5. */
  iterations?: number | undefined;
  /** The least that a matrix' norm is taken for; default 1e-7. */
  epsilon?: number | undefined;
  /** The factor of a map's step: `original` is `√max(1, out / in)`, the default; `match-rms-adamw` is `0.2 √max(out, in)`. */
  adjust?: MuonAdjustment | undefined;
  /** The parameters that Muon updates; default the weights of linear maps but that of an output head. AdamW updates the rest. */
  matrices?: ByPath<boolean> | undefined;
  /** How a matrix lies in memory; default as its layer made it, `out-in` where no layer did. */
  layout?: ByPath<MatrixLayout> | undefined;
  /**
   * The outputs of each map that lies side by side with others in a matrix and is orthogonalised by itself; default as its
   * layer made it: queries, keys and values of one matrix are three maps.
   */
  parts?: ByPath<readonly number[] | undefined> | undefined;
  /** Of the parameters that are left to AdamW. */
  adamw?: MuonAdamWOptions | undefined;
}

/** AdamW beside Muon. */
export interface MuonAdamWOptions {
  /** Multiplies the learning rate; default 1. */
  rate?: number | undefined;
  /** Default 0.9. */
  beta1?: number | undefined;
  /** Default 0.95. */
  beta2?: number | undefined;
  /** Default 1e-8. */
  epsilon?: number | undefined;
}

/**
 * Muon: steps by the orthogonalised average of each matrix' gradients; AdamW for all that is not a matrix of a linear map.
 *
 * `m ← μ m + (1 − μ) g`, `u = (1 − μ) g + μ m`, `p ← (1 − η λ) p − η f O(u)`, where `O` moves the singular values near 1 by a
 * Newton–Schulz iteration and `f` depends on the shape. As PyTorch computes it, in float32 throughout.
 *
 * @see Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; Liu et al. 2025, https://arxiv.org/abs/2502.16982
 */
export const Muon: OptimizerClass<MuonOptions> = optimizerClass(
  'muon',
  'Muon',
  (options, params) => {
    const { momentum = 0.95, nesterov = true, iterations = 5, epsilon = 1e-7 } = options;
    const { coefficients = [3.4445, -4.775, 2.0315], adjust = 'original' } = options;
    const { weightDecay = 0.1, rates = () => 1, matrices = isLinearMap } = options;
    const { rate = 1, beta1 = 0.9, beta2 = 0.95, epsilon: least = 1e-8 } = options.adamw ?? {};
    checkShares('Muon', { momentum, 'adamw.beta1': beta1, 'adamw.beta2': beta2 });
    checkAtLeast0('Muon: adamw.rate', rate);
    checkAtLeast0('Muon: adamw.epsilon', least);
    checkAtLeast0('Muon: epsilon', epsilon);
    if (!Number.isSafeInteger(iterations) || iterations < 1) {
      throw new InputError(`Muon: iterations is ${iterations}; expected a whole number from 1`);
    }
    const entries = Object.entries(params);
    const chosen = entries.map(([path, variable]) => matrices(path, variable));
    const own = numbersWhere(chosen, true);
    if (own.length === 0) {
      throw new InputError(
        `Muon: none of ${entries.length} parameters is the weight of a linear map; expected one, or 'matrices' that chooses some`,
      );
    }
    const isMatrix = new Map(entries.map(([path], i) => [path, chosen[i]!]));
    const numbers = { momentum, nesterov, coefficients, iterations, epsilon, adjust };
    return {
      choices: {
        weightDecay:
          typeof weightDecay === 'number'
            ? (path) => (isMatrix.get(path) ? weightDecay : 0)
            : weightDecay,
        rates: (path, variable) => rates(path, variable) * (isMatrix.get(path) ? 1 : rate),
      },
      state(parameters) {
        const others = numbersWhere(chosen, false);
        const of = (i: number) => matrixFor(entries[i]![0], parameters[i]!, options);
        return joinedState([
          { numbers: own, state: muonState(numbers, own.map(of)) },
          {
            numbers: others,
            state: optimizerState(
              adamwRule({ beta1, beta2, epsilon: least }),
              others.map((i) => parameters[i]!),
            ),
          },
        ]);
      },
    };
  },
);

/** What `new Muon` makes. */
export type Muon = Optimizer;

/** The weights of linear maps, apart from output heads, which are tables of the vocabulary. */
const isLinearMap: ByPath<boolean> = (path, variable) =>
  matrixOf(variable)?.table === false && !/(^|\.)head\./.test(path);

const numbersWhere = (chosen: readonly boolean[], value: boolean): number[] =>
  chosen.flatMap((is, i) => (is === value ? [i] : []));

/** A parameter as Muon's kernels take it. */
function matrixFor(
  path: string,
  parameter: OptimizerParameter,
  options: MuonOptions,
): MuonParameter {
  const { variable } = parameter;
  const { shape } = variable;
  if (shape.length !== 2) {
    throw new InputError(
      `Muon: '${path}' has shape [${shape.join(', ')}]; expected a matrix, or 'matrices' without it`,
    );
  }
  const made = matrixOf(variable);
  const layout = options.layout?.(path, variable) ?? made?.layout ?? 'out-in';
  const parts = options.parts ? options.parts(path, variable) : made?.parts;
  const outputs = shape[layout === 'out-in' ? 0 : 1]!;
  if (
    parts &&
    (parts.some((part) => !(part > 0)) || parts.reduce((a, b) => a + b, 0) !== outputs)
  ) {
    throw new InputError(
      `Muon: the parts of '${path}' are [${parts.join(', ')}]; expected positive ones that sum to its ${outputs} outputs`,
    );
  }
  return { ...parameter, layout, parts };
}

import type { LanguageModel } from '@headwise/core';
import type { LinearActivation, RotaryLayout } from '@headwise/kernels';
import {
  canStep,
  type DecodeExperts,
  type DecodeWeight,
  type HeadNorms,
  type Norm,
  type StepScoring,
} from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';

/** A linear map of the step; its weights stand side by side, their outputs one after the other. */
export interface StepLinear {
  readonly weights: readonly DecodeWeight[];
  /** `[Out]`, of all weights. */
  readonly bias?: tf.Tensor | undefined;
}

/** A feed-forward layer: `f(x W₁ + b₁) W₂ + b₂`, or `(f(x W_g + b_g) ∘ (x W_u + b_u)) W₂ + b₂` with a gate. */
export interface StepFeedForward {
  readonly gate?: DecodeWeight | undefined;
  readonly up: DecodeWeight;
  /** `[F]`; with a gate `[2 F]`, the gate's first. */
  readonly bias?: tf.Tensor | undefined;
  readonly activation: LinearActivation;
  readonly down: StepLinear;
}

/** A mixture of experts in place of one feed-forward layer; the router's choices stay on the device. */
export type StepExperts = DecodeExperts;

/** How attention and the feed-forward layer are joined; as a model configuration names them. */
export type StepBlockKind =
  | 'pre-norm'
  | 'post-norm'
  | 'sandwich-norm'
  | 'output-norm'
  | 'normed-stream'
  | 'parallel'
  | 'parallel-two-norms';

/** One block of the step. */
export interface StepLayer {
  /** Of its attention, the key of its rows in the key-value cache. */
  readonly path: string;
  readonly kind: StepBlockKind;
  readonly norm1: Norm;
  /** Default: none, as in parallel blocks with one norm. */
  readonly norm2?: Norm | undefined;
  /** Of what attention gives, and of what the feed-forward layer gives; default none. */
  readonly mixNorm?: Norm | undefined;
  readonly mlpNorm?: Norm | undefined;
  /** What is added to the residual stream is multiplied by it; default 1. */
  readonly residualScale?: number | undefined;
  /** Queries, keys and values of all heads: one fused weight, or three. */
  readonly qkv: StepLinear;
  /** Of queries and keys, before positions; default none. */
  readonly headNorms?: HeadNorms | undefined;
  /** Whether those are of all heads of a token at once; default of each head. */
  readonly acrossHeads?: boolean | undefined;
  /** `Hkv` */
  readonly kvHeads: number;
  /** Which of the plan's rotary positions it has; default none. */
  readonly rotary?: number | undefined;
  readonly scoring: Omit<StepScoring, 'turn'>;
  readonly out: StepLinear;
  readonly feedForward: StepFeedForward | StepExperts;
}

/** The head of a step: its scores, multiplied by `scale` before the bias, and `c tanh(s / c)` of them with a cap c. */
export interface StepHead extends StepLinear {
  readonly scale?: number | undefined;
  readonly softCap?: number | undefined;
}

/** Rotary positions of a step. */
export interface StepRotary {
  readonly layout: RotaryLayout;
  /** Cosines and sines of the positions up to `count`, row-major `[count, R / 2]`. */
  table(count: number): { cos: Float32Array; sin: Float32Array; pairs: number };
}

/**
 * A decoder's computation for one token, as data: what the fused step multiplies, normalises and attends with.
 *
 * It refers to the model's own parameters, and owns what had to be made for it.
 */
export interface StepPlan {
  readonly embedding: {
    /** `[V, D]`, whole or cut after some rows. */
    readonly table: readonly DecodeWeight[];
    readonly scale?: number | undefined;
    /** Added by position, `[maxLength, D]`. */
    readonly positions?: tf.Tensor2D | undefined;
    readonly norm?: Norm | undefined;
  };
  /** The rotary positions that layers name by their numbers; default none. */
  readonly rotary?: readonly StepRotary[] | undefined;
  readonly layers: readonly StepLayer[];
  /** Before the head; default none. */
  readonly norm?: Norm | undefined;
  readonly head: StepHead;
  /** Frees what was made for the plan; the parameters stay. */
  dispose(): void;
}

/** A model whose token step can be fused. */
export interface SteppedModel {
  /**
   * Its token step, from the parameters as they are now; undefined where a part has no fused form. The caller disposes it.
   */
  stepPlan(): StepPlan | undefined;
}

/** The token step of a model, where it has one that can be fused and the backend can record it; the caller disposes it. */
export function stepPlanOf(network: LanguageModel): StepPlan | undefined {
  return canStep() && 'stepPlan' in network && typeof network.stepPlan === 'function'
    ? (network as LanguageModel & SteppedModel).stepPlan()
    : undefined;
}

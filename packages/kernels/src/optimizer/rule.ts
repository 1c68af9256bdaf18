import type * as tf from '@tensorflow/tfjs';

/** When a step is made, and how far it goes. */
export interface Step {
  /** The number of this step, counted from 1. */
  step: number;
  learningRate: number;
}

/** One parameter in a step of plain operations. */
export interface RuleArguments<S extends string> {
  value: tf.Tensor;
  gradient: tf.Tensor;
  slots: Record<S, tf.Tensor>;
  /** The parameter's own factor of the learning rate. */
  rate: number;
  /** The parameter's weight decay. */
  decay: number;
}

/** An optimizer that treats every value of every parameter alike: the same update twice, in WGSL and in plain operations. */
export interface Rule<S extends string = string> {
  /** Names the rule, and with it the variant of the shader. */
  readonly name: string;
  /** What is kept of each value, 0 at first. */
  readonly slots: readonly S[];
  /** The numbers of a step that the shader reads as `params.<name>`; always of the same names. */
  numbers(step: Step): Record<string, number>;
  /**
   * Statements of the update of four values.
   *
   * In scope: `gradient: vec4f` after scaling, `rate: vec4f`, `decay: vec4f`, `params`, and the variables `value: vec4f` and one
   * vec4f for each slot, by its name, which the statements assign.
   */
  readonly wgsl: string;
  /** The new values of the parameter and its slots: the specification, and the path of other backends. */
  reference(given: RuleArguments<S>, step: Step): { value: tf.Tensor } & Record<S, tf.Tensor>;
}

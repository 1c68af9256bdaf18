import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { lowest } from '../dispatch/peak.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, type ParamType } from '../dispatch/program.js';
import { zeros } from '../dispatch/transfer.js';
import type { CheckedSampling } from './options.js';

/** The marks of a token: banned, in the source, raised; the bits below count how often it occurred. */
const marks = { banned: 0x80000000, source: 0x40000000, raised: 0x20000000 } as const;
const countBits = 0x1fffffff;

/** Adds one to the mark of every token of a list, or marks it. */
const markProgram = defineProgram({
  label: 'headwise/MarkTokens',
  inputs: { listed: 'i32' },
  outputs: { marks: 'atomic<u32>' },
  params: { size: 'u32', length: 'u32', vocabulary: 'u32', mark: 'u32' },
  wgsl: perElement(/* wgsl */ `
      let id = listed[i];
      if (id < 0 || u32(id) >= params.vocabulary) { return; }
      let place = (i / params.length) * params.vocabulary + u32(id);
      if (params.mark == 0u) { atomicAdd(&marks[place], 1u); } else { atomicOr(&marks[place], params.mark); }
      `),
});

interface MarkArguments {
  /** Lists of ids by what they mean. */
  inputs: Partial<Record<'history' | keyof typeof marks, tf.TensorInfo>>;
  backend: WebGPUBackend;
  attrs: { rows: number; vocabulary: number };
}

/** @returns how often each token occurred in each row, and its marks, `[B, V]` */
export function markKernel({ inputs, backend, attrs }: MarkArguments): tf.TensorInfo[] {
  const { rows, vocabulary } = attrs;
  let made = zeros(backend, [rows, vocabulary], 'int32');
  for (const [name, listed] of Object.entries(inputs)) {
    const length = listed.shape[1]!;
    const mark = name === 'history' ? 0 : marks[name as keyof typeof marks];
    ({ marks: made } = dispatch(backend, markProgram, {
      inputs: { listed },
      outputs: { marks: made },
      params: { size: rows * length, length, vocabulary, mark },
      workgroups: elementWorkgroups(rows * length),
    }));
  }
  return [made];
}

const penaltyParams = {
  repetition: 'f32',
  source: 'f32',
  frequency: 'f32',
  presence: 'f32',
  raise: 'f32',
  biases: 'u32',
  masks: 'u32',
  minus_infinity: 'u32',
} as const;

const plainScore = 'fn penalised(i: u32) -> f32 { return logits[i]; }';
/** Leaves the function where no bit of `allowed` stands for the token; needs `i`, and `vocabulary` of the uniform. */
const onlyAllowed = /* wgsl */ `
    let token = i % params.vocabulary;
    let mask = (i / params.vocabulary) % params.masks * ((params.vocabulary + 31u) / 32u);
    if (((allowed[mask + token / 32u] >> (token % 32u)) & 1u) == 0u) {
      return bitcast<f32>(params.minus_infinity);
    }
`;
const allowedScore = /* wgsl */ `
  fn penalised(i: u32) -> f32 {
    ${onlyAllowed}
    return logits[i];
  }
`;
const adjustedScore = (biased: boolean, masked: boolean) => /* wgsl */ `
  fn repeated(score: f32, penalty: f32) -> f32 {
    return select(score * penalty, score / penalty, score > 0.0);
  }
  fn penalised(i: u32) -> f32 {
    ${masked ? onlyAllowed : ''}
    var value = logits[i]${biased ? ' + bias[i % params.biases]' : ''};
    let mark = marks[i];
    if (mark == 0u) { return value; }
    if ((mark & ${marks.banned}u) != 0u) { return bitcast<f32>(params.minus_infinity); }
    if ((mark & ${marks.source}u) != 0u) { value = repeated(value, params.source); }
    let times = mark & ${countBits}u;
    if (times > 0u) {
      value = repeated(value, params.repetition) - params.frequency * f32(times) - params.presence;
    }
    if ((mark & ${marks.raised}u) != 0u && value >= ${lowest}) { value += params.raise * abs(value); }
    return value;
  }
`;

/** What scores are changed by: marks of single tokens, a bias of each, and bits of those that are allowed. */
export type Adjusting = readonly ('marks' | 'bias' | 'allowed')[];
const adjustingTypes = { marks: 'u32', bias: 'f32', allowed: 'u32' } as const;

export const adjustingInputs = (adjusting: Adjusting): Record<string, ElementType> =>
  Object.fromEntries(adjusting.map((name) => [name, adjustingTypes[name]]));
export const scoreWgsl = (adjusting: Adjusting): string => {
  const masked = adjusting.includes('allowed');
  if (adjusting.includes('marks')) return adjustedScore(adjusting.includes('bias'), masked);
  return masked ? allowedScore : plainScore;
};
export const adjustingParams = (adjusting: Adjusting): Record<string, ParamType> =>
  adjusting.length > 0 ? penaltyParams : {};

/** What there is of it; a bias comes with marks. */
export const adjustingOf = (
  given: Partial<Record<Adjusting[number], tf.TensorInfo | undefined>>,
): Adjusting => (['marks', 'bias', 'allowed'] as const).filter((name) => given[name] !== undefined);

export const adjustmentsOf = (
  options: CheckedSampling,
  raise: number,
  { bias, allowed }: { bias?: tf.TensorInfo | undefined; allowed?: tf.TensorInfo | undefined },
): Record<keyof typeof penaltyParams, number> => ({
  repetition: options.repetitionPenalty,
  source: 1 / options.encoderRepetitionPenalty,
  frequency: options.frequencyPenalty,
  presence: options.presencePenalty,
  raise,
  biases: bias ? bias.shape.reduce((size, n) => size * n, 1) : 1,
  masks: allowed ? allowed.shape[0]! : 1,
  // −∞, which no constant expression of WGSL may be.
  minus_infinity: 0xff800000,
});

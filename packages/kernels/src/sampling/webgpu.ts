import { checkShape } from '@headwise/core';
import { keyOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  checkState,
  type StepState,
  stateHeader,
  stateParams,
  stateValues,
} from '../decode/state.js';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { lowest, peakWgsl } from '../dispatch/peak.js';
import { defineProgram, type ElementType, type ParamType, variants } from '../dispatch/program.js';
import { perRow } from '../dispatch/row-group.js';
import { philoxWgsl } from '../philox/philox.js';
import {
  type Adjusting,
  adjustingInputs,
  adjustingOf,
  adjustingParams,
  adjustmentsOf,
  scoreWgsl,
} from './adjust.js';
import { cutOffStages, cutOffWgsl } from './cut-off.js';
import { type CheckedSampling, penalises, reached } from './options.js';
import { maskWords } from './penalties.js';
import { samplingGroups as lanes, samplingStream } from './reference.js';
import { selectWgsl } from './select.js';

const params = {
  rows: 'u32',
  vocabulary: 'u32',
  temperature: 'f32',
  greedy: 'u32',
  top_k: 'u32',
  top_p: 'f32',
  least: 'f32',
  sigmas: 'f32',
  typical: 'f32',
  epsilon: 'f32',
  eta: 'f32',
  cuts: 'u32',
  key0: 'u32',
  key1: 'u32',
  stages: 'u32',
  rounds: 'u32',
  digits: 'u32',
} as const;

/** WGSL of `seed_of(row)`, the key of a row's draw, `counter_of(row)`, its number, and `draw(row, id)`, which keeps what was drawn. */
const drawFromParams = /* wgsl */ `
  fn seed_of(row: u32) -> vec2u { return vec2u(params.key0, params.key1); }
  fn counter_of(row: u32) -> u32 { return row; }
  fn draw(row: u32, id: i32) { ids[row] = id; }
`;

/** What a shader does besides drawing: each takes time to compile, cut-offs the most. */
type Way = 'plain' | 'greedy' | 'cut-offs';

/** WGSL of whether a token stays. */
const stays = (way: Way) =>
  way === 'cut-offs' ? 'stays(kept, value, v, relative_to)' : `value >= ${lowest}`;

/** WGSL of the best token, which greedy draws take, and which cut-offs are relative to. */
const findBest = (way: Way) => /* wgsl */ `
    {
      var best = Peak(${lowest}, 0.0);
      var index = 0xffffffffu;
      for (var v = lane; v < params.vocabulary; v += ${lanes}u) {
        let value = score(start, v);
        refuse(value, v);
        if (value > best.largest || (value == best.largest && index == 0xffffffffu)) {
          best.largest = value;
          index = v;
        }
      }
      best_of(best.largest, index, lane);
      largest = workgroupUniformLoad(&values[0]);
      let bad = refused_token(lane);
      let found = workgroupUniformLoad(&indices[0]);
      if (params.greedy > 0u || bad != 0xffffffffu || found == 0xffffffffu) {
        let drawn = select(found, ~params.vocabulary, found == 0xffffffffu);
        if (lane == 0u) { draw(row, i32(select(~bad, drawn, bad == 0xffffffffu))); }
        return;
      }
      ${way === 'cut-offs' ? 'kept = cut_off(start, lane, largest);' : ''}
    }
`;

/**
 * One workgroup a row: its largest score, the cut-offs, and the draw.
 *
 * Where the score of token v is NaN or +∞ the id is −1 − v; where no token can be drawn it is −1 − V.
 *
 * @param score WGSL of `penalised(i: u32) -> f32`, a score of the logits with penalties
 * @param drawing WGSL of `seed_of(row: u32) -> vec2u`, `counter_of(row: u32) -> u32` and `draw(row: u32, id: i32)`, which one lane calls
 * at the end
 */
const sampleWgsl = (score: string, drawing: string, way: Way) => /* wgsl */ `
  ${philoxWgsl}
  ${peakWgsl('difference / params.temperature')}
  ${score}
  ${drawing}
  fn score(start: u32, v: u32) -> f32 { return penalised(start + v); }
  /** The scaled score relative to the best one, so that no temperature overflows. */
  fn scaled(score: f32, largest: f32) -> f32 { return (score - largest) / params.temperature; }
  fn share_of(score: f32, largest: f32) -> f32 { return exp(scaled(score, largest)); }
  ${
    way === 'cut-offs'
      ? `${selectWgsl}
         fn everything() -> Kept { return Kept(Cut(0u, 0xffffffffu), ${lowest}, 0.0, 0u); }
         ${cutOffWgsl}`
      : ''
  }

  var<workgroup> values: array<f32, ${lanes}>;
  var<workgroup> indices: array<u32, ${lanes}>;

  /** Leaves the largest value, and the least index that has it, in the first place. */
  fn best_of(value: f32, index: u32, lane: u32) {
    workgroupBarrier();
    values[lane] = value;
    indices[lane] = index;
    workgroupBarrier();
    for (var half = params.digits / 2u; half > 0u; half = half / 2u) {
      if (lane < half) {
        let other = values[lane + half];
        let ahead = other == values[lane] && indices[lane + half] < indices[lane];
        if (other > values[lane] || ahead) {
          values[lane] = other;
          indices[lane] = indices[lane + half];
        }
      }
      workgroupBarrier();
    }
  }

  fn uniform_of(word: u32) -> f32 { return f32(word >> 8u) * 0x1p-24; }

  // The complement of the first token with a score that is NaN or +∞, or 0.
  var<workgroup> refused: atomic<u32>;
  /** Compares bits, since compilers may assume that no value is NaN. */
  fn refuse(score: f32, v: u32) {
    let bits = bitcast<u32>(score);
    if ((bits & 0x7fffffffu) >= 0x7f800000u && bits != 0xff800000u) { atomicMax(&refused, ~v); }
  }
  var<workgroup> outcome: u32;
  fn refused_token(lane: u32) -> u32 {
    workgroupBarrier();
    if (lane == 0u) { outcome = ~atomicLoad(&refused); }
    return workgroupUniformLoad(&outcome);
  }

  var<workgroup> chosen_lane: u32;
  /** The first lane at which the running sum exceeds a random part of the whole. */
  fn choose_lane(word: u32) {
    var total = 0.0;
    for (var i = 0u; i < params.digits; i++) { total += values[i]; }
    let target_sum = uniform_of(word) * total;
    var sum = 0.0;
    for (var i = 0u; i < params.digits; i++) {
      if (values[i] > 0.0) { chosen_lane = i; }
      sum += values[i];
      if (sum > target_sum) { break; }
    }
  }

  ${perRow(
    lanes,
    'params.rows',
    /* wgsl */ `
    let start = row * params.vocabulary;

    ${way === 'cut-offs' ? 'var kept = everything();' : ''}
    var largest = ${lowest};
    ${way === 'plain' ? '' : findBest(way)}

    // What the kept tokens were found by; without cut-offs nothing.
    let relative_to = largest;
    var own = Peak(${lowest}, 0.0);
    for (var v = lane; v < params.vocabulary; v += ${lanes}u) {
      let value = score(start, v);
      refuse(value, v);
      if (${stays(way)}) {
        own = raised(own, value);
      }
    }
    best_of(own.largest, lane, lane);
    largest = workgroupUniformLoad(&values[0]);
    let bad = refused_token(lane);
    if (bad != 0xffffffffu) {
      if (lane == 0u) { draw(row, i32(~bad)); }
      return;
    }
    let words = philox(vec4u(0u, counter_of(row), 0u, ${samplingStream}u), seed_of(row));
    let own_sum = own.sum * share_of(own.largest, largest);
    values[lane] = own_sum;
    workgroupBarrier();
    if (lane == 0u) { choose_lane(words.x); }
    if (lane != workgroupUniformLoad(&chosen_lane)) { return; }
    // No token has a probability: every score is −∞.
    if (own_sum == 0.0) {
      draw(row, i32(~params.vocabulary));
      return;
    }

    let target_sum = uniform_of(words.y) * own_sum;
    var id = 0u;
    var sum = 0.0;
    for (var v = lane; v < params.vocabulary && sum <= target_sum; v += ${lanes}u) {
      let value = score(start, v);
      if (${stays(way)}) {
        let weight = share_of(value, largest);
        sum += weight;
        if (weight > 0.0) { id = v; }
      }
    }
    draw(row, i32(id));
  `,
  )}
`;

/** The same with a key for each row, which draws as it would alone. */
const drawFromSeeds = /* wgsl */ `
  fn seed_of(row: u32) -> vec2u { return vec2u(seeds[2u * row], seeds[2u * row + 1u]); }
  fn counter_of(row: u32) -> u32 { return 0u; }
  fn draw(row: u32, id: i32) { ids[row] = id; }
`;

/** What a program is written for. */
interface Variant {
  adjusting: Adjusting;
  way: Way;
}

const sampleProgram = variants(
  ({ adjusting, seeded, way }: Variant & { seeded: boolean }) => `${adjusting}/${seeded}/${way}`,
  ({ adjusting, seeded, way }) =>
    defineProgram({
      label: 'headwise/Sample',
      inputs: {
        logits: 'f32',
        ...adjustingInputs(adjusting),
        ...(seeded ? { seeds: 'u32' } : {}),
      } as Record<string, ElementType>,
      outputs: { ids: 'i32' },
      params: { ...params, ...adjustingParams(adjusting) } as Record<string, ParamType>,
      wgsl: sampleWgsl(scoreWgsl(adjusting), seeded ? drawFromSeeds : drawFromParams, way),
    }),
);

/** Draws a token of each row as a step of a recorded loop: seeds come from its state, and the drawn ids go there. */
const stepProgram = variants(
  ({ adjusting, way }: Variant) => `${adjusting}/${way}`,
  ({ adjusting, way }) =>
    defineProgram({
      label: 'headwise/SampleStep',
      inputs: {
        logits: 'f32',
        ...adjustingInputs(adjusting.filter((name) => name !== 'marks')),
      } as Record<string, ElementType>,
      outputs: {
        state: 'i32',
        drawn: 'i32',
        ...adjustingInputs(adjusting.filter((name) => name === 'marks')),
      } as Record<string, ElementType>,
      params: {
        ...params,
        ...adjustingParams(adjusting),
        ...stateParams,
        draws: 'u32',
      } as Record<string, ParamType>,
      wgsl: sampleWgsl(
        scoreWgsl(adjusting),
        /* wgsl */ `
        fn start_of(row: u32) -> u32 { return row * params.state_width; }
        fn slot_of(row: u32) -> u32 { return u32(state[start_of(row) + 2u]) % params.draws; }
        fn seed_of(row: u32) -> vec2u {
          return vec2u(bitcast<u32>(state[start_of(row) + ${stateHeader}u + slot_of(row)]), params.key1);
        }
        // Every row draws as it would alone.
        fn counter_of(row: u32) -> u32 { return 0u; }
        fn draw(row: u32, id: i32) {
          drawn[row * params.draws + slot_of(row)] = id;
          ${adjusting.includes('marks') ? 'if (id >= 0 && params.key0 > 0u) { marks[row * params.vocabulary + u32(id)] += 1u; }' : ''}
          let start = start_of(row);
          state[start] += 1;
          state[start + 1u] = id;
          state[start + 2u] += 1;
        }
      `,
        way,
      ),
    }),
);

/** What is known of the scores' row besides the options. */
interface RowValues {
  /** What raised tokens' scores grow by, in parts of their size. */
  raise: number;
}

interface SampleArguments {
  inputs: {
    logits: tf.TensorInfo;
    marks?: tf.TensorInfo | undefined;
    bias?: tf.TensorInfo | undefined;
    allowed?: tf.TensorInfo | undefined;
    /** Keys of the rows, `[B, 2]`; default: rows are drawn by one seed. */
    seeds?: tf.TensorInfo | undefined;
  };
  backend: WebGPUBackend;
  attrs: CheckedSampling & RowValues & { seed: number };
}

/** @returns ids, `[B]` */
export function sampleKernel({ inputs, backend, attrs }: SampleArguments): tf.TensorInfo[] {
  const { logits } = inputs;
  const adjusting = adjustingOf(inputs);
  const [rows, vocabulary] = logits.shape as [number, number];
  const values = valuesOf(attrs, rows, vocabulary, keyOf(attrs.seed));
  const { ids } = dispatch(
    backend,
    sampleProgram({ adjusting, seeded: inputs.seeds !== undefined, way: wayOf(values) }),
    {
      inputs: { ...inputs } as Record<string, tf.TensorInfo>,
      outputs: { ids: { shape: [rows], dtype: 'int32' as const } },
      params: {
        ...values,
        ...(adjusting.length > 0 ? adjustmentsOf(attrs, attrs.raise, inputs) : {}),
      },
      workgroups: spread(rows),
    },
  );
  return [ids!];
}

function wayOf({ greedy, cuts }: Record<'greedy' | 'cuts', number>): Way {
  if (greedy > 0) return 'greedy';
  return cuts > 0 ? 'cut-offs' : 'plain';
}

const valuesOf = (
  options: CheckedSampling,
  rows: number,
  vocabulary: number,
  [key0, key1]: readonly [number, number],
): Record<keyof typeof params, number> => {
  const cuts = {
    top_k: options.topK < vocabulary ? options.topK : 0,
    top_p: options.topP < 1 ? reached(options.topP) : 1,
    least: options.minP > 0 ? Math.log(reached(options.minP)) : Number(lowest),
    sigmas: options.topNSigma / reached(1),
    typical: options.typicalP < 1 ? reached(options.typicalP) : 1,
    epsilon: reached(options.epsilonCutoff),
    eta: options.etaCutoff,
  };
  const { topNSigma, topP, minP, typicalP, epsilonCutoff, etaCutoff } = options;
  const shares = topP < 1 || minP > 0 || typicalP < 1 || epsilonCutoff > 0 || etaCutoff > 0;
  return {
    rows,
    vocabulary,
    temperature: options.temperature === 0 ? 1 : options.temperature,
    greedy: options.temperature === 0 ? 1 : 0,
    ...cuts,
    cuts: shares || topNSigma > 0 || cuts.top_k > 0 ? 1 : 0,
    key0,
    key1,
    stages: cutOffStages.length,
    rounds: 8,
    digits: lanes,
  };
};

/** What a recorded step draws from, and where the drawn ids go. */
export interface StepDraw {
  state: StepState;
  /** int32, `[R, S]`: the drawn ids, in turns. */
  drawn: tf.Tensor2D;
  /** How often each token occurred and its marks, `[R, V]`, from `markTokens`; it is counted on. */
  marks?: tf.Tensor | undefined;
  /** Added to the scores, `[1, V]` or `[R, V]`; needs `marks`. */
  bias?: tf.Tensor2D | undefined;
  /** The tokens that may be drawn, int32 `[1, ⌈V / 32⌉]`: bit `v mod 32` of word `⌊v / 32⌋` for token `v`. */
  allowed?: tf.Tensor2D | undefined;
}

/**
 * Draws a token of each row as part of a step that is recorded, and advances its state: the next step reads the drawn ids.
 *
 * Where no token can be drawn the id is negative, as `checkDrawn` reads it.
 *
 * @param logits `[R, V]`
 * @throws ShapeError where shapes do not fit
 */
export function sampleStep(
  logits: tf.Tensor2D,
  { state, drawn, marks, bias, allowed }: StepDraw,
  options: CheckedSampling,
): void {
  checkState('sampleStep', state);
  const [rows, width] = state.shape;
  checkShape('sampleStep: logits', logits.shape, [rows, 'V']);
  const vocabulary = logits.shape[1];
  checkShape('sampleStep: drawn', drawn.shape, [rows, width - stateHeader]);
  if (marks) checkShape('sampleStep: marks', marks.shape, [rows, vocabulary]);
  if (bias) {
    checkShape('sampleStep: bias', bias.shape, [bias.shape[0] === 1 ? 1 : rows, vocabulary]);
  }
  if (allowed) {
    const masks = allowed.shape[0] === 1 ? 1 : rows;
    checkShape('sampleStep: allowed', allowed.shape, [masks, maskWords(vocabulary)]);
  }
  const adjusting = adjustingOf({ marks, bias, allowed });
  const read = { ...(bias ? { bias } : {}), ...(allowed ? { allowed } : {}) };
  // The first word says whether what is drawn counts for penalties.
  const values = valuesOf(options, rows, vocabulary, [penalises(options) ? 1 : 0, 0]);
  dispatch(tf.backend() as WebGPUBackend, stepProgram({ adjusting, way: wayOf(values) }), {
    inputs: { logits, ...read } as Record<string, tf.TensorInfo>,
    outputs: { state, drawn, ...(marks ? { marks } : {}) } as Record<string, tf.Tensor>,
    params: {
      ...values,
      ...(adjusting.length > 0 ? adjustmentsOf(options, 0, { bias, allowed }) : {}),
      ...stateValues(state),
      draws: drawn.shape[1],
    },
    workgroups: [rows],
  });
}

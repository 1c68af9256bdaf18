import type { Precision } from '@headwise/core';
import type { WeightDtype } from '@headwise/models';
import type { FinetuneSettings, Masking, Packing } from '@headwise/runs';
import type { Command } from 'commander';
import { integer, number } from '../numbers.js';

/** What the options of `headwise finetune` set. */
export interface FinetuneFlags {
  method: FinetuneSettings['method'];
  maxLength?: number;
  masking?: Masking;
  packing?: Packing | 'none';
  scheduledSampling?: number;
  validation?: number;
  steps?: number;
  epochs?: number;
  learningRate?: number;
  batchSize?: number;
  batchTokens?: number;
  checkpointActivations?: boolean;
  precision?: Precision;
  accumulate?: number;
  warmup?: number;
  weightDecay?: number;
  maxNorm?: number;
  emaDecay?: number;
  checkpointEvery?: number;
  seed?: number;
  rank?: number;
  alpha?: number;
  rslora?: boolean;
  dora?: boolean;
  loraDropout?: number;
  targets?: string[];
  dtype?: WeightDtype;
}

/** Adds the options that set a fine-tuning run; those that are left out have the method's defaults. */
export function addFinetuneFlags(command: Command): Command {
  return command
    .option('--epochs <x>', 'how often every example is seen; default 3', number)
    .option('--steps <n>', 'updates, in place of --epochs', integer)
    .option('--batch-size <n>', 'examples of a batch; default 8, of embed 32', integer)
    .option(
      '--batch-tokens <n>',
      'tokens of a batch at most, padding included: examples of like length together',
      integer,
    )
    .option('--accumulate <n>', 'batches of one update, in the memory of one; default 1', integer)
    .option(
      '--checkpoint-activations',
      'compute each block again in the backward pass: less memory, a fifth more time',
    )
    .option(
      '--precision <name>',
      'float32, or mixed: linear maps multiply and keep float16, on WebGPU with shader-f16; default float32',
    )
    .option('--learning-rate <x>', 'after the warm-up; default by method', number)
    .option('--warmup <x>', 'the share of the steps in which the rate rises; default 0.03', number)
    .option('--weight-decay <x>', 'of matrices; default by method', number)
    .option('--max-norm <x>', 'gradients are scaled down to this norm; default 1', number)
    .option(
      '--ema-decay <x>',
      'average the weights over the steps, each keeping this part, such as 0.99; the average is saved',
      number,
    )
    .option('--max-length <n>', 'the most tokens of an example; default 1024', integer)
    .option(
      '--packing <name>',
      'of pretrain, sft, lora and qlora: examples share rows of --max-length tokens, each seen by itself: best-fit, concatenate (cut where a row is full) or none; default none',
    )
    .option(
      '--scheduled-sampling <x>',
      "of seq2seq: the share of the decoder's inputs that it predicts itself, rising from 0 over the run; default 0",
      number,
    )
    .option(
      '--masking <unit>',
      'what mlm masks at once: token, whole-word or span (of words); default token',
    )
    .option('--validation <x>', 'the share of examples to measure on; default 0.1', number)
    .option('--rank <n>', 'of an adapter; default 16', integer)
    .option(
      '--alpha <x>',
      'updates of an adapter are scaled by alpha / rank; default 2 rank',
      number,
    )
    .option('--rslora', 'scale by alpha / √rank instead (rsLoRA)')
    .option('--dora', 'learn the norm of what each output sums apart from its direction (DoRA)')
    .option('--lora-dropout <x>', 'of the inputs of an adapter; default 0', number)
    .option(
      '--targets <names>',
      'the linear maps that an adapter updates, such as qProj,vProj; default all of the blocks',
      (names: string) => names.split(',').map((name) => name.trim()),
    )
    .option(
      '--dtype <type>',
      'frozen weights in memory: of lora f32, f16; of qlora int4, int8; of dpo, kto any',
    )
    .option('--seed <n>', 'of the adapter, the order of examples and dropout; default 0', integer)
    .option('--checkpoint-every <n>', 'steps between two checkpoints; default 100', integer);
}

/** The settings of a run, with the keys that were given. */
export function settingsOf(flags: FinetuneFlags): FinetuneSettings {
  const { method, rank, alpha, rslora, dora, loraDropout, targets, dtype } = flags;
  const { maxLength, masking, validation, packing, scheduledSampling: to } = flags;
  const { steps, epochs, learningRate, batchSize, batchTokens, accumulate } = flags;
  const { warmup, weightDecay, maxNorm, emaDecay, checkpointActivations, precision } = flags;
  const { checkpointEvery, seed } = flags;
  const adapter = given({
    rank,
    alpha,
    rankStabilized: rslora,
    dora,
    dropout: loraDropout,
    targets,
    weights: dtype,
  });
  return {
    method,
    ...(Object.keys(adapter).length > 0 ? { adapter } : {}),
    data: given({
      ...{ maxLength, masking, validation },
      packing: packing === 'none' ? undefined : packing,
    }),
    training: given({
      ...{ steps, epochs, learningRate, batchSize, batchTokens, accumulate },
      ...{ warmup, weightDecay, maxNorm, emaDecay, checkpointActivations, precision },
      ...{ checkpointEvery, seed },
      scheduledSampling:
        to === undefined ? undefined : { schedule: 'linear' as const, from: 0, to },
    }),
  };
}

const given = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;

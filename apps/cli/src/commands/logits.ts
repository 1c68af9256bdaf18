import { InputError, isEncoder, isLanguageModel, type Network } from '@headwise/core';
import { checkPrompt } from '@headwise/generation';
import type { WeightDtype } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { type Output, output } from '../output.js';
import { dtypeOption } from '../weights.js';

interface LogitsOptions {
  model: string;
  ids: string;
  decoderIds?: string;
  dtype?: WeightDtype | undefined;
  backend?: string;
  json?: boolean;
}

/** `headwise logits`: what a model gives for some ids; of decoders, the scores of the next token after each. */
export function logitsCommand(): Command {
  return new Command('logits')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .requiredOption('--ids <ids>', 'token ids, with commas: 1,2,3')
    .option('--decoder-ids <ids>', 'of an encoder-decoder: the output so far; default its start')
    .addOption(dtypeOption())
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: ids, shape [T, V] and logits, or outputs by name')
    .action(async (options: LogitsOptions) => {
      const out = output(options.json ?? false);
      const ids = parseIds(options.ids);
      const given = options.decoderIds;
      const decoderIds = given === undefined ? undefined : parseIds(given, '--decoder-ids');
      const backend = backendOption(options.backend);
      await checkModelFolder(options.model);
      await start(out, backend);
      const { network, params } = await loadModel(options.model, { dtype: options.dtype });
      checkPrompt(network, ids);
      if (isEncoder(network)) {
        refuseDecoderIds(decoderIds, 'an encoder');
        await showOutputs(out, ids, network.forward(row(ids)));
      } else if (isLanguageModel(network)) {
        refuseDecoderIds(decoderIds, 'a decoder');
        const logits = tf.tidy(() => network.forward(row(ids)));
        await showScores(out, { ids }, ids.length, logits, network);
      } else {
        const written = decoderIds ?? [network.startId];
        checkPrompt(network, written);
        const logits = tf.tidy(() => network.decode(row(written), network.encode(row(ids))));
        await showScores(out, { ids, decoderIds: written }, written.length, logits, network);
      }
      params.dispose();
    });
}

const row = (ids: readonly number[]): tf.Tensor => tf.tensor2d([...ids], [1, ids.length], 'int32');

function refuseDecoderIds(decoderIds: number[] | undefined, what: string): void {
  if (!decoderIds) return;
  throw new InputError(`--decoder-ids: the model is ${what}; expected an encoder-decoder`);
}

/** @param logits `[1, T, V]`, which is disposed */
async function showScores(
  out: Output,
  given: Record<string, readonly number[]>,
  length: number,
  logits: tf.Tensor,
  { vocabSize }: Network,
): Promise<void> {
  const [rows] = (await logits.array()) as number[][][];
  logits.dispose();
  out.emit({ ...given, shape: [length, vocabSize], logits: rows });
  out.say(`best next tokens after ${length} ids, of ${vocabSize}:`);
  for (const [id, score] of best(rows!.at(-1)!, 10)) {
    out.say(`${String(id).padStart(8)}  ${score.toFixed(5)}`);
  }
}

/** @param outputs `[1, …]` by name, which are disposed */
async function showOutputs(
  out: Output,
  ids: readonly number[],
  outputs: tf.NamedTensorMap,
): Promise<void> {
  const values: Record<string, unknown> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    const [own] = (await tensor.array()) as unknown[];
    const shape = tensor.shape.slice(1);
    values[name] = own;
    const first = [own].flat(Number.POSITIVE_INFINITY).slice(0, 8) as number[];
    out.say(`${name} [${shape.join(', ')}]`);
    out.say(
      `  ${first.map((value) => value.toFixed(5)).join('  ')}${tensor.size > 8 ? '  …' : ''}`,
    );
  }
  tf.dispose(outputs);
  out.emit({ ids, outputs: values });
}

/** Numbers with commas between them. */
export function parseIds(text: string, option = '--ids'): number[] {
  return text.split(',').map((part) => {
    if (!/^\s*\d+\s*$/.test(part)) {
      throw new InputError(`${option} '${text}': '${part}' is not a token id; expected e.g. 1,2,3`);
    }
    return Number(part);
  });
}

function best(scores: number[], count: number): [number, number][] {
  return scores
    .map((score, id): [number, number] => [id, score])
    .sort((a, b) => b[1] - a[1])
    .slice(0, count);
}

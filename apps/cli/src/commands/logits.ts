import { InputError, readTensor } from '@headwise/core';
import { checkPrompt } from '@headwise/generation';
import { languageModel } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { output } from '../output.js';

interface LogitsOptions {
  model: string;
  ids: string;
  backend?: string;
  json?: boolean;
}

/** `headwise logits`: the scores of the next token after each of some ids. */
export function logitsCommand(): Command {
  return new Command('logits')
    .description('print the scores of the next token after each id')
    .requiredOption('--model <dir>', 'a model folder')
    .requiredOption('--ids <ids>', 'token ids, with commas: 1,2,3')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: ids, shape [T, V], logits')
    .action(async (options: LogitsOptions) => {
      const out = output(options.json ?? false);
      const ids = parseIds(options.ids);
      await start(out, backendOption(options.backend));
      const { network, params } = languageModel(await loadModel(options.model));
      checkPrompt(network, ids);
      const logits = tf.tidy(() => network.forward(tf.tensor2d(ids, [1, ids.length], 'int32')));
      const values = await readTensor(logits);
      const rows = ids.map((_, t) =>
        values.subarray(t * network.vocabSize, (t + 1) * network.vocabSize),
      );
      out.emit({
        ids,
        shape: [ids.length, network.vocabSize],
        logits: rows.map((row) => [...row]),
      });
      out.say(`best next tokens after ${ids.length} ids, of ${network.vocabSize}:`);
      for (const [id, score] of best([...rows.at(-1)!], 10)) {
        out.say(`${String(id).padStart(8)}  ${score.toFixed(5)}`);
      }
      logits.dispose();
      params.dispose();
    });
}

/** Numbers with commas between them. */
export function parseIds(text: string): number[] {
  return text.split(',').map((part) => {
    if (!/^\s*\d+\s*$/.test(part)) {
      throw new InputError(`--ids '${text}': '${part}' is no token id; expected e.g. 1,2,3`);
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

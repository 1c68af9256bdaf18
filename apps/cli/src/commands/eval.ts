import { packTokenIds, sequentialBatches } from '@headwise/data';
import { languageModel, type WeightDtype } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { predictedBytes } from '@headwise/runs';
import { readCorpus } from '@headwise/runs/node';
import { loadTokenizerOf } from '@headwise/text/node';
import { bitsPerByte, causalLanguageModel, evaluate } from '@headwise/training';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { output } from '../output.js';
import { dtypeOption } from '../weights.js';

interface EvalOptions {
  model: string;
  text: string;
  dtype?: WeightDtype | undefined;
  backend?: string;
  json?: boolean;
}

/** `headwise eval`: how well a model predicts a text. */
export function evalCommand(): Command {
  return new Command('eval')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .requiredOption('--text <file>', 'a text file, a folder of .txt files, or npm:PACKAGE')
    .addOption(dtypeOption())
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: loss, perplexity, bitsPerByte, tokens, bytes')
    .action(async (options: EvalOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      const text = await readCorpus(options.text);
      const tokenizer = await loadTokenizerOf(options.model);
      await checkModelFolder(options.model);
      await start(out, backend);
      const { network, params } = languageModel(
        await loadModel(options.model, { dtype: options.dtype }),
      );
      const encoding = tokenizer.encode(text);
      const ids = packTokenIds(encoding.ids, network);
      const length = network.maxLength;
      const batches = sequentialBatches(ids, { batchSize: 8, length });
      const measured = await evaluate(causalLanguageModel(network), batches);
      const bytes = predictedBytes(text, encoding);
      const bits = bitsPerByte(measured, bytes);
      params.dispose();
      const { loss, perplexity, predicted: tokens } = measured;
      out.emit({ loss, perplexity, tokens, bitsPerByte: bits, bytes });
      out.say(`loss           ${loss.toFixed(4)} nats a token`);
      out.say(`perplexity     ${perplexity.toFixed(2)}`);
      out.say(`bits per byte  ${bits.toFixed(4)}`);
      out.say(`over           ${tokens} tokens, ${bytes} bytes`);
    });
}

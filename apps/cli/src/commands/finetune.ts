import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { checkOneOf, InputError } from '@headwise/core';
import { type ExampleFormat, type Examples, readExamples } from '@headwise/data';
import { tokenizerHash } from '@headwise/data/node';
import { checkPrecision } from '@headwise/kernels/internal';
import { carriedFiles, loadModel, readJson } from '@headwise/models/node';
import {
  classifierConfig,
  encodeExamples,
  encodeShards,
  type FinetuneConfig,
  type FinetuneData,
  type FinetuneMethod,
  finetuneMethods,
  finetuneWork,
  methodFormats,
  type OpenShards,
  parseFinetuneConfig,
  prepareFinetune,
  prepareShards,
  Session,
} from '@headwise/runs';
import {
  finetuneFiles,
  finetuneIdentity,
  openRunShards,
  RunFolder,
  weightsHash,
  withTensorBoard,
} from '@headwise/runs/node';
import { findChatTemplate, loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { endIdOf } from '../end-token.js';
import { checkModelFolder } from '../model-folder.js';
import { bytes } from '../numbers.js';
import { commandName, duration, type Output, output } from '../output.js';
import { readData } from '../read-data.js';
import { embeddingOf } from '../training/embedding.js';
import { addFinetuneFlags, type FinetuneFlags, settingsOf } from '../training/finetune-options.js';
import { showFinetunePlan } from '../training/plan.js';
import { reportRun } from '../training/report.js';
import { trainToEnd } from '../training/train-to-end.js';
import { isShards } from './data/stats.js';

interface FinetuneCommandOptions extends FinetuneFlags {
  model: string;
  data: string;
  out: string;
  memory?: number;
  resume?: boolean;
  tensorboard?: string;
  backend?: string;
  json?: boolean;
}

/** `headwise finetune`: teaches a model from examples, into a folder of a model or of an adapter. */
export function finetuneCommand(): Command {
  const command = new Command('finetune')
    .requiredOption('--model <dir>', 'the model folder to begin with')
    .requiredOption(
      '--data <file>',
      'examples as JSON lines or Parquet; of pretrain, lora, qlora also a folder of shards or a mixture.json',
    )
    .requiredOption('--method <name>', finetuneMethods.join(', '))
    .requiredOption('--out <dir>', 'the folder for the model or the adapter, and checkpoints');
  return addFinetuneFlags(command)
    .option(
      '--memory <size>',
      'refuse a run that is planned to take more, such as 4GB; default what this machine has',
      bytes,
    )
    .option('--resume', 'go on from the last checkpoint in the folder, if there is one')
    .option('--tensorboard <dir>', 'write losses and rates as event files of TensorBoard too')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON lines: backend, plan, data, step, validation, done')
    .addHelpText('after', formatsHelp())
    .action(async (options: FinetuneCommandOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      checkOneOf('--method', options.method, finetuneMethods);
      const config = parseFinetuneConfig(settingsOf(options), 'finetune');
      // Everything that can be refused is refused before the folder is touched.
      if (options.out === '') throw new InputError("--out is ''; expected the name of a folder");
      const { examples, corpus, sha256 } = await readSources(options.data, config);
      await checkModelFolder(options.model);
      const inputs = { config, base: await weightsHash(options.model), examples: sha256 };
      const folder = await RunFolder.of(options.out, finetuneIdentity(inputs), {
        resume: options.resume,
        warn: (line) => out.note(`headwise: ${line}`),
      });
      await folder.checkCorpus(inputs.examples, `--data ${options.data}`);
      const report = await start(out, backend);
      checkPrecision('finetune', config.training.precision);
      out.emit({ event: 'backend', ...report });
      out.say(`backend    ${report.backend}${report.adapter ? `, ${report.adapter}` : ''}`);
      const begun = performance.now();
      const tokenizer = await loadTokenizer(options.model);
      const chatTemplate = await findChatTemplate(options.model);
      const endId = await endIdOf(options.model);
      const json = await readJson(join(options.model, 'config.json'));
      const configuration =
        examples?.format === 'label' ? classifierConfig(json, examples.examples) : json;
      const embedding =
        config.method === 'embed' ? await embeddingOf(options.model, configuration) : undefined;
      for (const each of corpus?.shards ?? []) {
        each.checkTokenizer(tokenizerHash(tokenizer), options.model);
      }
      const shards = corpus && encodeShards(config, { opened: corpus, tokenizer }, configuration);
      const encoded =
        shards ??
        encodeExamples(
          config,
          { examples: examples!, tokenizer, chatTemplate, endId, embedding: embedding?.training },
          configuration,
        );
      await showFinetunePlan(out, config, encoded, { configuration, limit: options.memory });
      const open = async () => {
        const model = await loadModel(options.model, {
          dtype: config.adapter?.weights,
          ...(configuration === json ? {} : { configure: () => configuration }),
        });
        const data = shards
          ? await prepareShards(config, shards, model)
          : await prepareFinetune(config, encoded, model);
        return { model, data };
      };
      let opened: Awaited<ReturnType<typeof open>> | undefined = await open();
      const { data } = opened;
      describeExamples(out, config, data);
      const files = finetuneFiles(inputs);
      const beside = config.adapter
        ? {}
        : (await carriedFiles(options.model, { to: options.out })).write;
      await folder.begin({ ...embedding?.files, ...beside, ...files });
      const { tensorboard } = options;
      const storage = tensorboard === undefined ? folder : withTensorBoard(folder, tensorboard);
      try {
        const session = await trainToEnd(out, {
          open: async () => {
            const { model, data } = opened ?? (await open());
            opened = undefined;
            return Session.of(finetuneWork(config, data, model), storage);
          },
          steps: data.steps,
          folder,
          backend: report.backend,
        });
        if (!session) return;
        await reportRun(out, session, folder);
        finish(out, options, { config, chats: !!chatTemplate }, (performance.now() - begun) / 1000);
        session.dispose();
      } finally {
        await folder.release();
      }
    });
}

/** What is learned from: a folder of shards, a mixture of some (`.json`), or a file of examples. */
async function readSources(
  path: string,
  { method }: FinetuneConfig,
): Promise<{ examples?: Examples; corpus?: OpenShards; sha256: string }> {
  const isMixture = path.endsWith('.json');
  if (isMixture || isShards(path)) {
    const data = isMixture ? { mixture: path } : { shards: path };
    const corpus = await openRunShards(data);
    return { corpus, sha256: corpus.sha256 };
  }
  const file = await readData(path);
  const examples = await readExamples(file, path, methodFormats(method));
  return { examples, sha256: createHash('sha256').update(file).digest('hex') };
}

/** Tells how much there is to learn from, and what was cut. */
function describeExamples(
  out: Output,
  { data: { maxLength } }: FinetuneConfig,
  { counts, steps }: Pick<FinetuneData, 'counts' | 'steps'>,
): void {
  out.emit({ event: 'data', ...counts, steps });
  const { of = 'examples', train, validation, tokens, longest, cut, leftOut, rows } = counts;
  out.say(
    `data       ${train} ${of} with ${tokens} tokens to train on${rows === undefined ? '' : `, in ${rows} rows`}, ${validation} to validate; the longest has ${longest}`,
  );
  if (cut > 0)
    out.note(`headwise: ${cut} examples were cut to ${Math.min(maxLength, longest)} tokens`);
  if (leftOut > 0) {
    out.note(`headwise: ${leftOut} examples were left out: nothing of them is left to learn`);
  }
}

function finish(
  out: Output,
  { model, out: folder }: FinetuneCommandOptions,
  { config: { adapter, method }, chats }: { config: FinetuneConfig; chats: boolean },
  seconds: number,
): void {
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  out.emit({ event: 'done', folder, seconds, peakBytes });
  out.say(
    `\ndone in ${duration(seconds)}, peak memory ${(peakBytes / 2 ** 20).toFixed(0)} MiB; the ${adapter ? 'adapter' : 'model'} is in ${folder}`,
  );
  out.say('\nnext:');
  const dtype = !adapter || adapter.weights === 'f32' ? '' : ` --dtype ${adapter.weights}`;
  const use = adapter ? `--model ${model} --adapter ${folder}` : `--model ${folder}`;
  const next = (line: string) => out.say(`  ${commandName()} ${line}`);
  if (method === 'embed') {
    next(`embed --model ${folder} --data texts.jsonl --out vectors.jsonl`);
    next(`serve --model ${folder}`);
    out.say('  and there: POST /v1/embeddings');
    return;
  }
  if (method === 'classify' || method === 'mlm') {
    next(`logits ${use} --ids 1,2,3`);
    return;
  }
  if (chats && method !== 'seq2seq') next(`chat ${use}${dtype}`);
  next(`generate ${use}${dtype} --prompt "…" --stream`);
  if (adapter) next(`convert ${use} --out ${folder}-merged`);
}

/** The keys of an example of each format. */
const formatKeys: Readonly<Record<ExampleFormat, string>> = {
  text: 'text',
  completion: 'prompt and completion',
  messages: 'messages',
  preference: 'prompt, chosen and rejected: texts, or messages',
  judged: 'prompt, completion (texts, or messages) and label (true or false)',
  label: 'text and label',
  similar: 'anchor, positive and perhaps negative',
};

function formatsHelp(): string {
  const lines = finetuneMethods.map(
    (method: FinetuneMethod) =>
      `  ${method.padEnd(10)} ${methodFormats(method)
        .map((format) => formatKeys[format])
        .join('; or ')}`,
  );
  return `\nKeys of the examples, an object a line or a row:\n${lines.join('\n')}`;
}

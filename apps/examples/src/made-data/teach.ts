import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LanguageModel } from '@headwise/core';
import { collatedBatches, completions, readExamples } from '@headwise/data';
import { AdaptedModel, createModel, languageModel, type Model } from '@headwise/models';
import {
  type FinetuneSettings,
  finetuneWork,
  parseFinetuneConfig,
  prepareFinetune,
  Session,
} from '@headwise/runs';
import { finetuneFolder } from '@headwise/runs/node';
import type { Tokenizer } from '@headwise/tokenizers';
import { causalLanguageModel, Muon, train, warmupLinear } from '@headwise/training';
import type { World } from './language.js';

/** A model and its tokenizer. */
export interface Taught {
  readonly model: Model<LanguageModel>;
  readonly tokenizer: Tokenizer;
}

/** A model that learned from seed pairs to write instructions for texts and to score them, and never to answer. */
export async function teachFirst(
  { seeds }: Pick<World, 'seeds'>,
  tokenizer: Tokenizer,
  { seed, steps }: { seed: number; steps: number },
): Promise<Taught> {
  const sizes = { n_positions: 32, n_embd: 32, n_layer: 2, n_head: 4, n_inner: 64 };
  const dropout = { embd_pdrop: 0, attn_pdrop: 0, resid_pdrop: 0 };
  const model = languageModel(
    createModel(
      { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes, ...dropout },
      { seed },
    ),
  );
  const params = model.params.named();
  const optimizer = new Muon(params, { weightDecay: 0, adamw: { rate: 0.3 } });
  const ids = (text: string) => tokenizer.encode(text).ids;
  const examples = seeds.map((one) => ({
    prompt: ids(one.prompt),
    completion: ids(one.completion),
  }));
  const run = train({
    ...{ params, optimizer, steps },
    objective: causalLanguageModel(model.network),
    schedule: warmupLinear({ peak: 0.02, warmupSteps: steps / 10, totalSteps: steps }),
    batches: collatedBatches(examples, completions(), { batchSize: 32, seed }),
  });
  for await (const { step, loss } of run) {
    if ((step + 1) % 100 === 0)
      console.error(`first model: step ${step + 1}, loss ${loss.toFixed(3)}`);
  }
  optimizer.dispose();
  return { model, tokenizer };
}

/**
 * Fine-tunes a model on the examples of a folder, as `headwise finetune` does, into another folder.
 *
 * @returns the network with what it learned; `free` frees the adapter and the model
 */
export async function finetune(
  { model, tokenizer }: Taught,
  settings: FinetuneSettings,
  { from, to }: { from: string; to: string },
): Promise<{ readonly model: { readonly network: LanguageModel }; readonly free: () => void }> {
  const config = parseFinetuneConfig({ ...settings, data: { validation: 0 } });
  const path = join(from, 'examples.jsonl');
  const accepted = settings.method === 'dpo' ? 'preference' : 'completion';
  const examples = await readExamples(await readFile(path), path, [accepted]);
  const data = await prepareFinetune(config, { examples, tokenizer }, model);
  const folder = await finetuneFolder(to, { config });
  const session = await Session.of(finetuneWork(config, data, model), folder);
  for (let made = await session.advance(); made; made = await session.advance()) {
    const { step, loss } = made;
    if ((step + 1) % 20 === 0)
      console.error(`${settings.method}: step ${step + 1}, loss ${loss.toFixed(3)}`);
  }
  await folder.release();
  const { adapter } = session;
  const network = adapter ? new AdaptedModel(model.network, adapter) : model.network;
  return { model: { network: network as LanguageModel }, free: () => session.dispose() };
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createModel } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import { embed, loadEmbeddingModel } from '@headwise/text/node';
import { trainCharacter } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { expect, test } from 'vitest';
import { trainChatModel } from './chat-model.js';
import {
  headwise,
  headwiseHere,
  headwiseKilled,
  jsonLines,
  lossesOf,
  temporaryFolder,
} from './headwise.js';

const work = temporaryFolder();
const { model, chats } = await trainChatModel(work);

/** A new BERT with a tokenizer of characters. */
async function saveEncoder(folder: string): Promise<void> {
  const tokenizer = await trainCharacter(['abcdefghijklmnopqrstuvwxyz '], {
    specialTokens: ['[PAD]'],
  });
  const encoder = createModel({
    model_type: 'bert',
    architectures: ['BertModel'],
    vocab_size: tokenizer.vocabSize,
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_position_embeddings: 16,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  });
  await saveModel(folder, encoder);
  await saveTokenizer(tokenizer, join(folder, 'tokenizer.json'));
  encoder.params.dispose();
}

const finetune = (out: string, ...more: string[]) => [
  ...['finetune', '--model', model, '--data', chats, '--out', join(work, out)],
  ...['--method', 'lora', '--batch-size', '2', '--learning-rate', '0.02', ...more],
];

test('an adapter learns answers, and the model writes with it beside as it does merged', async () => {
  const { code, stdout, stderr } = await headwiseHere(
    finetune('adapter', '--steps', '16', '--json'),
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const events = jsonLines(stdout);
  expect(events.slice(0, 3).map(({ event }) => event)).toEqual(['backend', 'plan', 'data']);
  const [, plan] = events as [unknown, { peak: number; weights: number }];
  expect(plan.peak).toBeGreaterThan(plan.weights);
  expect(events[2]).toMatchObject({ event: 'data', train: 5, validation: 1, cut: 0, leftOut: 0 });
  const { history } = events.find(({ event }) => event === 'validation') as {
    history: { step: number; loss: number }[];
  };
  expect(history.map(({ step }) => step)).toEqual([0, 16]);
  expect(history[1]!.loss).toBeLessThan(history[0]!.loss - 0.1);

  const adapter = join(work, 'adapter');
  const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
  expect(config).toMatchObject({ peft_type: 'LORA', r: 16, lora_alpha: 32 });
  const merged = join(work, 'merged');
  const converted = ['convert', '--model', model, '--adapter', adapter, '--out', merged];
  expect((await headwiseHere(converted)).code).toBe(0);
  const written = async (...from: string[]) => {
    const sampling = ['--max-new-tokens', '12', '--temperature', '1', '--seed', '3', '--json'];
    const run = await headwiseHere(['generate', ...from, '--prompt', 'u:where', ...sampling]);
    return JSON.parse(run.stdout).ids;
  };
  const beside = await written('--model', model, '--adapter', adapter);
  expect(beside).toEqual(await written('--model', merged));
  expect(beside).not.toEqual(await written('--model', model));
});

test('all weights are trained into a folder that carries the tokenizer and the chat template', async () => {
  const { code, stdout } = await headwiseHere(finetune('whole', '--method', 'sft', '--steps', '2'));
  expect(code).toBe(0);
  const whole = join(work, 'whole');
  expect(stdout).toContain(`headwise chat --model ${whole}\n`);
  for (const name of ['model.safetensors', 'tokenizer.json', 'chat_template.jinja']) {
    expect(existsSync(join(whole, name)), name).toBe(true);
  }
  const generate = ['generate', '--model', whole, '--prompt', 'the', '--max-new-tokens', '2'];
  expect(await headwiseHere(generate)).toMatchObject({ code: 0, stderr: '' });
});

test('sentence vectors are trained, measured, and made by `embed` from the folder', async () => {
  const encoder = join(work, 'encoder');
  await saveEncoder(encoder);
  const pairs = join(work, 'pairs.jsonl');
  // The first two letters tell what belongs together, and the others do not.
  const letter = (i: number) => String.fromCharCode(97 + (i % 26));
  const rows = Array.from({ length: 52 }, (_, i) => {
    const key = letter(i) + letter(i * 3 + Number(i > 25));
    return {
      anchor: `${key} ${letter(i * 7)}${letter(i * 5)}`,
      positive: `${key} ${letter(i * 11 + 4)}${letter(i * 9 + 2)}`,
    };
  });
  writeFileSync(pairs, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const out = join(work, 'vectors');
  const run = await headwiseHere([
    ...['finetune', '--model', encoder, '--data', pairs, '--method', 'embed', '--out', out],
    ...['--steps', '12', '--batch-size', '16', '--learning-rate', '0.01', '--validation', '0.4'],
  ]);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(run.stdout).toMatch(/^memory {5}\d+ [kM]B at its peak \(\w+\): weights /m);
  const recall = [...run.stdout.matchAll(/^validation .*, recall@1 (\d\.\d+)$/gm)];
  expect(Number(recall[1]![1])).toBeGreaterThan(Number(recall[0]![1]));
  expect(run.stdout).toContain(`headwise embed --model ${out} --data texts.jsonl`);
  expect(run.stdout).toContain(`headwise serve --model ${out}\n`);

  const { model: loaded, tokenizer } = await loadEmbeddingModel(out);
  expect(loaded.embedding).toMatchObject({ pooling: ['mean'], normalize: true });
  const texts = ['ab zz', 'ab ce', 'mn ce'];
  const vectors = await embed(loaded, tokenizer, texts);
  const [anchor, own, other] = vectors;
  loaded.params.dispose();
  // The command makes the same vectors, in the order of its lines.
  const lines = texts.map((text) => `${JSON.stringify({ text })}\n`).join('');
  const asked = ['embed', '--model', out, '--data', '-'];
  const { code, stdout, stderr } = headwise(asked, lines);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const said = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(said.map(({ text }) => text)).toEqual(texts);
  expect(said.map(({ embedding }) => embedding)).toEqual(vectors.map((vector) => [...vector]));
  const data = join(work, 'texts.jsonl');
  writeFileSync(data, lines);
  const file = join(work, 'vectors.jsonl');
  const short = ['--dimensions', '2', '--no-normalize', '--pooling', 'cls', '--out', file];
  const cut = await headwiseHere(['embed', '--model', out, '--data', data, ...short]);
  expect(cut).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(JSON.parse(readFileSync(file, 'utf8').split('\n')[0]!).embedding).toHaveLength(2);
  const refused = async (content: string, ...more: string[]) => {
    writeFileSync(data, content);
    const run = await headwiseHere(['embed', '--model', out, '--data', data, ...more]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    return run.stderr;
  };
  expect(await refused(`${lines}{"text": "${'ab '.repeat(20)}"}\n`)).toMatch(
    /texts\.jsonl: example 4 has \d+ tokens; the model's context holds 16: shorten it, or give --truncate/,
  );
  expect(await refused('{"prompt": "a"}\n')).toContain('texts.jsonl:1:');
  expect(await refused(lines, '--pooling', 'sum')).toContain("pooling is 'sum'");
  expect(await refused(lines, '--adapter', out)).toContain('has no adapter_config.json');
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  expect(dot(anchor!, own!)).toBeGreaterThan(dot(anchor!, other!));
});

test('a run over the limit is refused with what takes less, each as it is then planned', async () => {
  const planned = async (...more: string[]) => {
    const run = await headwiseHere(finetune('planned', '--method', 'sft', ...more));
    return run.code === 0 ? run.stdout : run.stderr;
  };
  const refused = await planned('--memory', '100kB', '--batch-size', '8');
  expect(refused).toMatch(
    /training needs .* at its peak \(\w+\); the limit is 100 kB\n {2}weights .*logits .*\nwhat takes less/,
  );
  const lines = [...refused.matchAll(/^ {2}(--.*?) {2,}(\d.*? [kM]B)(?:, which fits)?$/gm)];
  expect(lines.map(([, words]) => words)).toEqual([
    '--batch-size 1 --accumulate 8',
    '--checkpoint-activations',
    '--method lora',
    '--method qlora --dtype int8',
    '--method qlora --dtype int4',
  ]);
  expect(refused).toContain('none of them is enough: take a smaller model');
  expect(existsSync(join(work, 'planned'))).toBe(false);
  const [, words, size] = lines[1]!;
  const checkpointed = ['--batch-size', '1', '--accumulate', '8', String(words), '--steps', '1'];
  expect(await planned(...checkpointed)).toContain(`memory     ${size} at its peak`);
});

test('a run that is killed after a checkpoint makes the losses of one that is not, to the bit', async () => {
  const steps = ['--steps', '12', '--checkpoint-every', '2', '--lora-dropout', '0.1', '--resume'];
  expect(headwise(finetune('straight', ...steps)).code).toBe(0);
  const state = join(work, 'broken/trainer/state.safetensors');
  const moment = (async () => {
    while (!existsSync(state)) await setTimeout(2);
  })();
  await headwiseKilled(finetune('broken', ...steps), moment);
  expect(headwise(finetune('broken', ...steps))).toMatchObject({ code: 0, stderr: '' });
  expect(lossesOf(join(work, 'broken'))).toEqual(lossesOf(join(work, 'straight')));
});

test('examples share rows, and what is not packed is as without the option', async () => {
  const steps = ['--steps', '2', '--max-length', '45'];
  const run = async (out: string, ...more: string[]) => {
    const { code, stdout, stderr } = await headwiseHere(finetune(out, ...steps, ...more, '--json'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return jsonLines(stdout).find(({ event }) => event === 'data') as Record<string, unknown>;
  };
  expect(await run('packed', '--packing', 'best-fit')).toMatchObject({ train: 5, rows: 5 });
  expect(await run('cut', '--packing', 'concatenate')).toMatchObject({ train: 5, rows: 4 });
  expect(await run('unpacked', '--packing', 'none')).not.toHaveProperty('rows');
  expect(await run('plain')).not.toHaveProperty('rows');
  expect(lossesOf(join(work, 'unpacked'))).toEqual(lossesOf(join(work, 'plain')));
  const other = finetune('packed', ...steps, '--packing', 'concatenate', '--resume');
  expect((await headwiseHere(other)).stderr).toMatch(/the run there has 'data' .*"best-fit"/);
});

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createModel, Lora } from '@headwise/models';
import { saveAdapter, saveModel } from '@headwise/models/node';
import { trainCharacter } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { headwise, headwiseHere, repository, temporaryFolder } from './headwise.js';
import { serve } from './served.js';

const work = temporaryFolder();

/** A new GPT-2 of characters, and adapters in PEFT's layout that change it, by their names. */
async function saveAdapted(folder: string, names: readonly string[]): Promise<void> {
  const tokenizer = await trainCharacter(['abcdefghijklmnopqrstuvwxyz ']);
  const sizes = { n_positions: 48, n_embd: 16, n_layer: 2, n_head: 2, initializer_range: 0.5 };
  const model = createModel(
    { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes },
    { seed: 3 },
  );
  await saveModel(folder, model);
  await saveTokenizer(tokenizer, join(folder, 'tokenizer.json'));
  for (const [seed, name] of names.entries()) {
    const lora = new Lora(model.params, { rank: 2, targets: /attn/ });
    // A new adapter changes nothing.
    for (const [path, variable] of Object.entries(lora.params.named())) {
      const shade = path.length + 100 * seed;
      tf.tidy(() => variable.assign(tf.randomNormal(variable.shape, 0, 0.7, 'float32', shade)));
    }
    await saveAdapter(join(work, name), model, lora);
    lora.params.dispose();
  }
  model.params.dispose();
}

test('adapters answer under their names as merged models do, all at once, and other names are not found', async () => {
  const folder = join(work, 'base');
  await saveAdapted(folder, ['first', 'second']);
  const prompt = 'a text that all of them continue';
  const expected: Record<string, string> = {};
  for (const name of ['base', 'first', 'second']) {
    const adapter = name === 'base' ? [] : ['--adapter', join(work, name)];
    const args = ['generate', '--model', folder, ...adapter, '--prompt', prompt, '--json'];
    const greedy = ['--temperature', '0', '--max-new-tokens', '10'];
    expected[name] = JSON.parse((await headwiseHere([...args, ...greedy])).stdout).text;
  }
  expect(new Set(Object.values(expected)).size).toBe(3);

  const adapters = ['first', 'second'].flatMap((n) => ['--adapter', `${n}=${join(work, n)}`]);
  const { url, models, post } = await serve(folder, ...adapters);
  expect(models).toEqual(['base', 'first', 'second']);
  const listed = (await (await fetch(new URL('v1/models', url))).json()) as {
    data: { id: string }[];
  };
  expect(listed.data.map(({ id }) => id)).toEqual(models);
  const asked = { prompt, max_tokens: 10, temperature: 0 };
  // The second round finds the prompt's keys and values stored, each model its own.
  for (let round = 0; round < 2; round++) {
    const answers = await Promise.all(
      [...models, ...models].map(async (model) => {
        const body = await (await post('v1/completions', { model, ...asked })).json();
        return [model, (body as { choices: { text: string }[] }).choices[0]!.text] as const;
      }),
    );
    for (const [model, text] of answers) expect(text).toBe(expected[model]);
  }
  const metrics = await (await fetch(new URL('metrics', url))).text();
  const [, reused] = /^headwise_reused_prompt_tokens_total (\d+)$/m.exec(metrics) ?? [];
  expect(Number(reused)).toBeGreaterThanOrEqual(6 * (prompt.length - 1));

  const unknown = await post('v1/completions', { model: 'third', ...asked });
  expect([unknown.status, await unknown.json()]).toEqual([
    404,
    {
      error: {
        message: "no model is named 'third'; there are 'base', 'first', 'second'",
        type: 'invalid_request_error',
        param: 'model',
        code: 'model_not_found',
      },
    },
  ]);
});

test('the folder of a sentence model answers with the vectors of sentence-transformers', async () => {
  const golden = JSON.parse(
    readFileSync(join(repository, 'packages/text/src/goldens/sentences.json'), 'utf8'),
  ) as {
    texts: string[];
    tokenizer: object;
    cases: Record<
      string,
      {
        files: Record<string, string>;
        binary: Record<string, string>;
        vectors: { vectors: number[][] }[];
      }
    >;
  };
  const { files, binary, vectors } = golden.cases['two poolings, a projection and prompts']!;
  const folder = join(work, 'sentences');
  const write = (name: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  for (const [name, base64] of Object.entries(binary)) write(name, Buffer.from(base64, 'base64'));
  write('tokenizer.json', JSON.stringify(golden.tokenizer));
  for (const name of ['config.json', 'model.safetensors']) {
    copyFileSync(join(repository, 'packages/parity/goldens/bert', name), join(folder, name));
  }

  const { models, post, child } = await serve(folder, '--name', 'sentences');
  expect(models).toEqual(['sentences']);
  const input = { model: 'sentences', input: golden.texts, truncate: true };
  const { data } = (await (await post('v1/embeddings', input)).json()) as {
    data: { embedding: number[] }[];
  };
  const near = data.map(({ embedding }, i) => {
    const expected = vectors[0]!.vectors[i]!;
    const length = Math.hypot(...expected);
    return Math.max(...embedding.map((x, d) => Math.abs(x - expected[d]! / length)));
  });
  expect(near).toHaveLength(golden.texts.length);
  expect(Math.max(...near)).toBeLessThan(1e-5);
  const text = await post('v1/completions', { model: 'sentences', prompt: 'w9' });
  expect([text.status, await text.json()]).toMatchObject([
    400,
    { error: { code: 'model_not_supported', param: 'model' } },
  ]);
  child.kill('SIGKILL');

  const refused = headwise(['serve', '--model', folder, '--port', '0', '--adapter', `a=${work}`]);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('--adapter a: the model is an encoder; expected a decoder');
});

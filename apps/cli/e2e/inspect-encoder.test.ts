import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headwiseHere, repository, temporaryFolder } from './headwise.js';

const work = temporaryFolder();
const goldens = join(repository, 'packages/parity/goldens');
const { tokenizer } = JSON.parse(
  readFileSync(join(repository, 'packages/text/src/goldens/sentences.json'), 'utf8'),
);

/** A tiny checkpoint with a vocabulary of words. */
function folderOf(name: string): string {
  const folder = join(work, name);
  mkdirSync(folder);
  for (const file of ['config.json', 'model.safetensors']) {
    cpSync(join(goldens, name, file), join(folder, file));
  }
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  return folder;
}

const page = join(work, 'page.html');
// No shader is compiled for what a few numbers show.
const onCpu = ['--backend', 'cpu'];

test("inspect shows an encoder's attention both ways, and what it would fill hidden tokens with", async () => {
  const folder = folderOf('bert-masked-lm');
  const args = [
    'inspect',
    '--model',
    folder,
    '--text',
    'w9 w40 w7',
    '--out',
    page,
    '--json',
    ...onCpu,
  ];
  const run = await headwiseHere(args);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(run.stdout)).toMatchObject({ tokens: 5, layers: 3 });
  const html = readFileSync(page, 'utf8');
  expect(html).toContain('all the others where it alone is hidden');
  const rows = html.match(/<tbody>.*?<\/tbody>/s)![0].match(/<tr>.*?<\/tr>/gs)!;
  expect(rows).toHaveLength(5);
  // The tokens that were added around the text are not hidden.
  expect(rows.map((row) => row.includes('<meter'))).toEqual([false, true, true, true, false]);

  // What the model itself gives where the second word is hidden: [CLS] w9 [MASK] w7 [SEP].
  const ids = ['logits', '--model', folder, '--ids', '2,9,4,7,3', '--json', ...onCpu];
  const { outputs } = JSON.parse((await headwiseHere(ids)).stdout) as {
    outputs: { logits: number[][] };
  };
  const scores = outputs.logits[2]!;
  const best = scores.indexOf(Math.max(...scores));
  const chance = (id: number) =>
    Math.exp(scores[id]!) / scores.reduce((sum, score) => sum + Math.exp(score), 0);
  expect(rows[2]).toContain(`<td>${(100 * chance(best)).toFixed(1)} %</td>`);
  expect(rows[2]).toContain(`${(100 * chance(40)).toFixed(1)} %</span>`);
  expect(rows[2]).toContain(`<td>${1 + scores.filter((score) => score > scores[40]!).length}</td>`);
});

test('inspect compares texts by the vectors of an encoder, and refuses to of a decoder', async () => {
  const folder = folderOf('bert');
  const against = ['--against', 'w9 w40 w7', '--against', 'w50'];
  const args = [
    'inspect',
    '--model',
    folder,
    '--text',
    'w9 w40 w7',
    '--out',
    page,
    '--json',
    ...onCpu,
  ];
  const run = await headwiseHere([...args, ...against]);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const { compared } = JSON.parse(run.stdout) as { compared: { text: string; cosine: number }[] };
  expect(compared).toEqual([
    { text: 'w9 w40 w7', cosine: expect.closeTo(1, 5) },
    { text: 'w50', cosine: expect.any(Number) },
  ]);
  expect(compared[1]!.cosine).toBeLessThan(0.999);
  expect(readFileSync(page, 'utf8')).toContain(compared[1]!.cosine.toFixed(3));

  const gpt2 = ['inspect', '--model', folderOf('gpt2'), '--text', 'w9', '--out', page, ...onCpu];
  const refused = await headwiseHere([...gpt2, ...against]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('--against compares vectors of an encoder');
  const t5 = ['inspect', '--model', folderOf('t5'), '--text', 'w9', '--out', page, ...onCpu];
  expect((await headwiseHere(t5)).stderr).toContain('does not score the next token');
});

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@headwise/safetensors';
import { expect, test } from 'vitest';
import type { PageData } from '../src/report/page-data.js';
import { headwiseHere, temporaryFolder } from './headwise.js';
import { captionFolder, goldens, inspected, wordFolder } from './word-folder.js';

const work = temporaryFolder();
const page = join(work, 'page.html');
const gpt2 = wordFolder(work, 'gpt2');

test("inspect shows an encoder's attention both ways, and what it would fill hidden tokens with", async () => {
  const folder = wordFolder(work, 'bert-masked-lm');
  const run = await inspected(folder, page, '--text', 'w9 w40 w7');
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(run.stdout)).toMatchObject({ tokens: 5, layers: 3 });
  const html = readFileSync(page, 'utf8');
  expect(html).toContain('all the others where it alone is hidden');
  const rows = html.match(/<tbody>.*?<\/tbody>/s)![0].match(/<tr>.*?<\/tr>/gs)!;
  expect(rows).toHaveLength(5);
  // The tokens that were added around the text are not hidden.
  expect(rows.map((row) => row.includes('<meter'))).toEqual([false, true, true, true, false]);

  // What the model itself gives where the second word is hidden: [CLS] w9 [MASK] w7 [SEP].
  const ids = ['logits', '--model', folder, '--ids', '2,9,4,7,3', '--json'];
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
  const folder = wordFolder(work, 'bert');
  const against = ['--against', 'w9 w40 w7', '--against', 'w50'];
  const run = await inspected(folder, page, '--text', 'w9 w40 w7', ...against);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const { compared } = JSON.parse(run.stdout) as { compared: { text: string; cosine: number }[] };
  expect(compared).toEqual([
    { text: 'w9 w40 w7', cosine: expect.closeTo(1, 5) },
    { text: 'w50', cosine: expect.any(Number) },
  ]);
  expect(compared[1]!.cosine).toBeLessThan(0.999);
  expect(readFileSync(page, 'utf8')).toContain(compared[1]!.cosine.toFixed(3));

  const refused = await inspected(gpt2, page, '--text', 'w9', ...against);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    '--against compares vectors of an encoder; the model is a decoder',
  );
});

const t5 = wordFolder(work, 't5', { bare: true });

// The second sequence of Hugging Face's golden: its source, and its target behind the first token, 0.
const second = { model: 't5', sequence: 1 };
const source = 'w84 w95 w62 w65 w14 w49 w83';
const target = 'w47 w67 w38 w73 w61';

/** What transformers computed for a sequence, without its padding: `[..., rows, columns]` of `[B, ..., Tq, Tk]`. */
function golden(
  { model, sequence }: { model: string; sequence: number },
  name: string,
  rows: number,
  columns: number,
): number[][][] {
  const file = readSafetensors(readFileSync(join(goldens, model, 'expected.safetensors')));
  const { data, shape } = file.get(`outputs.${name}`);
  const [height, width] = shape.slice(-2) as [number, number];
  const heads = shape.length === 4 ? shape[1]! : 1;
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: rows }, (_, row) => {
      const from = ((sequence * heads + head) * height + row) * width;
      return Array.from((data as Float32Array).subarray(from, from + columns));
    }),
  );
}

interface Kind {
  title: string;
  name: string;
  layers: number;
  rows: number;
  keys: number;
}

/** Compares the maps of the page, bytes of `255 √weight`, with those of transformers. */
function expectMaps(
  of: { model: string; sequence: number },
  most: number,
  kinds: readonly Kind[],
): void {
  const html = readFileSync(page, 'utf8');
  const json = html.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)![1]!;
  const { groups } = JSON.parse(json) as PageData;
  expect(groups.map(({ title, keys, maps }) => [title, keys, maps.length])).toEqual(
    kinds.map(({ title, keys, layers }) => [title, keys, layers]),
  );
  for (const [g, { name, rows, keys }] of kinds.entries()) {
    for (const [layer, { heads, values }] of groups[g]!.maps.entries()) {
      const bytes = Buffer.from(values, 'base64');
      expect(bytes).toHaveLength(heads * rows * keys);
      const right = golden(of, `${name}.${layer}`, rows, keys).flat(2);
      const errors = right.map((w, i) => Math.abs(bytes[i]! - Math.round(255 * Math.sqrt(w))));
      expect(errors).toHaveLength(bytes.length);
      expect(Math.max(...errors), `${name} ${layer}`).toBeLessThanOrEqual(most);
    }
  }
}

test("inspect shows an encoder-decoder's three kinds of maps and its expectations of a target, as transformers computes them", async () => {
  const run = await inspected(t5, page, '--text', source, '--target', target);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const { tokens, layers, scores, target: shown } = JSON.parse(run.stdout);
  expect({ tokens, layers, shown }).toEqual({ tokens: 6, layers: 7, shown: target });
  // No distance is between tokens of two texts.
  expect(Object.keys(scores.at(-1))).toEqual(['layer', 'head', 'entropy']);

  expectMaps(second, 1, [
    { title: 'Encoder', name: 'encoder_attentions', layers: 3, rows: 7, keys: 7 },
    { title: 'Decoder', name: 'decoder_attentions', layers: 2, rows: 5, keys: 5 },
    { title: 'Cross-attention', name: 'cross_attentions', layers: 2, rows: 5, keys: 7 },
  ]);

  const html = readFileSync(page, 'utf8');
  const rows = html.match(/<tbody>.*?<\/tbody>/s)![0].match(/<tr>.*?<\/tr>/gs)!;
  const [logits] = golden(second, 'logits', 5, 97);
  for (const [t, word] of target.split(' ').entries()) {
    const exps = logits![t]!.map(Math.exp);
    const chance = exps[Number(word.slice(1))]! / exps.reduce((sum, x) => sum + x, 0);
    expect(rows[t + 1]).toContain(`${(100 * chance).toFixed(1)} %</span>`);
  }
  // A map between two texts has the tokens of each on its own side.
  const view = html.match(/<div class="figure" data-group="2" hidden>.*?<\/svg>/s)![0];
  const side = (name: string) => view.match(new RegExp(`data-side="${name}"`, 'g'));
  expect([side('query'), side('key')].map((found) => found!.length)).toEqual([5, 7]);
});

test('inspect shows what an encoder-decoder writes where no target is given', async () => {
  const length = ['--max-new-tokens', '9'];
  const run = await inspected(t5, page, '--text', source, ...length);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const greedy = ['--temperature', '0', '--json', '--backend', 'cpu'];
  const generate = ['generate', '--model', t5, '--prompt', source, ...length, ...greedy];
  const { text, ids } = JSON.parse((await headwiseHere(generate)).stdout);
  expect(JSON.parse(run.stdout)).toMatchObject({ target: text, tokens: 1 + ids.length });
  const html = readFileSync(page, 'utf8');
  const rows = html.match(/<tbody>.*?<\/tbody>/s)![0].match(/<tr>.*?<\/tr>/gs)!;
  // Each was the likeliest.
  expect(rows).toHaveLength(1 + ids.length);
  for (const row of rows.slice(1)) expect(row).toContain('</span></td><td>1</td>');
});

test('inspect shows where the words of a caption look in a picture, and writes it as transformers does', async () => {
  const { folder, picture } = captionFolder(work);
  const args = ['--picture', picture, '--max-new-tokens', '12'];
  const written = await inspected(folder, page, ...args);
  expect(written).toMatchObject({ code: 0, stderr: '' });
  const { greedy } = JSON.parse(
    readFileSync(join(goldens, 'vision-encoder-decoder/expected.json'), 'utf8'),
  );
  const right = greedy.tokens.slice(0, 12).map((id: number) => `w${id}`);
  expect(JSON.parse(written.stdout).target).toBe(right.join(' '));

  const target = 'w38 w22 w40 [SEP] w8 w52 w37';
  const run = await inspected(folder, page, '--picture', picture, '--target', target);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  // The steps of 5.6 / 255 move weights a little: the maps themselves span 4 to 220.
  expectMaps({ model: 'vision-encoder-decoder', sequence: 0 }, 5, [
    { title: 'Encoder', name: 'encoder_attentions', layers: 2, rows: 7, keys: 7 },
    { title: 'Decoder', name: 'decoder_attentions', layers: 2, rows: 7, keys: 7 },
    { title: 'Cross-attention', name: 'cross_attentions', layers: 2, rows: 7, keys: 7 },
  ]);
  // A word looks as the token before it does: over both layers, and in each.
  const html = readFileSync(page, 'utf8');
  const views = html.match(/<div class="figure" data-look=.*?<\/svg>/gs)!;
  expect(views).toHaveLength(3);
  const layers = [0, 1].map((layer) =>
    golden({ model: 'vision-encoder-decoder', sequence: 0 }, `cross_attentions.${layer}`, 7, 7),
  );
  for (const [v, maps] of [layers.flat(), ...layers].entries()) {
    const shares = [...views[v]!.matchAll(/fill-opacity="0.7">([\d.]+) %<\/text>/g)];
    const expected = target.split(' ').map((_, row) => {
      const sums = maps.map((map) => map[row]!.slice(1).reduce((sum, x) => sum + x, 0));
      return (100 * sums.reduce((sum, x) => sum + x, 0)) / maps.length;
    });
    expect(shares.map(([, share]) => Math.abs(Number(share) - expected.shift()!))).toEqual(
      target.split(' ').map(() => expect.toSatisfy((error: number) => error < 2)),
    );
    const words = [...views[v]!.matchAll(/font-weight="bold">(.*?)<\/text>/g)];
    expect(words.map(([, word]) => word)).toEqual(target.split(' '));
  }
  const refused: [string, string[], string][] = [
    [folder, ['--text', 'w9'], "'vision-encoder-decoder' reads pictures: expected --picture"],
    [t5, ['--picture', picture], "'t5' reads texts: expected --text"],
    [t5, ['--picture', picture, '--text', 'w9'], '--text and --picture are given'],
    [t5, ['--picture', page], 'page.html: does not begin as a PNG; expected a PNG'],
    [t5, [], '--text is missing'],
  ];
  const cut = join(work, 'cut.png');
  writeFileSync(cut, readFileSync(picture).subarray(0, 60));
  refused.push([folder, ['--picture', cut], 'cut.png: is not a whole PNG']);
  const huge = Buffer.from(readFileSync(picture));
  huge.writeUInt32BE(1e5, 16);
  huge.writeUInt32BE(1e5, 20);
  writeFileSync(join(work, 'huge.png'), huge);
  refused.push([folder, ['--picture', join(work, 'huge.png')], '100000 by 100000 pixels']);
  // An encoder alone writes no caption.
  refused.push([wordFolder(work, 'vit'), ['--picture', picture], 'expected an encoder-decoder']);
  for (const one of refused) await expectRefused(...one);
  const preprocessor = join(folder, 'preprocessor_config.json');
  writeFileSync(preprocessor, '{"image_processor_type":"ViTImageProcessor"}');
  const given = ['--picture', picture];
  await expectRefused(folder, given, 'makes pictures of 224 by 224 by 3; the model reads 6 by 9');
  rmSync(preprocessor);
  await expectRefused(folder, given, 'preprocessor_config.json: is missing');
});

async function expectRefused(model: string, args: string[], message: string): Promise<void> {
  const { code, stdout, stderr } = await inspected(model, page, ...args);
  expect({ code, stdout }, args.join(' ')).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
}

test('inspect refuses what the model does not take', async () => {
  const long = Array(300).fill('w9').join(' ');
  const cases: [string, string[], string][] = [
    [gpt2, ['--text', 'w9', '--target', 'w7'], "'gpt2' is a decoder"],
    [
      wordFolder(work, 'whisper'),
      ['--text', 'w9'],
      "'whisper' reads sounds: expected a model that",
    ],
    [join(work, 'vit'), ['--text', 'w9'], "'vit' reads pictures: expected --picture"],
    [t5, ['--text', 'w9', '--against', 'w7'], 'the model is an encoder-decoder'],
    [t5, ['--text', ''], 'the source has 0 tokens; a report shows 1 to 256'],
    [t5, ['--text', 'w9', '--target', long], 'the target has 300 tokens; a report shows 1 to 256'],
  ];
  for (const one of cases) await expectRefused(...one);
});

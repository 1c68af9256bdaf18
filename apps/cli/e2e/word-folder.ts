import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@headwise/safetensors';
import { PNG } from 'pngjs';
import { headwiseHere, type Result, repository } from './headwise.js';

export const goldens: string = join(repository, 'packages/parity/goldens');
const { tokenizer } = JSON.parse(
  readFileSync(join(repository, 'packages/text/src/goldens/sentences.json'), 'utf8'),
);

/**
 * A folder of a golden's tiny checkpoint with a vocabulary of words: `w9` has the id 9.
 *
 * @param bare without the special tokens that are else added around a text
 */
export function wordFolder(work: string, name: string, { bare = false } = {}): string {
  const folder = join(work, bare ? `${name}-bare` : name);
  mkdirSync(folder);
  for (const file of ['config.json', 'model.safetensors']) {
    cpSync(join(goldens, name, file), join(folder, file));
  }
  const json = bare ? { ...tokenizer, post_processor: null } : tokenizer;
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
  return folder;
}

/** The folder of the golden of captions, and its first picture as a PNG, in 256 steps of each channel. */
export function captionFolder(work: string): { folder: string; picture: string } {
  const name = 'vision-encoder-decoder';
  const folder = wordFolder(work, name, { bare: true });
  const [from, range] = [-2.8, 5.6];
  const settings = { do_resize: false, rescale_factor: range / 255, image_std: [1, 1, 1] };
  const preprocessor = { image_processor_type: 'ViTImageProcessor', ...settings };
  writeFileSync(
    join(folder, 'preprocessor_config.json'),
    JSON.stringify({ ...preprocessor, image_mean: [-from, -from, -from] }),
  );
  const file = readSafetensors(readFileSync(join(goldens, name, 'expected.safetensors')));
  const { data, shape } = file.get('inputs.pixel_values');
  const [height, width] = shape.slice(-2) as [number, number];
  const png = new PNG({ height, width });
  for (let i = 0; i < height * width * 4; i++) {
    const [pixel, channel] = [i >> 2, i & 3];
    const value = (data as Float32Array)[channel * height * width + pixel]!;
    png.data[i] = channel === 3 ? 255 : Math.round(((value - from) / range) * 255);
  }
  const picture = join(work, 'picture.png');
  writeFileSync(picture, PNG.sync.write(png));
  return { folder, picture };
}

/** Inspects a model for machines, on cpu: no shader is compiled for what a few numbers show. */
export function inspected(model: string, page: string, ...args: string[]): Promise<Result> {
  const fixed = ['--model', model, '--out', page, '--json', '--backend', 'cpu'];
  return headwiseHere(['inspect', ...fixed, ...args]);
}

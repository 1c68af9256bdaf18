import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, type PictureSize, readTensor } from '@headwise/core';
import type { Picture } from '@headwise/inspect/figures';
import { type LoadedModel, pictureSettings, preparePictures } from '@headwise/models';
import { readJson } from '@headwise/models/node';
import type * as tf from '@tensorflow/tfjs';
import type { PictureFile } from '../read-picture.js';
import type { Tokens } from './findings.js';

/** A picture as a model reads it and as a page shows it. */
export interface PictureSource {
  /** What the encoder reads, `[1, H, W, C]`; the caller disposes it. */
  readonly input: tf.Tensor;
  /** The same, before its values are normalised. */
  readonly shown: Picture;
  /** Height and width of a patch. */
  readonly patch: readonly [number, number];
  /** The vector before the patches, and each patch by its row and column. */
  readonly tokens: Tokens;
}

/**
 * Prepares a picture as the folder of a model says.
 *
 * @throws InputError where the folder has no `preprocessor_config.json`, and where that makes pictures of another size than the model reads
 */
export async function pictureSource(
  { family, config }: LoadedModel,
  pictures: PictureSize,
  folder: string,
  raw: PictureFile,
): Promise<PictureSource> {
  const path = join(folder, 'preprocessor_config.json');
  if (!existsSync(path)) {
    throw new InputError(
      `${path}: is missing; expected the settings that the model's pictures are prepared by`,
    );
  }
  const settings = pictureSettings(await readJson(path), path);
  const input = preparePictures([raw], settings);
  const [, height, width, channels] = input.shape;
  const size = [pictures.height, pictures.width, pictures.channels];
  if (height !== size[0] || width !== size[1] || channels !== size[2]) {
    input.dispose();
    throw new InputError(
      `${path}: makes pictures of ${height} by ${width} by ${channels}; the model reads ${size.join(' by ')}`,
    );
  }
  const bright = preparePictures([raw], { ...settings, rescale: 1 / 255, normalize: undefined });
  const values = (await readTensor(bright)) as Float32Array;
  bright.dispose();
  const patch = patchOf(family.preset(config as never));
  const [rows, columns] = [height / patch[0], width / patch[1]];
  const places = Array.from(
    { length: rows * columns },
    (_, i) => `${Math.floor(i / columns)},${i % columns}`,
  );
  const texts = ['[CLS]', ...places];
  return {
    ...{ input, patch, shown: { values, height, width, channels } },
    tokens: { ids: texts.map((_, i) => i), texts },
  };
}

type Configuration = ReturnType<LoadedModel['family']['preset']>;

/** Height and width of a patch. */
function patchOf({ encoder, embedding }: Configuration): readonly [number, number] {
  const { patches } = (typeof encoder === 'object' ? encoder.embedding : embedding) ?? {};
  if (!patches) throw new InputError("inspect: the model's configuration names no patches");
  return patches.size;
}

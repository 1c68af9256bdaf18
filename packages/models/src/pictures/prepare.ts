import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { type Bytes, resized } from './resize.js';
import type { PictureSettings } from './settings.js';

/** A picture as it was decoded: bytes in rows with their channels last, as `ImageData` of a canvas has them. */
export interface RawPicture {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly height: number;
  readonly width: number;
}

/**
 * Pictures as a model reads them: resized, cropped, rescaled and normalised as transformers' `ViTImageProcessor` and
 * `CLIPImageProcessor` do with Pillow, byte by byte but where both sides shrink and the height much more;
 * channels are last.
 *
 * @param pictures of 1 channel (grey, which is repeated), 3, or 4 (opacity is left out)
 * @param settings what {@link pictureSettings} reads from a folder
 * @returns `[B, H, W, 3]`, float32
 * @throws InputError for a picture whose bytes are not those of its size, and for pictures that come out in different sizes
 * @example
 * const pixels = preparePictures([context.getImageData(0, 0, 640, 480)], settings); // [1, 224, 224, 3]
 */
export function preparePictures(
  pictures: readonly RawPicture[],
  settings: PictureSettings,
): tf.Tensor4D {
  if (pictures.length === 0) throw new InputError('preparePictures: no pictures are given');
  const all = pictures.map((picture, i) => prepared(picture, settings, i));
  const { height, width } = all[0]!;
  for (const [i, picture] of all.entries()) {
    if (picture.height === height && picture.width === width) continue;
    throw new InputError(
      `preparePictures: picture ${i} comes out ${picture.height} by ${picture.width}, picture 0 ${height} by ${width}; expected one size`,
    );
  }
  const values = new Float32Array(all.length * height * width * 3);
  const valuesOf = channelTables(settings);
  for (const [i, { data }] of all.entries()) {
    const from = i * height * width * 3;
    for (let j = 0; j < height * width * 3; j++) values[from + j] = valuesOf[j % 3]![data[j]!]!;
  }
  return tf.tensor4d(values, [all.length, height, width, 3]);
}

function prepared(
  raw: RawPicture,
  { resize, resample = 2, crop }: PictureSettings,
  i: number,
): Bytes {
  const coloured = inColours(raw, i);
  const sized = resize ? resized(coloured, sizeOf(coloured, resize), resample) : coloured;
  return crop ? cropped(sized, [crop.height, crop.width]) : sized;
}

/** Red, green and blue of each pixel. */
function inColours({ data, height, width }: RawPicture, i: number): Bytes {
  const channels = data.length / (height * width);
  if (![1, 3, 4].includes(channels)) {
    throw new InputError(
      `preparePictures: picture ${i} has ${data.length} bytes; expected ${height} by ${width} pixels of 1, 3 or 4`,
    );
  }
  if (channels === 3) return { data, height, width, channels };
  const made = new Uint8Array(height * width * 3);
  for (let at = 0; at < height * width; at++) {
    for (let c = 0; c < 3; c++) made[at * 3 + c] = data[at * channels + (channels === 4 ? c : 0)]!;
  }
  return { data: made, height, width, channels: 3 };
}

function sizeOf(
  { height, width }: Bytes,
  resize: NonNullable<PictureSettings['resize']>,
): [number, number] {
  if ('height' in resize) return [resize.height, resize.width];
  const { shortest } = resize;
  const longest = Math.trunc((shortest * Math.max(height, width)) / Math.min(height, width));
  return width <= height ? [longest, shortest] : [shortest, longest];
}

/** The middle; zeros where the picture has no pixels. */
function cropped({ data, height, width, channels }: Bytes, to: readonly [number, number]): Bytes {
  const [rows, columns] = to;
  const [top, left] = [Math.floor((height - rows) / 2), Math.floor((width - columns) / 2)];
  const made = new Uint8Array(rows * columns * channels);
  for (let y = Math.max(0, -top); y < Math.min(rows, height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(columns, width - left); x++) {
      for (let c = 0; c < channels; c++) {
        made[(y * columns + x) * channels + c] =
          data[((y + top) * width + x + left) * channels + c]!;
      }
    }
  }
  return { data: made, height: rows, width: columns, channels };
}

/** The value of each byte, channel by channel. */
function channelTables({ rescale = 1, normalize }: PictureSettings): Float32Array[] {
  return [0, 1, 2].map((channel) => {
    const { mean, std } = normalize ?? { mean: [0], std: [1] };
    const of = (values: readonly number[]) => values[values.length === 1 ? 0 : channel]!;
    return Float32Array.from({ length: 256 }, (_, byte) => (byte * rescale - of(mean)) / of(std));
  });
}

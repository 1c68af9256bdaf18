import { z } from 'zod';
import { refuseUnknownKeys } from '../families/shared/settings.js';
import { size } from '../fields.js';
import { parseWith } from '../parse-with.js';
import { resampleNames } from './resize.js';

/** Height and width, in pixels. */
export interface Sides {
  readonly height: number;
  readonly width: number;
}

/** What is done to a picture before a model reads it, in this order; what is absent is not done. */
export interface PictureSettings {
  /** To a size, or until the shorter side has a length. */
  readonly resize?: Sides | { readonly shortest: number } | undefined;
  /** The filter of `resize` by Pillow's number: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming; default 2. */
  readonly resample?: number | undefined;
  /** The middle of the picture, with zeros around where it is smaller. */
  readonly crop?: Sides | undefined;
  /** What bytes are multiplied by. */
  readonly rescale?: number | undefined;
  /** `(x − mean) / std`, channel by channel, or one of all. */
  readonly normalize?:
    | { readonly mean: readonly number[]; readonly std: readonly number[] }
    | undefined;
}

const sides = z.union([
  z.strictObject({ height: size, width: size }),
  z.strictObject({ shortest_edge: size }),
  size,
]);
const numbers = z.union([z.number().transform((x) => [x]), z.array(z.number()).min(1)]);
const shape = {
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().default(true),
  size: sides.optional(),
  resample: z
    .number()
    .refine((number) => Object.hasOwn(resampleNames, number), 'expected a filter of Pillow, 0 to 5')
    .optional(),
  do_center_crop: z.boolean().optional(),
  crop_size: sides.optional(),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: numbers.optional(),
  image_std: numbers.optional(),
  // Variants that are not built: refused, not ignored.
  do_pad: z.literal(false).optional(),
  do_flip_channel_order: z.literal(false).optional(),
};
const schema = z.looseObject(shape);

/** Keys that change nothing here: pictures have three channels, the last axis. */
const kept = [
  ...['do_convert_rgb', 'processor_class', 'data_format', 'input_data_format', 'return_tensors'],
  ...['_valid_processor_keys', 'default_to_square', 'device', 'disable_grouping', 'auto_map'],
];
const known = { read: new Set(Object.keys(shape)), kept: new Set(kept) };

/** What each kind of processor does where a file says nothing. */
const kinds = {
  ViT: {
    size: { height: 224, width: 224 },
    ...{ resample: 2, crop: false, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  },
  CLIP: {
    size: { shortest_edge: 224 },
    ...{ resample: 3, crop: true },
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  },
} as const;

/**
 * The settings of {@link preparePictures} in a folder's `preprocessor_config.json`, of `ViTImageProcessor` and `CLIPImageProcessor`.
 *
 * @param json the parsed file
 * @throws InputError naming the key, what it holds and what was expected: other processors, padding and unknown keys are refused
 * @example
 * pictureSettings({ image_processor_type: 'ViTImageProcessor' }).resize; // { height: 224, width: 224 }
 */
export function pictureSettings(json: unknown, name = 'preprocessor_config.json'): PictureSettings {
  const present = withoutNull(json);
  const file = parseWith(schema, present, name);
  refuseUnknownKeys(known, present, name);
  const named = file.image_processor_type ?? file.feature_extractor_type;
  const [, kind] =
    /^(ViT|CLIP)(?:ImageProcessor(?:Fast|Pil)?|FeatureExtractor)$/.exec(named ?? '') ?? [];
  if (!kind) {
    const key =
      file.image_processor_type === undefined ? 'feature_extractor_type' : 'image_processor_type';
    parseWith(
      z.looseObject({ [key]: z.enum(['ViTImageProcessor', 'CLIPImageProcessor']) }),
      present,
      name,
    );
  }
  const usual = kinds[kind as keyof typeof kinds];
  const { rescale_factor: rescale, resample = usual.resample } = file;
  const wanted = file.size ?? usual.size;
  const [mean, std] = [file.image_mean ?? usual.mean, file.image_std ?? usual.std];
  checkChannels(mean, 'image_mean', name);
  checkChannels(std, 'image_std', name);
  return {
    ...(file.do_resize && { resize: resizeOf(wanted, kind === 'CLIP'), resample }),
    ...((file.do_center_crop ?? usual.crop) && { crop: cropOf(file.crop_size ?? 224) }),
    ...(file.do_rescale && { rescale }),
    ...(file.do_normalize && { normalize: { mean, std } }),
  };
}

type Given = z.output<typeof sides>;

/** A number is both sides, and in CLIP's first files the shorter one. */
function resizeOf(given: Given, shortest: boolean): PictureSettings['resize'] {
  if (typeof given === 'number') return shortest ? { shortest: given } : cropOf(given);
  return 'height' in given ? given : { shortest: given.shortest_edge };
}

function cropOf(given: Given): Sides {
  if (typeof given === 'number') return { height: given, width: given };
  return 'height' in given ? given : { height: given.shortest_edge, width: given.shortest_edge };
}

function checkChannels(values: readonly number[], key: string, name: string): void {
  const one = z
    .array(z.number())
    .refine(
      ({ length }) => length === 1 || length === 3,
      'expected one number, or one for each of 3 channels',
    );
  parseWith(z.object({ [key]: one }), { [key]: values }, name);
}

const withoutNull = (json: unknown): unknown =>
  typeof json === 'object' && json !== null && !Array.isArray(json)
    ? Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null))
    : json;

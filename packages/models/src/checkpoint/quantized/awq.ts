import { z } from 'zod';
import { parseWith } from '../../parse-with.js';
import { type GroupedWords, groupedValues, groupOf } from './grouped.js';
import type { FindMatrices, Parts, StoredMatrix } from './matrix.js';

const schema = z.looseObject({
  quantization_config: z.looseObject({
    bits: z.literal(4),
    group_size: z.number().int(),
    zero_point: z.literal(true),
    version: z.enum(['gemm', 'GEMM']).nullish(),
  }),
});

/** Where the levels of eight outputs lie in a word: output j at nibble `places[j]`. */
const places = [0, 4, 1, 5, 2, 6, 3, 7] as const;

/**
 * Matrices of AWQ with 4 bits in the order of its GEMM kernels, `w = s (q − z)`. Of `X.weight` `[Out, In]` a checkpoint has `X.qweight`
 * I32 `[In, Out / 8]` and `X.qzeros` I32 `[Groups, Out / 8]`, whose words hold outputs 0, 2, 4, 6, 1, 3, 5 and 7 of eight from the lowest
 * bits on, and `X.scales` `[Groups, Out]`.
 *
 * @throws InputError for other bits, groups and orders, and tensors that are missing or of another shape
 * @see Lin et al. 2023, AWQ, https://arxiv.org/abs/2306.00978; the layout is AutoAWQ's
 */
export const awqMatrices: FindMatrices = (parts, json, configName) => {
  const { quantization_config: settings } = parseWith(schema, json, configName) as z.infer<
    typeof schema
  >;
  return new Map(
    parts
      .bases('.qweight')
      .map((base) => [`${base}.weight`, matrixOf(parts, base, settings.group_size, configName)]),
  );
};

function matrixOf(parts: Parts, base: string, size: number, configName: string): StoredMatrix {
  const keys = ['qweight', 'qzeros', 'scales'].map((part) => `${base}.${part}`);
  const [qweight, qzeros, scales] = keys as [string, string, string];
  const [inner, eighth] = parts.matrix(qweight);
  const out = 8 * eighth;
  const group = groupOf(size, inner, qweight, configName);
  const why = `'quantization_config.group_size' is ${size}`;
  parts.check(qzeros, ['I32'], [inner / group, eighth], why);
  parts.check(scales, ['F16', 'BF16', 'F32'], [inner / group, out], why);
  const words = async (): Promise<GroupedWords> => ({
    ...{ inner, out, group },
    words: alongInputs(await parts.ints(qweight), inner, out),
    scales: await parts.floats(scales),
    zeros: nibbles(await parts.ints(qzeros)),
  });
  return {
    shape: [out, inner],
    parts: keys,
    dtype: 'awq int4',
    values: async () => groupedValues(await words()),
    kept: { group, words },
  };
}

/** The levels of words in the order of the outputs. */
function nibbles(words: Int32Array): Uint8Array {
  const levels = new Uint8Array(8 * words.length);
  for (let i = 0; i < levels.length; i++) {
    levels[i] = (words[i >> 3]! >>> (4 * places[i & 7]!)) & 15;
  }
  return levels;
}

/** Words `[In, Out / 8]` of eight outputs as words `[In / 8, Out]` of eight inputs. */
function alongInputs(words: Int32Array, inner: number, out: number): Int32Array {
  const eighth = out / 8;
  const turned = new Int32Array((inner / 8) * out);
  for (let i = 0; i < inner; i++) {
    const [row, shift] = [(i >> 3) * out, 4 * (i & 7)];
    for (let o = 0; o < out; o++) {
      const level = (words[i * eighth + (o >> 3)]! >>> (4 * places[o & 7]!)) & 15;
      turned[row + o]! |= level << shift;
    }
  }
  return turned;
}

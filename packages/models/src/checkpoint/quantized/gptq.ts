import { InputError } from '@headwise/core';
import { z } from 'zod';
import { parseWith } from '../../parse-with.js';
import { type GroupedWords, groupedValues, groupOf } from './grouped.js';
import type { FindMatrices, Parts, StoredMatrix } from './matrix.js';

const schema = z.looseObject({
  quantization_config: z.looseObject({
    bits: z.literal(4),
    group_size: z.number().int(),
    desc_act: z.boolean().nullish(),
    checkpoint_format: z.enum(['gptq', 'gptq_v2']).nullish(),
    is_marlin_format: z.literal(false).nullish(),
    dynamic: z.strictObject({}).nullish(),
  }),
});
type Settings = z.infer<typeof schema>['quantization_config'];

/**
 * Matrices of GPTQ with 4 bits, `w = s (q − z)`. Of `X.weight` `[Out, In]` a checkpoint has `X.qweight` I32 `[In / 8, Out]`, eight levels
 * along In a word, `X.qzeros` I32 `[Groups, Out / 8]`, eight zero points along Out a word, less one in all but `gptq_v2`, `X.scales`
 * `[Groups, Out]`, and `X.g_idx` I32 `[In]`, the group of each input.
 *
 * Words stay as they are in memory. With `desc_act` inputs of a group lie apart, and the matrix is dequantised.
 *
 * @throws InputError for other bits, groups and formats, and tensors that are missing or of another shape
 * @see Frantar et al. 2022, GPTQ, https://arxiv.org/abs/2210.17323; the layout is AutoGPTQ's
 */
export const gptqMatrices: FindMatrices = (parts, json, configName) => {
  const { quantization_config: settings } = parseWith(schema, json, configName) as z.infer<
    typeof schema
  >;
  return new Map(
    parts
      .bases('.qweight')
      .map((base) => [`${base}.weight`, matrixOf(parts, base, settings, configName)]),
  );
};

function matrixOf(
  parts: Parts,
  base: string,
  settings: Settings,
  configName: string,
): StoredMatrix {
  const keys = ['qweight', 'qzeros', 'scales'].map((part) => `${base}.${part}`);
  const [qweight, qzeros, scales] = keys as [string, string, string];
  const index = `${base}.g_idx`;
  const [rows, out] = parts.matrix(qweight);
  const inner = 8 * rows;
  const group = groupOf(settings.group_size, inner, qweight, configName);
  const groups = inner / group;
  const why = `'quantization_config.group_size' is ${settings.group_size}`;
  parts.check(qzeros, ['I32'], [groups, out / 8], why);
  parts.check(scales, ['F16', 'BF16', 'F32'], [groups, out], why);
  const scattered = settings.desc_act === true && groups > 1;
  if (scattered || parts.has(index)) parts.check(index, ['I32'], [inner]);

  const words = async (): Promise<GroupedWords> => ({
    ...{ inner, out, group },
    words: await parts.ints(qweight),
    scales: await parts.floats(scales),
    zeros: zerosOf(await parts.ints(qzeros), settings.checkpoint_format === 'gptq_v2' ? 0 : 1),
  });
  const groupsOfInputs = async (): Promise<Int32Array | undefined> => {
    if (!parts.has(index)) return undefined;
    const given = await parts.ints(index);
    given.forEach((own, i) => {
      const expected = scattered ? own >= 0 && own < groups : own === Math.floor(i / group);
      if (expected) return;
      throw new InputError(
        `${parts.name}: tensor '${index}' has ${own} at ${i}; expected ${scattered ? `a group below ${groups}` : `${Math.floor(i / group)}, as 'desc_act' is false and groups have ${group} inputs`}`,
      );
    });
    return given;
  };
  const inOrder = async () => {
    await groupsOfInputs();
    return words();
  };
  return {
    shape: [out, inner],
    parts: parts.has(index) ? [...keys, index] : keys,
    dtype: 'gptq int4',
    values: async () => groupedValues(await words(), await groupsOfInputs()),
    kept: scattered ? undefined : { group, words: inOrder },
  };
}

/** Eight a word, the first in the lowest bits. */
function zerosOf(words: Int32Array, less: 0 | 1): Uint8Array {
  const zeros = new Uint8Array(8 * words.length);
  for (let i = 0; i < zeros.length; i++) {
    zeros[i] = ((words[i >> 3]! >>> (4 * (i & 7))) & 15) + less;
  }
  return zeros;
}

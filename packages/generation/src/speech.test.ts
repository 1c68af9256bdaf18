import { fileURLToPath } from 'node:url';
import { type CheckpointFiles, encoderDecoderModel } from '@headwise/models';
import { folderFiles, loadModel } from '@headwise/models/node';
import { SafetensorsReader } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { encodedSources } from './encoded-sources.js';
import { generateBatch } from './generate-batch.js';
import golden from './goldens/speech.json' with { type: 'json' };
import type { GenerateOptions } from './options.js';
import { timestampRules } from './processors/timestamps.js';

const folder = fileURLToPath(new URL('../../parity/goldens/whisper', import.meta.url));

/** The frames of three sounds, `[B, T, C]`. */
async function framesOf(files: CheckpointFiles): Promise<tf.Tensor> {
  const reader = await SafetensorsReader.open((await files.open('expected.safetensors'))!);
  const { data, shape } = await reader.read('inputs.input_features');
  await reader.close();
  return tf.tidy(() => tf.tensor(data as Float32Array, [...shape]).transpose([0, 2, 1]));
}

const { settings, maxNewTokens } = golden;

/** Options of a text that begins with some tokens, with times or without. */
function optionsOf({ startIds, timestamps }: (typeof golden.cases)[number]): GenerateOptions {
  const suppressed = {
    suppressIds: settings.suppress_tokens,
    beginSuppressIds: settings.begin_suppress_tokens,
  };
  const rules = timestampRules({
    ...suppressed,
    begin: startIds.length,
    noTimestampsId: settings.no_timestamps_token_id,
    endId: settings.eos_token_id,
    latestFirst: settings.max_initial_timestamp_index,
  });
  const common = { temperature: 0, startIds, maxNewTokens, stopIds: [settings.eos_token_id] };
  return timestamps ? { ...common, processors: [rules] } : { ...common, ...suppressed };
}

test("texts of sounds are those of Whisper's own generate, with languages, tasks and times", async () => {
  const { network, params } = encoderDecoderModel(await loadModel(folder));
  const frames = await framesOf(folderFiles(folder));
  const { states } = network.encode(frames);
  const sources = encodedSources(network, { states });
  // All cases of all sounds in one batch: each begins with tokens of its own.
  const all = golden.cases.flatMap((given) =>
    given.tokens.map((tokens, sound) => ({ tokens, sound, options: optionsOf(given) })),
  );
  const { sequences } = await generateBatch(
    sources,
    all.map(({ sound }) => [sound]),
    all.map(({ options }) => options),
  );
  expect(sequences.map(({ tokens }) => tokens.map(({ id }) => id))).toEqual(
    all.map(({ tokens }) => tokens),
  );
  await expect(generateBatch(network, [[0]])).rejects.toThrow(
    "the prompt has ids, and the model's encoder reads pictures, sounds or states; expected the numbers of encodedSources",
  );
  tf.dispose([frames, states]);
  params.dispose();
});

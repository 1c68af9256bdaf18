import { encodedSources, generateBatch } from '@headwise/generation';
import { start } from '@headwise/kernels';
import { createModel, logMelFeatures } from '@headwise/models';
import { transcribe } from '@headwise/text';
import { Tokenizer } from '@headwise/tokenizers';
import { AdamW, clipping, encoderDecoderLoss, lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';

await start();
// A small Whisper hears two notes, and writes their names. 0 ends a text, 1 begins it.
const names = ['.', '', 'do', 'mi', 'sol'];
const hertz = [0, 0, 262, 330, 392];
const options = { mels: 16, seconds: 0.32, sampleRate: 4000, window: 200, hop: 80 };
const { network, params } = createModel(
  {
    ...{ model_type: 'whisper', vocab_size: 5, d_model: 16, num_mel_bins: 16 },
    ...{ max_source_positions: 8, max_target_positions: 4, init_std: 0.2 },
    ...{ encoder_layers: 1, encoder_attention_heads: 2, encoder_ffn_dim: 32 },
    ...{ decoder_layers: 1, decoder_attention_heads: 2, decoder_ffn_dim: 32 },
    ...{ pad_token_id: 0, decoder_start_token_id: 1 },
  },
  { seed: 1 },
);

/** A third of a second: one note, then another, each from some phase. */
function sound(notes: readonly number[], phase: number): Float32Array {
  return Float32Array.from({ length: 1280 }, (_, i) => {
    const note = notes[i < 640 ? 0 : 1]!;
    return 0.3 * Math.sin(2 * Math.PI * hertz[note]! * (i / 4000) + phase);
  });
}

const pairs = [2, 3, 4].flatMap((first) => [2, 3, 4].map((second) => [first, second]));
const examples = [0, 2, 4].flatMap((phase) => pairs.map((notes) => ({ notes, phase })));
const features = logMelFeatures(
  examples.map(({ notes, phase }) => sound(notes, phase)),
  options,
);
const batch = {
  sources: Int32Array.from(examples.keys()),
  targets: Int32Array.from(examples.flatMap(({ notes }) => [...notes, 0])),
  shape: [examples.length, 1, 3] as const,
};
const optimizer = new AdamW(params.named());
for (let step = 0; step < 60; step++) {
  const { loss, gradients } = lossAndGradients(params.named(), () =>
    encoderDecoderLoss(encodedSources(network, network.encode(features)), batch),
  );
  const { norm, scale } = clipping(gradients, 1);
  optimizer.update(gradients, 0.01, scale);
  tf.dispose([loss, norm, scale, gradients]);
}

// The same notes from another phase: other samples.
const heard = pairs.map((notes) => sound(notes, 1));
const encoded = network.encode(logMelFeatures(heard, options));
const { sequences } = await generateBatch(
  encodedSources(network, encoded),
  pairs.map((_, number) => [number]),
  { temperature: 0, stopIds: [0], maxNewTokens: 3 },
);
const written = sequences.map(({ tokens }) => tokens.map(({ id }) => names[id]).join(' '));
console.log(written[1]); // do mi
const right = pairs.filter((notes, i) => written[i] === notes.map((id) => names[id]).join(' '));
console.log(right.length, 'of', pairs.length); // 9 of 9

// The same in one call; of a folder, load gives the model with these settings, and the tokenizer.
const tokenizer = Tokenizer.fromJSON({
  model: { type: 'WordLevel', vocab: { '.': 0, '<s>': 1, do: 2, mi: 3, sol: 4 }, unk_token: '.' },
});
const generation = { temperature: 0, stopIds: [0] };
const whisper = { network, generation, speech: { features: options } };
const { text } = await transcribe(whisper, tokenizer, heard[5]!);
console.log(text); // mi sol

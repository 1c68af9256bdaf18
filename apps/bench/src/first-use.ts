import { compilePipelines, start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { languageModelLoss, lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';

// What the first use of a 12-layer GPT-2 waits for on WebGPU: compiling its pipelines, all at once, and what the
// driver still compiles in the first run of them. The driver's cache on disk is off.
process.env.MESA_SHADER_CACHE_DISABLE = 'true';
const { adapter } = await start({ prefer: 'webgpu' });
const [length, vocabulary] = [64, 1024];
const { network, params } = createModel({
  model_type: 'gpt2',
  vocab_size: vocabulary,
  n_positions: length,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
});
const inputs = Int32Array.from({ length }, (_, i) => (i * 7919) % vocabulary);
const ids = tf.tensor2d(inputs, [1, length], 'int32');
const batch = { inputs, targets: inputs, shape: [1, length] as const };
const steps = {
  forward: () => network.forward(ids),
  training: () => {
    const { loss, gradients } = lossAndGradients(params.named(), () =>
      languageModelLoss(network, batch),
    );
    tf.dispose(gradients);
    return loss;
  },
};

async function milliseconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

console.log(`GPT-2, 12 layers of 768, 12 heads, ${length} tokens; ${adapter}`);
for (const [name, step] of Object.entries(steps)) {
  const run = async () => {
    const y = step();
    await y.data();
    y.dispose();
  };
  const compiled = await milliseconds(() => compilePipelines(step));
  const first = await milliseconds(run);
  const second = await milliseconds(run);
  const whole = compiled + first - second;
  console.log(
    `  ${name}: ${whole.toFixed(0)} ms: compiled ahead ${compiled.toFixed(0)}, first run ${first.toFixed(0)}, second ${second.toFixed(0)}`,
  );
}
process.exit(0);

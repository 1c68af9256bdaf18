import { fileURLToPath } from 'node:url';
import { readTensor } from '@headwise/core';
import { clipTower, type LoadedModel, loadModel } from '@headwise/models';
import { checkpointTensors } from '@headwise/models/internal';
import { folderFiles } from '@headwise/models/node';
import { SafetensorsReader, toFloat32 } from '@headwise/safetensors';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { type Check, checkOf } from '../receipt.js';
import { boundsOn } from './check.js';
import { crossEntropy } from './cross-entropy.js';
import { readGolden, type Tensors } from './golden.js';
import { outputsOf } from './outputs.js';

const files = folderFiles(fileURLToPath(new URL('goldens/clip', import.meta.url)));

/** The logarithm of what cosines are multiplied by, a tensor of neither tower. */
async function logitScale(): Promise<tf.Variable> {
  const reader = await SafetensorsReader.open((await files.open('model.safetensors'))!);
  const key = 'logit_scale';
  const values = toFloat32(await reader.read(key), { file: 'model.safetensors', key });
  await reader.close();
  return tf.tidy(() => tf.variable(tf.scalar(values[0]!)));
}

function vectorsOf(model: LoadedModel, inputs: Tensors, name: string): tf.Tensor {
  const { [name]: vectors } = outputsOf(model, inputs);
  return vectors!.div(vectors!.norm('euclidean', -1, true));
}

describeBackends("CLIP's two towers", (backend) => {
  test('give the logits of pictures and texts, the contrastive loss and every gradient', async () => {
    const before = tf.memory().numTensors;
    const golden = await readGolden(files);
    const { pixel_values: pixels, ...texts } = golden.inputs;
    const vision = await loadModel(files, { configure: clipTower('vision') });
    const text = await loadModel(files, { configure: clipTower('text') });
    const scale = await logitScale();
    expect([...vision.newPaths, ...text.newPaths]).toEqual([]);
    const others = vision.unusedKeys.filter((key) => text.unusedKeys.includes(key));
    expect(others).toEqual(['logit_scale']);

    const outputs = (): Tensors => {
      const pictures = vectorsOf(vision, { pixel_values: pixels! }, 'image_embeds');
      const words = vectorsOf(text, texts, 'text_embeds');
      const perText = tf.matMul(words, pictures, false, true).mul(scale.exp());
      return {
        ...{ image_embeds: pictures, text_embeds: words },
        ...{ logits_per_text: perText, logits_per_image: perText.transpose() },
      };
    };
    const { outputs: bound, gradients: gradientBound } = boundsOn(backend);
    const checks: Check[] = [];
    const given = tf.tidy(outputs);
    for (const [name, expected] of Object.entries(golden.outputs)) {
      checks.push(checkOf('clip', name, await readTensor(given[name]!), expected, bound));
    }
    const variables = [vision, text].flatMap(({ params }) => Object.values(params.named()));
    const { value, grads } = tf.variableGrads(() => {
      const { logits_per_text: perText, logits_per_image: perImage } = outputs();
      const same = tf.range(0, perText!.shape[0]!, 1, 'int32');
      return crossEntropy(perText!, same).add<tf.Scalar>(crossEntropy(perImage!, same)).div(2);
    }, [...variables, scale]);
    checks.push(checkOf('clip', 'loss', await readTensor(value), [golden.loss], bound));
    const gradients: Record<string, { data: unknown }> = {
      logit_scale: { data: () => readTensor(grads[scale.name]!) },
      ...checkpointTensors(vision, (_, variable) => grads[variable.name]!),
      ...checkpointTensors(text, (_, variable) => grads[variable.name]!),
    };
    for (const [key, expected] of Object.entries(golden.gradients)) {
      const actual = await (gradients[key]!.data as () => Promise<Float32Array>)();
      checks.push(checkOf('clip', `gradient.${key}`, actual, expected, gradientBound));
    }
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(Object.keys(gradients).sort()).toEqual(Object.keys(golden.gradients).sort());
    tf.dispose([given, value, grads, golden.inputs, scale]);
    for (const { params } of [vision, text]) params.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

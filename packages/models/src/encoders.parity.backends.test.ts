import { type EncoderContext, type EncoderModel, isEncoder } from '@headwise/core';
import { sparseCrossEntropy } from '@headwise/kernels';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { checkpointSource } from './checkpoint.js';
import { placeOf } from './family.js';
import { type Golden, readGolden, valuesOf, withoutPadding } from './goldens/read.node.js';
import { sentenceEmbeddings } from './heads.js';
import { createModel, familyOf } from './model.js';

/** What each class of Hugging Face's calls our outputs. */
const theirNames: Record<string, string> = {
  hidden: 'last_hidden_state',
  pooled: 'pooler_output',
  tokenLogits: 'prediction_logits',
  nextSentenceLogits: 'seq_relationship_logits',
  logits: 'logits',
  startLogits: 'start_logits',
  endLogits: 'end_logits',
};

type Outputs = tf.NamedTensorMap;

/** The mean over labels that are not ignored, of logits `[..., K]`. */
function crossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  const rows = logits.reshape<tf.Tensor2D>([-1, logits.shape.at(-1)!]);
  const flat = labels.reshape<tf.Tensor1D>([-1]);
  const count = flat.notEqual(-100).sum().toFloat();
  return sparseCrossEntropy(rows, flat).sum().div(count) as tf.Scalar;
}

/** The loss that a golden's gradients are of: what `expected.json` says in words. */
function lossOf(outputs: Outputs, { kind, inputs }: Golden): tf.Scalar {
  if (outputs.startLogits) {
    const start = crossEntropy(outputs.startLogits, inputs.start_positions!);
    return start.add(crossEntropy(outputs.endLogits!, inputs.end_positions!)).div(2);
  }
  if (outputs.tokenLogits) {
    const tokens = crossEntropy(outputs.tokenLogits, inputs.labels!);
    return tokens.add(crossEntropy(outputs.nextSentenceLogits!, inputs.next_sentence_label!));
  }
  if (outputs.logits) return crossEntropy(outputs.logits, inputs.labels!);
  const products = Object.entries(outputs).map(([name, output]) =>
    output.mul(inputs[`cotangent.${theirNames[name] ?? name}`]!).sum(),
  );
  if (products.length === 0) throw new Error(`${kind}: no outputs`);
  return tf.addN(products) as tf.Scalar;
}

const names = [
  'bert',
  'bert-masked-lm',
  'bert-next-sentence',
  'bert-pretraining',
  'bert-question-answering',
  'bert-sequence-classification',
  'bert-token-classification',
  'roberta-masked-lm',
  'roberta-masked-lm-right',
  'roberta-sequence-classification',
];

describeBackends('an encoder of Hugging Face transformers', () => {
  const ratio = () => (tf.getBackend() === 'webgpu' ? 1e-4 : 2e-5);

  for (const name of names) {
    test(`${name}: outputs, hidden states, attention maps, and the gradient of every parameter`, async () => {
      const golden = readGolden(name);
      const { config, inputs, expected, weights } = golden;
      const family = familyOf(config);
      const parsed = family.parseConfig(config);
      const source = checkpointSource(family, parsed, weights, name);
      const { network, params } = createModel(config, { source });
      expect(source.unused()).toEqual([]);
      if (!isEncoder(network)) throw new Error(`${name} is no encoder`);
      const mask = inputs.attention_mask!;

      const seen = new Map<string, tf.Tensor>();
      const ctx = context(golden);
      const outputs = network.forward(inputs.input_ids!, {
        ...ctx,
        tap: (path, value) => void seen.set(path, tf.keep(value.clone())),
      });
      const layers = [...seen.keys()].filter((path) => path.endsWith('.resid')).length;
      for (let i = 0; i <= layers; i++) {
        const state = seen.get(i === 0 ? 'embedded' : `blocks.${i - 1}.resid`)!;
        await expectEqual(`hidden_states.${i}`, state);
        if (i < layers) await expectEqual(`attentions.${i}`, seen.get(`blocks.${i}.attn.pattern`)!);
      }
      for (const [output, value] of Object.entries(outputs)) {
        await expectEqual(theirNames[output]!, value, /^(start|end)Logits$/.test(output));
      }
      async function expectEqual(key: string, value: tf.Tensor, whole = false): Promise<void> {
        const shown = whole ? value : withoutPadding(value, mask);
        const values = valuesOf(expected, `outputs.${key}`);
        await expectClose(shown, values, { ratio: ratio() }).catch((error: Error) => {
          throw new Error(`${key}: ${error.message}`);
        });
      }

      const named = params.named();
      const { value, grads } = tf.variableGrads(
        () => lossOf(allOutputs(network, golden), golden),
        Object.values(named),
      );
      await expectClose(value, valuesOf(expected, 'loss'), { ratio: ratio() });
      const compared = new Set<string>();
      for (const [path, variable] of Object.entries(named)) {
        const { key } = placeOf(family.keys(parsed), path);
        const gradient = valuesOf(expected, `gradients.${key}`);
        await expectClose(grads[variable.name]!, gradient, { ratio: 1e-4, floor: 1e-6 }).catch(
          (error: Error) => {
            throw new Error(`gradient of ${path}: ${error.message}`);
          },
        );
        compared.add(`gradients.${key}`);
      }
      const all = [...expected.tensors.keys()].filter((key) => key.startsWith('gradients.'));
      expect([...compared].sort()).toEqual(all.sort());
      params.dispose();
    });
  }
});

function context({ inputs }: Golden): EncoderContext {
  const { attention_mask: attentionMask, token_type_ids: tokenTypes } = inputs;
  return { attentionMask: attentionMask!, ...(tokenTypes ? { tokenTypes } : {}) };
}

/** The outputs, and where the golden has them, sentence embeddings. */
function allOutputs(network: EncoderModel, golden: Golden): Outputs {
  const { inputs } = golden;
  const outputs = network.forward(inputs.input_ids!, context(golden));
  if (!inputs['cotangent.sentence_embedding']) return outputs;
  const sentence_embedding = sentenceEmbeddings(network, inputs.input_ids!, context(golden));
  return { ...outputs, sentence_embedding };
}

import { isEncoderDecoder, type Network, Random } from '@headwise/core';
import { AdaptedModel, createModel, Lora } from '@headwise/models';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { accumulateGradients } from '../gradients.js';
import { defaultObjective } from '../planned-objective.js';

const sizes = { vocab_size: 31, hidden_size: 12, num_hidden_layers: 3, num_attention_heads: 3 };
const batch = { rows: 2, tokens: 7, sourceTokens: 5 };

/** One of each stack, with dropout where the family has it, and positions that all blocks share. */
const configurations = {
  gpt2: { model_type: 'gpt2', vocab_size: 31, n_positions: 16, n_embd: 12, n_layer: 3, n_head: 3 },
  llama: { model_type: 'llama', ...sizes, intermediate_size: 20 },
  mixtral: {
    model_type: 'mixtral',
    ...sizes,
    intermediate_size: 10,
    num_key_value_heads: 3,
    num_local_experts: 4,
    num_experts_per_tok: 2,
    output_router_logits: true,
    router_aux_loss_coef: 0.5,
  },
  bert: { model_type: 'bert', ...sizes, intermediate_size: 20, architectures: ['BertForMaskedLM'] },
  t5: {
    model_type: 't5',
    vocab_size: 31,
    d_model: 12,
    d_kv: 4,
    d_ff: 20,
    num_layers: 2,
    num_heads: 3,
  },
} as const;

/** A network with what it is trained by. */
interface Trained {
  network: Network;
  configuration: unknown;
  params: Record<string, tf.Variable>;
}

/** Loss and gradients of a network in training. */
function made({ network, configuration, params }: Trained, checkpoint: boolean) {
  const { objective, batch: example } = defaultObjective(network, batch, configuration);
  const ctx = { training: true, checkpoint, random: new Random(7) };
  return accumulateGradients('test', params, objective, [example], ctx);
}

async function expectSame(trained: Trained): Promise<void> {
  const before = tf.memory().numTensors;
  const [plain, again] = [made(trained, false), made(trained, true)];
  await expectClose(again.losses[0]!, plain.losses[0]!);
  for (const [path, gradient] of Object.entries(plain.gradients)) {
    await expectClose(again.gradients[path]!, gradient, { ratio: 1e-5, floor: 1e-7 });
  }
  tf.dispose([plain.losses, plain.gradients, again.losses, again.gradients]);
  expect(tf.memory().numTensors).toBe(before);
}

describeBackends('a step that computes blocks again', () => {
  for (const [name, configuration] of Object.entries(configurations)) {
    test(`of ${name} has the loss and the gradients of one that keeps them`, async () => {
      const { network, params } = createModel(configuration as unknown, { seed: 1 });
      // Tables of attention and the like are made by the first pass, and stay.
      const trained = { network, configuration, params: params.named() };
      tf.dispose(made(trained, false) as never);
      expect(isEncoderDecoder(network)).toBe(name === 't5');
      await expectSame(trained);
      params.dispose();
    });
  }

  test('of an adapter over packed weights has the same gradients', async () => {
    const configuration = configurations.llama;
    const { network, params } = createModel(configuration, { seed: 1, dtype: 'int8' });
    const lora = new Lora(params, { rank: 2, targets: /attn\.(qProj|vProj)$/, dropout: 0.3 });
    const adapted = new AdaptedModel(network, lora);
    const trained = { network: adapted, configuration, params: lora.params.named() };
    tf.dispose(made(trained, false) as never);
    await expectSame(trained);
    lora.params.dispose();
    params.dispose();
  });
});

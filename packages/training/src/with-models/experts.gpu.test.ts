import { expect, test } from 'vitest';
import { causal, expectSame, reasons, sizes, tokens } from './recorded.cases.js';

test('a mixture of experts is recorded: replays route other tokens to other experts', async () => {
  const mixtral = {
    ...{ model_type: 'mixtral', ...sizes, num_attention_heads: 3, num_key_value_heads: 3 },
    ...{ intermediate_size: 10, num_local_experts: 5, num_experts_per_tok: 2 },
    ...{ max_position_embeddings: 32, output_router_logits: true, router_aux_loss_coef: 0.1 },
  };
  const recorded = await expectSame(mixtral, {
    ...{ ...causal, batches: (n: number) => tokens(n), steps: 5 },
  });
  expect(reasons(recorded)).toEqual(new Set([undefined]));
  expect(recorded.losses).toBeLessThan(5);
});

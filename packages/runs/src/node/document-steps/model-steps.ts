import type { StepModule } from '@headwise/data/node';
import type { ModelStepOptions } from './makers.js';

/**
 * The steps `classifier` and `perplexity`, for `filterDocuments` of `@headwise/data/node`.
 *
 * @example
 * const steps = [{ step: 'perplexity', model: 'models/wikipedia', max: 500 }];
 * await filterDocuments(['raw'], 'clean', { steps, stepModule: modelSteps({ backend: 'cpu' }) });
 */
export function modelSteps(options: ModelStepOptions): StepModule {
  const [ending] = /\.\w+$/.exec(import.meta.url)!;
  return { url: new URL(`./makers${ending}`, import.meta.url).href, options: { ...options } };
}

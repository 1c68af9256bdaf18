import type { ReactElement } from 'react';
import type { Sampling } from '../../models/sampling.js';
import { SliderField } from '../../ui/fields.js';

/** Temperature, top-k and top-p. */
export function SamplingForm({
  sampling,
  mostK,
  onChange,
}: {
  sampling: Sampling;
  mostK: number;
  onChange(sampling: Sampling): void;
}): ReactElement {
  const { temperature, topK, topP } = sampling;
  return (
    <div className="stack tight">
      <SliderField
        label="Temperature"
        hint="Below 1 sharpens the distribution, above 1 flattens it; 0 is greedy."
        value={temperature}
        shown={temperature.toFixed(2)}
        min={0}
        max={2}
        step={0.05}
        onChange={(next) => onChange({ ...sampling, temperature: next })}
      />
      <SliderField
        label="Top-k"
        hint="Samples from the k most likely tokens."
        value={topK}
        shown={topK === 0 ? 'all' : String(topK)}
        min={0}
        max={mostK}
        step={1}
        onChange={(next) => onChange({ ...sampling, topK: next })}
      />
      <SliderField
        label="Top-p"
        hint="Samples from the fewest tokens whose probabilities sum to p."
        value={topP}
        shown={topP === 1 ? 'all' : topP.toFixed(2)}
        min={0.05}
        max={1}
        step={0.05}
        onChange={(next) => onChange({ ...sampling, topP: next })}
      />
    </div>
  );
}

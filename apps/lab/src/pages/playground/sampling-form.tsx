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
        hint="Below 1 the likely becomes likelier; above 1 the unlikely gets its chance; at 0 the best is taken."
        value={temperature}
        shown={temperature.toFixed(2)}
        min={0}
        max={2}
        step={0.05}
        onChange={(next) => onChange({ ...sampling, temperature: next })}
      />
      <SliderField
        label="Top-k"
        hint="Only so many of the best stay."
        value={topK}
        shown={topK === 0 ? 'all' : String(topK)}
        min={0}
        max={mostK}
        step={1}
        onChange={(next) => onChange({ ...sampling, topK: next })}
      />
      <SliderField
        label="Top-p"
        hint="Only the fewest best that together are this likely stay."
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

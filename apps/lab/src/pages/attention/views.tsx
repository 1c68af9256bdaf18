import type { ReactElement } from 'react';
import { Heat } from '../../charts/heat.js';
import type { Head, Inspection } from '../../worker/inspection.js';
import type { ModelInfo, ModelSource } from '../../worker/model-source.js';
import { HeadView } from './head-view.js';
import { isHead, nameOf } from './heads.js';
import { LensView } from './lens-view.js';
import { MapView } from './map-view.js';
import { ModelView } from './model-view.js';
import { NeuronView } from './neuron-view.js';

export const views = [
  { value: 'model', label: 'All heads' },
  { value: 'head', label: 'One head' },
  { value: 'neuron', label: 'Query–key dimensions' },
  { value: 'flow', label: 'Attention rollout' },
  { value: 'lens', label: 'Logit lens' },
  { value: 'map', label: 'Large map' },
] as const;
export type ViewName = (typeof views)[number]['value'];
export const viewNames: readonly ViewName[] = views.map(({ value }) => value);

/** One view of one model. Where two are compared, it stands on the page twice. */
export function View({
  view,
  source,
  info,
  text,
  head,
  inspection,
  title,
  ablated,
  onText,
  onAblate,
  onChoose,
}: {
  view: ViewName;
  source: ModelSource;
  info: ModelInfo;
  text: string;
  head: Head;
  inspection: Inspection;
  title: string;
  ablated: readonly Head[];
  onText?: (text: string) => void;
  /** Takes a head out, or puts it back; undefined where none can be. */
  onAblate?: (head: Head) => void;
  onChoose: (head: Head) => void;
}): ReactElement {
  switch (view) {
    case 'model':
      return (
        <article className="stack tight">
          <h2 className="minor">{title}</h2>
          <ModelView {...{ inspection, ablated, onChoose, onAblate }} chosen={head} />
        </article>
      );
    case 'head':
      return (
        <HeadView
          {...{ inspection, head, title, onChoose }}
          out={isHead(ablated, head)}
          onAblate={onAblate && (() => onAblate(head))}
        />
      );
    case 'neuron':
      return (
        <article className="stack tight">
          <h2 className="minor">{title}</h2>
          <NeuronView {...{ source, text, inspection, head }} />
        </article>
      );
    case 'flow':
      return <Flow {...{ inspection, title }} />;
    case 'lens':
      return (
        <article className="stack tight">
          <h2 className="minor">{title}</h2>
          <LensView {...{ source, text, inspection, title }} />
        </article>
      );
    case 'map':
      return (
        <article className="stack tight">
          <h2 className="minor">{title}</h2>
          <MapView
            {...{ source, info, text, head, onText }}
            step={inspection.step}
            name={nameOf(inspection, head)}
          />
        </article>
      );
  }
}

/** Attention rollout: the attention of all layers multiplied. */
function Flow({ inspection, title }: { inspection: Inspection; title: string }): ReactElement {
  return (
    <article className="stack tight">
      <h2 className="minor">{title}</h2>
      <p className="small muted">
        The product of the layers' attention, averaged over heads, with the residual connections:
        how much of each token (column) reaches each position (row).
      </p>
      <div className="flow-map">
        <Heat
          values={inspection.rollout}
          columns={inspection.tokens.length}
          label={`Attention rollout of ${title}`}
        />
      </div>
    </article>
  );
}

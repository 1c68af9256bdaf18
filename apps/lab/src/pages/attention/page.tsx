import { type ReactElement, useMemo, useState } from 'react';
import { Heat } from '../../charts/heat.js';
import { useLab } from '../../lab.js';
import { bundledSource } from '../../models/chosen.js';
import { ModelPicker } from '../../models/picker.js';
import { describe, useModel } from '../../models/use-model.js';
import { useRoute } from '../../route.js';
import { Button } from '../../ui/button.js';
import { Choice } from '../../ui/choice.js';
import { SwitchField, TextField } from '../../ui/fields.js';
import { Empty, Notice } from '../../ui/notice.js';
import type { Head, Inspection } from '../../worker/inspection.js';
import type { ModelSource } from '../../worker/model-source.js';
import { Effect } from './effect.js';
import { HeadView } from './head-view.js';
import { isHead, nameOf } from './heads.js';
import { LensView } from './lens-view.js';
import { MapView } from './map-view.js';
import { ModelView } from './model-view.js';
import { NeuronView } from './neuron-view.js';
import { useInspection } from './use-inspection.js';

const views = [
  { value: 'model', label: 'All heads' },
  { value: 'head', label: 'One head' },
  { value: 'neuron', label: 'Neurons' },
  { value: 'flow', label: 'Flow' },
  { value: 'lens', label: 'Layers' },
  { value: 'map', label: 'Large map' },
] as const;
type ViewName = (typeof views)[number]['value'];

const none: readonly Head[] = [];

/** Where the heads of a model look, and what they are good for. */
export function AttentionPage(): ReactElement {
  const { query } = useRoute();
  const { engine } = useLab();
  const asked = query.get('run');
  const [source, setSource] = useState<ModelSource>(
    asked ? { kind: 'run', run: asked } : bundledSource,
  );
  const [other, setOther] = useState<ModelSource>();
  const [text, setText] = useState('The whale swam away, and the whale came back to the ship.');
  const [view, setView] = useState<ViewName>('model');
  const [wanted, setWanted] = useState<Head>();
  const [ablated, setAblated] = useState<readonly Head[]>(none);
  const { info, problem: broken } = useModel(engine && source);
  const whole = useInspection(info && source, text, none);
  const without = useInspection(ablated.length > 0 && info ? source : undefined, text, ablated);
  const compared = useInspection(other, text, none);
  const { inspection } = whole;
  // What is drawn is what the model does now: without the heads that were taken out.
  const drawn = without.inspection && ablated.length > 0 ? without.inspection : inspection;
  const head = useMemo(() => chosenHead(inspection, wanted), [inspection, wanted]);
  const toggle = (one: Head) =>
    setAblated(
      isHead(ablated, one)
        ? ablated.filter(({ layer, head: number }) => layer !== one.layer || number !== one.head)
        : [...ablated, one],
    );
  const problem = broken ?? whole.problem ?? without.problem ?? compared.problem;
  return (
    <>
      <div className="page-head">
        <h1>Attention</h1>
        <p>
          See where each head of a model looks, and take heads out to find what they are good for.
        </p>
      </div>
      <div className="columns">
        <div className="stack">
          <section className="panel stack" aria-label="Model and text">
            <ModelPicker
              label="Model"
              source={source}
              onChange={(next) => {
                setSource(next);
                setAblated(none);
              }}
            />
            {info && <p className="small muted">{describe(info)}</p>}
            <TextField label="Text" lines={4} value={text} onChange={setText} />
            <SwitchField
              label="Compare with another model"
              checked={other !== undefined}
              onChange={(on) => setOther(on ? bundledSource : undefined)}
            />
            {other && <ModelPicker label="Other model" source={other} onChange={setOther} />}
          </section>
          {inspection && (
            <section className="panel" aria-label="Effect">
              <Effect
                whole={inspection}
                ablated={ablated.length > 0 ? without.inspection : undefined}
              />
              {ablated.length > 0 && (
                <div className="row ablated">
                  {ablated.map((one) => (
                    <Button
                      key={`${one.layer}/${one.head}`}
                      small
                      icon="close"
                      onClick={() => toggle(one)}
                    >
                      {nameOf(inspection, one)} is out
                    </Button>
                  ))}
                </div>
              )}
            </section>
          )}
        </div>
        <section className="panel stack" aria-label="Views">
          <Choice label="View" value={view} options={views} onChange={(next) => setView(next)} />
          {problem && <Notice tone="bad">{problem}</Notice>}
          {drawn && info && head && (
            <Views
              {...{ view, source, info, text, head, drawn, ablated, setText, toggle }}
              other={other && compared.inspection}
              onChoose={(next) => {
                setWanted(next);
                setView('head');
              }}
            />
          )}
          {!drawn && !problem && <Empty title="Reading the text …">{null}</Empty>}
        </section>
      </div>
    </>
  );
}

/** The head that is looked at: the wanted one where the model has it, else the first of the last layer. */
function chosenHead(
  inspection: Inspection | undefined,
  wanted: Head | undefined,
): Head | undefined {
  const maps = inspection?.maps ?? [];
  const has = maps.some(({ layer, heads }) => layer === wanted?.layer && wanted.head < heads);
  const last = maps.at(-1);
  return has ? wanted : last && { layer: last.layer, head: 0 };
}

function Views({
  view,
  source,
  info,
  text,
  head,
  drawn,
  other,
  ablated,
  setText,
  toggle,
  onChoose,
}: {
  view: ViewName;
  source: ModelSource;
  info: NonNullable<ReturnType<typeof useModel>['info']>;
  text: string;
  head: Head;
  drawn: Inspection;
  other: Inspection | undefined;
  ablated: readonly Head[];
  setText: (text: string) => void;
  toggle: (head: Head) => void;
  onChoose: (head: Head) => void;
}): ReactElement {
  const beside = other && chosenHead(other, head);
  switch (view) {
    case 'model':
      return (
        <ModelView
          inspection={drawn}
          chosen={head}
          ablated={ablated}
          onChoose={onChoose}
          onAblate={toggle}
        />
      );
    case 'head':
      return (
        <div className="stack">
          <HeadView
            inspection={drawn}
            head={head}
            title={info.name}
            out={isHead(ablated, head)}
            onAblate={() => toggle(head)}
            onChoose={onChoose}
          />
          {other && beside && (
            <>
              <hr />
              <HeadView inspection={other} head={beside} title="Other model" onChoose={onChoose} />
            </>
          )}
        </div>
      );
    case 'neuron':
      return <NeuronView source={source} text={text} inspection={drawn} head={head} />;
    case 'flow':
      return (
        <div className="halves">
          <Flow inspection={drawn} title={info.name} />
          {other && <Flow inspection={other} title="Other model" />}
        </div>
      );
    case 'lens':
      return <LensView source={source} text={text} inspection={drawn} />;
    case 'map':
      return (
        <MapView
          source={source}
          info={info}
          text={text}
          head={head}
          name={nameOf(drawn, head)}
          onText={setText}
        />
      );
  }
}

/** How much of each token has reached each place through all layers. */
function Flow({ inspection, title }: { inspection: Inspection; title: string }): ReactElement {
  return (
    <article className="stack tight">
      <h3>{title}</h3>
      <p className="small muted">
        How much of each token (column) has come to each place (row) through all layers and heads
        together: attention rollout.
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

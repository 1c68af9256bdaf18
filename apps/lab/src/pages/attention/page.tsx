import { type ReactElement, useMemo } from 'react';
import { useLab } from '../../lab.js';
import { asSource, bundledSource } from '../../models/chosen.js';
import { ModelPicker } from '../../models/picker.js';
import { describe, useModel } from '../../models/use-model.js';
import { asOneOf, asText, useAddressed } from '../../route.js';
import { Button } from '../../ui/button.js';
import { Choice } from '../../ui/choice.js';
import { SwitchField, TextField } from '../../ui/fields.js';
import { Empty, Notice } from '../../ui/notice.js';
import type { Head, Inspection } from '../../worker/inspection.js';
import { keyOfSource, type ModelInfo, type ModelSource } from '../../worker/model-source.js';
import { Effect } from './effect.js';
import { asHead, asHeads, chosenHead, isHead, nameOf, noHeads } from './heads.js';
import { useInspection } from './use-inspection.js';
import { View, viewNames, views } from './views.js';

const start = 'The whale swam away, and the whale came back to the ship.';
const asOther = {
  read: asSource.read,
  write: (source: ModelSource | undefined) => (source ? asSource.write(source) : ''),
};

/** Where the heads of a model look, and what they are good for. */
export function AttentionPage(): ReactElement {
  const { engine } = useLab();
  const [source, setSource] = useAddressed('attention', 'model', bundledSource, asSource);
  const [other, setOther] = useAddressed<ModelSource | undefined>(
    'attention',
    'other',
    undefined,
    asOther,
  );
  const [text, setText] = useAddressed('attention', 'text', start, asText);
  const [view, setView] = useAddressed('attention', 'view', 'model', asOneOf(viewNames));
  const [wanted, setWanted] = useAddressed<Head | undefined>(
    'attention',
    'head',
    undefined,
    asHead,
  );
  const [out, setAblated] = useAddressed('attention', 'out', noHeads, asHeads);
  const { info, problem: broken } = useModel(engine && source);
  // An address may name heads that this model does not have.
  const ablated = useMemo(
    () =>
      out.filter(({ layer, head }) =>
        info?.layers.some(({ path, heads }) => path === layer && head < heads),
      ),
    [out, info],
  );
  const { info: otherInfo, problem: otherBroken } = useModel(engine && other);
  const whole = useInspection(info && source, text, noHeads);
  const without = useInspection(ablated.length > 0 && info ? source : undefined, text, ablated);
  const compared = useInspection(otherInfo && other, text, noHeads);
  const { inspection } = whole;
  // What is drawn is what the model does now: without the heads that were taken out.
  const drawn = without.inspection && ablated.length > 0 ? without.inspection : inspection;
  const head = useSame(chosenHead(inspection, wanted));
  const beside = useSame(chosenHead(compared.inspection, head));
  const toggle = (one: Head) =>
    setAblated(
      isHead(ablated, one)
        ? ablated.filter(({ layer, head: number }) => layer !== one.layer || number !== one.head)
        : [...ablated, one],
    );
  const problem = broken ?? whole.problem ?? without.problem;
  const otherProblem = other && (otherBroken ?? compared.problem);
  const look = (next: Head) => {
    setWanted(next);
    setView('head');
  };
  return (
    <>
      <div className="page-head">
        <h1>Attention</h1>
        <p>
          Attention weights of every head, and the loss and the next-token probabilities with heads
          ablated.
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
                setAblated(noHeads);
              }}
            />
            {info && <p className="small muted">{describe(info, inspection?.step)}</p>}
            <TextField label="Text" lines={4} value={text} onChange={setText} />
            {info && inspection && <Cut inspection={inspection} info={info} />}
            <SwitchField
              label="Compare with another model"
              checked={other !== undefined}
              onChange={(on) => setOther(on ? bundledSource : undefined)}
            />
            {other && <ModelPicker label="Other model" source={other} onChange={setOther} />}
            {otherInfo && (
              <p className="small muted">{describe(otherInfo, compared.inspection?.step)}</p>
            )}
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
                      Restore {nameOf(inspection, one)}
                    </Button>
                  ))}
                </div>
              )}
            </section>
          )}
          {compared.inspection && otherInfo && (
            <section className="panel stack" aria-label="Effect of the other model">
              <h2>{otherInfo.name}</h2>
              <Effect whole={compared.inspection} ablated={undefined} />
            </section>
          )}
        </div>
        <section className="panel stack" aria-label="Views">
          <Choice label="View" value={view} options={views} onChange={(next) => setView(next)} />
          {problem && <Notice tone="bad">{problem}</Notice>}
          {drawn && info && head && (
            <View
              key={keyOfSource(source)}
              {...{ view, source, info, text, head, ablated }}
              inspection={drawn}
              title={info.name}
              onText={setText}
              onAblate={toggle}
              onChoose={look}
            />
          )}
          {!drawn && !problem && <Empty title="Reading the text …">{null}</Empty>}
          {other && (
            <section className="stack compared" aria-label="Other model">
              {otherProblem && <Notice tone="bad">{otherProblem}</Notice>}
              {compared.inspection && otherInfo && beside && (
                <View
                  key={keyOfSource(other)}
                  {...{ view, text }}
                  source={other}
                  info={otherInfo}
                  inspection={compared.inspection}
                  head={beside}
                  ablated={noHeads}
                  title={`Compared: ${otherInfo.name}`}
                  onChoose={look}
                />
              )}
            </section>
          )}
        </section>
      </div>
    </>
  );
}

/** The same object for the same head: views read a head anew when it is another. */
function useSame(head: Head | undefined): Head | undefined {
  return useMemo(() => head, [head?.layer, head?.head]);
}

/** Says how much of a text is shown, where that is not all of it. */
function Cut({
  inspection: { tokens, of },
  info: { maxLength },
}: {
  inspection: Inspection;
  info: ModelInfo;
}): ReactElement | null {
  if (of <= tokens.length) return null;
  return (
    <Notice>
      The text has {of} tokens.{' '}
      {tokens.length === maxLength
        ? `The model reads ${maxLength} at once: the first ${maxLength} are shown.`
        : `The views show the first ${tokens.length}; the large map shows up to ${maxLength}.`}
    </Notice>
  );
}

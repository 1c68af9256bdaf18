import { type ReactElement, useMemo } from 'react';
import { useLab } from '../../lab.js';
import { asSource, bundledSource } from '../../models/chosen.js';
import { ModelPicker } from '../../models/picker.js';
import { bars, type Sampling } from '../../models/sampling.js';
import { describe, useModel } from '../../models/use-model.js';
import { asNumber, asText, useAddressed } from '../../route.js';
import { Button } from '../../ui/button.js';
import { TextField } from '../../ui/fields.js';
import { Notice } from '../../ui/notice.js';
import { NumberField } from '../../ui/number-field.js';
import { numberProblem } from '../../ui/number-text.js';
import { BarChart } from './bar-chart.js';
import { SamplingForm } from './sampling-form.js';
import { Text } from './text.js';
import { useWriting } from './use-writing.js';
import { WorkedExample } from './worked-example.js';

/** Next tokens that are shown as bars. */
const barsShown = 12;
const seeds = { min: 0, max: 2 ** 31 - 1, whole: true };
const lengths = { min: 1, max: 2000, whole: true };

/** Lets a model write, and shows how it chooses. */
export function PlaygroundPage(): ReactElement {
  const { engine } = useLab();
  const [source, setSource] = useAddressed('playground', 'model', bundledSource, asSource);
  const { info, problem } = useModel(engine && source);
  const [prompt, setPrompt] = useAddressed('playground', 'prompt', 'The whale', asText);
  const [temperature, setTemperature] = useAddressed('playground', 'temperature', 0.8, asNumber);
  const [topK, setTopK] = useAddressed('playground', 'top-k', 0, asNumber);
  const [topP, setTopP] = useAddressed('playground', 'top-p', 0.95, asNumber);
  const [seed, setSeed] = useAddressed('playground', 'seed', 1, asNumber);
  const [length, setLength] = useAddressed('playground', 'tokens', 60, asNumber);
  const sampling = useMemo(() => within({ temperature, topK, topP }), [temperature, topK, topP]);
  const { tokens, next, stop, ...ask } = useWriting(source, info, prompt, {
    ...sampling,
    seed,
    maxNewTokens: length,
  });
  const changeSampling = (changed: Sampling) => {
    if (changed.temperature !== temperature) setTemperature(changed.temperature);
    if (changed.topK !== topK) setTopK(changed.topK);
    if (changed.topP !== topP) setTopP(changed.topP);
  };
  const ready =
    info !== undefined &&
    numberProblem(seed, seeds) === undefined &&
    numberProblem(length, lengths) === undefined;
  return (
    <>
      <div className="page-head">
        <h1>Playground</h1>
        <p>Generate text, read the probability of every token, and continue from an alternative.</p>
      </div>
      <div className="columns">
        <section className="panel stack" aria-label="Settings">
          <ModelPicker label="Model" source={source} onChange={setSource} />
          {info && <p className="small muted">{describe(info, next?.step)}</p>}
          {problem && <Notice tone="bad">{problem}</Notice>}
          <TextField label="Prompt" lines={3} value={prompt} onChange={setPrompt} />
          <SamplingForm sampling={sampling} mostK={50} onChange={changeSampling} />
          <div className="fields">
            <NumberField
              label="Seed"
              value={seed}
              limits={seeds}
              onChange={(value) => setSeed(value!)}
            />
            <NumberField
              label="Tokens"
              value={length}
              limits={lengths}
              onChange={(value) => setLength(value!)}
            />
          </div>
          {stop ? (
            <Button icon="stop" onClick={stop}>
              Stop
            </Button>
          ) : (
            <Button
              kind="primary"
              icon="play"
              disabled={!ready || prompt === ''}
              onClick={ask.startOver}
            >
              Generate
            </Button>
          )}
        </section>
        <div className="stack">
          <section className="panel stack" aria-label="Text">
            <div className="row apart">
              <h2>Text</h2>
              <Button
                small
                icon="play"
                disabled={stop !== undefined || tokens.length === 0 || !ready}
                onClick={ask.goOn}
              >
                Continue
              </Button>
            </div>
            <Text tokens={tokens} busy={stop !== undefined} onToken={ask.backTo} />
            {info && tokens.length > info.maxLength && (
              <Notice>
                The text has {tokens.length} tokens and the model's context {info.maxLength}:
                earlier tokens are not read and have no probabilities.
              </Notice>
            )}
          </section>
          <section className="panel stack" aria-label="Next token">
            <div>
              <h2>Next-token probabilities</h2>
              <p className="small muted">
                Light: the model's probability. Dark: after temperature, top-k and top-p. Choose a
                token to append it.
              </p>
            </div>
            {next ? (
              <BarChart
                bars={bars(next, sampling, barsShown)}
                action="Put"
                onChoose={stop ? () => {} : ({ id }) => ask.take(id)}
              />
            ) : (
              <p className="muted">{prompt === '' ? 'Enter a prompt.' : 'Computing …'}</p>
            )}
          </section>
        </div>
      </div>
      <WorkedExample />
    </>
  );
}

/** Values that the sliders can show: an address may hold others. */
function within({ temperature, topK, topP }: Sampling): Sampling {
  const between = (value: number, least: number, most: number, otherwise: number) =>
    Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
  return {
    temperature: between(temperature, 0, 2, 0.8),
    topK: Math.round(between(topK, 0, 50, 0)),
    topP: between(topP, 0.05, 1, 0.95),
  };
}

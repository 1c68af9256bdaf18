import { type ReactElement, useEffect, useRef, useState } from 'react';
import { lab, notify, useLab } from '../../lab.js';
import { bundledSource } from '../../models/chosen.js';
import { ModelPicker } from '../../models/picker.js';
import { type Bar, bars, type Sampling } from '../../models/sampling.js';
import { describe, useModel } from '../../models/use-model.js';
import { useRoute } from '../../route.js';
import { Button } from '../../ui/button.js';
import { NumberField, TextField } from '../../ui/fields.js';
import { Notice } from '../../ui/notice.js';
import { keyOfSource, type ModelSource } from '../../worker/model-source.js';
import type { NextScores, WrittenToken } from '../../worker/writing.js';
import { BarChart } from './bar-chart.js';
import { SamplingForm } from './sampling-form.js';
import { Text } from './text.js';
import { WorkedExample } from './worked-example.js';

/** Next tokens that are shown as bars. */
const barsShown = 12;

/** Lets a model write, and shows how it chooses. */
export function PlaygroundPage(): ReactElement {
  const { query } = useRoute();
  const { engine } = useLab();
  const asked = query.get('run');
  const [source, setSource] = useState<ModelSource>(
    asked ? { kind: 'run', run: asked } : bundledSource,
  );
  const { info, problem } = useModel(engine && source);
  const [prompt, setPrompt] = useState('The whale');
  const [sampling, setSampling] = useState<Sampling>({ temperature: 0.8, topK: 0, topP: 0.95 });
  const [seed, setSeed] = useState(1);
  const [length, setLength] = useState(60);
  const [tokens, setTokens] = useState<WrittenToken[]>([]);
  const [next, setNext] = useState<NextScores>();
  const [writing, setWriting] = useState<AbortController>();
  const key = keyOfSource(source);
  const latest = useRef(0);

  /** The tokens so far, each with its probability, and what could follow them. */
  const look = async (ids: readonly number[]) => {
    const mine = ++latest.current;
    const [scored, after] = await Promise.all([
      lab.call('scoreIds', [source, [...ids]]),
      lab.call('next', [source, [...ids]]),
    ]);
    if (mine !== latest.current) return;
    setTokens(scored);
    setNext(after);
  };
  const fail = (error: Error) => notify('bad', error.message);

  // A new model or prompt begins anew; not at every key that is pressed.
  useEffect(() => {
    if (!info) return;
    const wait = setTimeout(async () => {
      try {
        const ids = await lab.call('encode', [source, prompt]);
        if (ids.length > 0) await look(ids);
        else {
          latest.current++;
          setTokens([]);
          setNext(undefined);
        }
      } catch (error) {
        fail(error as Error);
      }
    }, 250);
    return () => clearTimeout(wait);
  }, [info, key, prompt]);

  /** @param from gives the tokens to go on from */
  const write = async (from: () => readonly WrittenToken[] | Promise<WrittenToken[]>) => {
    const controller = new AbortController();
    setWriting(controller);
    latest.current++;
    const { temperature, topK, topP } = sampling;
    const options = {
      temperature,
      topP,
      ...(topK > 0 ? { topK } : {}),
      seed,
      maxNewTokens: length,
    };
    try {
      const written = [...(await from())];
      const ids = written.map(({ id }) => id);
      await lab.call('write', [source, ids, options], {
        signal: controller.signal,
        onProgress: (token: WrittenToken) => {
          written.push(token);
          setTokens([...written]);
        },
      });
      await look(written.map(({ id }) => id));
    } catch (error) {
      fail(error as Error);
    } finally {
      setWriting(undefined);
    }
  };
  const startOver = () =>
    write(async () => {
      const ids = await lab.call('encode', [source, prompt]);
      return ids.map((id, i) => tokens[i] ?? { id, text: '' });
    });
  /** Goes back to before a token, to see what else could have been there. */
  const backTo = (index: number) => look(tokens.slice(0, index).map(({ id }) => id)).catch(fail);
  const take = ({ id }: Bar) => look([...tokens.map((token) => token.id), id]).catch(fail);
  const busy = writing !== undefined;
  return (
    <>
      <div className="page-head">
        <h1>Playground</h1>
        <p>Let a model write, see how sure it was of every token, and send it another way.</p>
      </div>
      <div className="columns">
        <section className="panel stack" aria-label="Settings">
          <ModelPicker label="Model" source={source} onChange={setSource} />
          {info && <p className="small muted">{describe(info)}</p>}
          {problem && <Notice tone="bad">{problem}</Notice>}
          <TextField label="Prompt" lines={3} value={prompt} onChange={setPrompt} />
          <SamplingForm sampling={sampling} mostK={50} onChange={setSampling} />
          <div className="fields">
            <NumberField
              label="Seed"
              value={seed}
              min={0}
              max={2 ** 31 - 1}
              whole
              onChange={(value) => setSeed(value ?? 0)}
            />
            <NumberField
              label="Tokens"
              value={length}
              min={1}
              max={2000}
              whole
              onChange={(value) => setLength(value ?? 1)}
            />
          </div>
          {busy ? (
            <Button icon="stop" onClick={() => writing.abort()}>
              Stop
            </Button>
          ) : (
            <Button
              kind="primary"
              icon="play"
              disabled={!info || prompt === ''}
              onClick={startOver}
            >
              Write
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
                disabled={busy || tokens.length === 0}
                onClick={() => write(() => tokens)}
              >
                Go on from here
              </Button>
            </div>
            <Text tokens={tokens} busy={busy} onToken={backTo} />
          </section>
          <section className="panel stack" aria-label="Next token">
            <div>
              <h2>What comes next</h2>
              <p className="small muted">
                Pale: as the model has it. Strong: as it is drawn. Choose a token to put it there.
              </p>
            </div>
            {next ? (
              <BarChart
                bars={bars(next, sampling, barsShown)}
                action="Put"
                onChoose={busy ? () => {} : take}
              />
            ) : (
              <p className="muted">
                {prompt === '' ? 'Write a prompt to go on from.' : 'Asking the model …'}
              </p>
            )}
          </section>
        </div>
      </div>
      <WorkedExample />
    </>
  );
}

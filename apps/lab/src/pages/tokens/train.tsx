import { type ReactElement, useState } from 'react';
import type { TokenizerKind, TrainingRequest } from '../../desk/tokenizers.js';
import { desk } from '../../desk.js';
import { download } from '../../download.js';
import { asNumber, asOneOf, useAddressed } from '../../route.js';
import { Button } from '../../ui/button.js';
import { SelectField } from '../../ui/fields.js';
import { FileDrop } from '../../ui/file-drop.js';
import { Notice } from '../../ui/notice.js';
import { NumberField } from '../../ui/number-field.js';
import { numberProblem } from '../../ui/number-text.js';
import { percent } from '../../ui/numbers.js';
import type { Slot } from './slots.js';

const kinds: readonly { value: TokenizerKind; label: string }[] = [
  { value: 'byte-bpe', label: 'Byte-level BPE, as GPT-2' },
  { value: 'bpe', label: 'BPE of characters' },
  { value: 'word-piece', label: 'WordPiece, as BERT' },
  { value: 'unigram', label: 'Unigram, as T5' },
  { value: 'character', label: 'Characters' },
];

const froms = ['book', 'above', 'file'] as const;
type From = (typeof froms)[number];

const asKind = asOneOf(kinds.map(({ value }) => value));
const asFrom = asOneOf(froms);
const sizes = { min: 30, max: 50_000, whole: true };

/** Learns a vocabulary from a text, in a worker, with its progress. */
export function TrainTokenizer({
  text,
  onTrained,
}: {
  text: string;
  onTrained(slot: Slot): void;
}): ReactElement {
  const [kind, setKind] = useAddressed<TokenizerKind>('tokens', 'train', 'byte-bpe', asKind);
  const [vocabSize, setVocabSize] = useAddressed('tokens', 'vocabulary', 1000, asNumber);
  const [from, setFrom] = useAddressed<From>('tokens', 'from', 'book', asFrom);
  const [file, setFile] = useState<File>();
  const [progress, setProgress] = useState<number>();
  const [running, setRunning] = useState<AbortController>();
  const [done, setDone] = useState<Slot & { vocabSize: number }>();
  const [problem, setProblem] = useState<string>();
  const train = async () => {
    const controller = new AbortController();
    setRunning(controller);
    setProgress(0);
    setProblem(undefined);
    const texts: Record<From, TrainingRequest['text']> = {
      book: { kind: 'url', url: new URL('texts/moby-dick.txt', document.baseURI).href },
      above: { kind: 'text', text },
      file: { kind: 'file', file: file! },
    };
    const key = `trained/${crypto.randomUUID()}`;
    const title = kinds.find(({ value }) => value === kind)!.label;
    try {
      const made = await desk.call('train', [key, { kind, vocabSize, text: texts[from] }], {
        signal: controller.signal,
        onProgress: ({ done, total }: { done: number; total: number }) => setProgress(done / total),
      });
      const slot = { key, name: `Trained: ${title}, ${made.vocabSize}` };
      setDone({ ...slot, ...made });
      onTrained(slot);
    } catch (error) {
      setProblem(controller.signal.aborted ? 'Training was stopped.' : (error as Error).message);
    } finally {
      setRunning(undefined);
    }
  };
  const save = async () => {
    if (done) download('tokenizer.json', await desk.call('json', [done.key]));
  };
  return (
    <section className="panel stack" aria-label="Train a tokenizer">
      <div>
        <h2>Train a tokenizer</h2>
        <p className="small muted">
          Learns a vocabulary from a text: frequent strings become single tokens.
        </p>
      </div>
      <div className="fields wide">
        <SelectField label="Kind" value={kind} options={kinds} onChange={(next) => setKind(next)} />
        <SelectField
          label="Training text"
          value={from}
          options={[
            { value: 'book', label: 'Moby-Dick' },
            { value: 'above', label: 'The text above' },
            { value: 'file', label: 'Your own file' },
          ]}
          onChange={(next) => setFrom(next)}
        />
        <NumberField
          label="Vocabulary"
          value={vocabSize}
          limits={sizes}
          disabled={kind === 'character'}
          onChange={(value) => setVocabSize(value!)}
        />
      </div>
      {from === 'file' && (
        <FileDrop
          label={file ? `${file.name} is chosen. Drop another` : 'Drop a text file'}
          onFiles={([next]) => setFile(next)}
        />
      )}
      {problem && <Notice tone="bad">{problem}</Notice>}
      <div className="row">
        {running ? (
          <Button icon="stop" onClick={() => running.abort()}>
            Stop
          </Button>
        ) : (
          <Button
            kind="primary"
            icon="play"
            disabled={
              (from === 'file' && file === undefined) ||
              (kind !== 'character' && numberProblem(vocabSize, sizes) !== undefined)
            }
            onClick={train}
          >
            Train
          </Button>
        )}
        {running && (
          <>
            <progress value={progress} aria-label="Training of the tokenizer" />
            <span className="num small">{percent(progress ?? 0)}</span>
          </>
        )}
        {done && !running && (
          <>
            <span className="small">
              Done: {done.vocabSize} tokens. It is chosen as the second tokenizer.
            </span>
            <Button small icon="download" onClick={save}>
              tokenizer.json
            </Button>
          </>
        )}
      </div>
    </section>
  );
}

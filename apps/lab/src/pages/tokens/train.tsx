import { type ReactElement, useState } from 'react';
import type { TokenizerKind, TrainingRequest } from '../../desk/tokenizers.js';
import { desk } from '../../desk.js';
import { download } from '../../download.js';
import { Button } from '../../ui/button.js';
import { NumberField, SelectField } from '../../ui/fields.js';
import { FileDrop } from '../../ui/file-drop.js';
import { Notice } from '../../ui/notice.js';
import { percent } from '../../ui/numbers.js';
import type { Slot } from './slot.js';

const kinds: readonly { value: TokenizerKind; label: string }[] = [
  { value: 'byte-bpe', label: 'Byte-level BPE, as GPT-2' },
  { value: 'bpe', label: 'BPE of characters' },
  { value: 'word-piece', label: 'WordPiece, as BERT' },
  { value: 'unigram', label: 'Unigram, as T5' },
  { value: 'character', label: 'Characters' },
];

type From = 'book' | 'above' | 'file';

/** Learns a vocabulary from a text, in a worker, with its progress. */
export function TrainTokenizer({
  text,
  onTrained,
}: {
  text: string;
  onTrained(slot: Slot): void;
}): ReactElement {
  const [kind, setKind] = useState<TokenizerKind>('byte-bpe');
  const [vocabSize, setVocabSize] = useState(1000);
  const [from, setFrom] = useState<From>('book');
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
    const slot = {
      key: `trained/${crypto.randomUUID()}`,
      name: `Trained: ${kinds.find(({ value }) => value === kind)!.label}, ${vocabSize}`,
    };
    try {
      const made = await desk.call('train', [slot.key, { kind, vocabSize, text: texts[from] }], {
        signal: controller.signal,
        onProgress: ({ done, total }: { done: number; total: number }) => setProgress(done / total),
      });
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
        <h2>Train one</h2>
        <p className="small muted">
          A vocabulary is learned from a text: what is frequent becomes one piece.
        </p>
      </div>
      <div className="fields wide">
        <SelectField label="Kind" value={kind} options={kinds} onChange={(next) => setKind(next)} />
        <SelectField
          label="Learn from"
          value={from}
          options={[
            { value: 'book', label: 'Moby-Dick' },
            { value: 'above', label: 'The text above' },
            { value: 'file', label: 'A file of yours' },
          ]}
          onChange={(next) => setFrom(next)}
        />
        <NumberField
          label="Vocabulary"
          value={vocabSize}
          min={30}
          max={50_000}
          whole
          disabled={kind === 'character'}
          onChange={(value) => setVocabSize(value ?? 1000)}
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
            disabled={from === 'file' && file === undefined}
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

import { type ReactElement, useEffect, useState } from 'react';
import type { TokenSpan } from '../../desk/spans.js';
import { desk } from '../../desk.js';
import { SelectField } from '../../ui/fields.js';
import { FileDrop } from '../../ui/file-drop.js';
import { Notice } from '../../ui/notice.js';
import type { Slot } from './slots.js';
import { Spans } from './spans.js';

const bringing = 'bring';
const nothing = 'none';

/** One tokenizer and what it makes of the text. */
export function TokenizerSlot({
  title,
  text,
  slots,
  chosen,
  opening,
  onChoose,
  onAdd,
}: {
  title: string;
  text: string;
  slots: readonly Slot[];
  chosen: string | undefined;
  /** Settles when the bundled tokenizer is there. */
  opening: Promise<unknown>;
  onChoose: (key: string) => void;
  onAdd(slot: Slot): void;
}): ReactElement {
  const [spans, setSpans] = useState<{ text: string; spans: TokenSpan[] }>();
  const [problem, setProblem] = useState<string>();
  /** Of the file that was dropped; what comes of the text meanwhile leaves it. */
  const [refused, setRefused] = useState<string>();
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (chosen === undefined) return;
    let current = true;
    const cut = async () => {
      await opening;
      const found = await desk.call('tokenize', [chosen, text]);
      if (!current) return;
      setSpans({ text, spans: found });
      setProblem(undefined);
    };
    cut().catch((error: Error) => {
      if (current) setProblem(error.message);
    });
    return () => {
      current = false;
    };
  }, [chosen, text, opening]);
  const take = async ([file]: File[]) => {
    if (!file) return;
    const key = `file/${file.name}/${file.size}`;
    try {
      await desk.call('openTokenizer', [key, { kind: 'file', file }]);
      setOpen(false);
      setRefused(undefined);
      onAdd({ key, name: file.name });
    } catch (error) {
      setRefused((error as Error).message);
    }
  };
  return (
    <section className="panel stack" aria-label={title}>
      <SelectField
        label={title}
        value={open ? bringing : (chosen ?? nothing)}
        options={[
          ...(chosen === undefined ? [{ value: nothing, label: 'None' }] : []),
          ...slots.map(({ key, name }) => ({ value: key, label: name })),
          { value: bringing, label: 'A file of yours …' },
        ]}
        onChange={(value) => {
          setOpen(value === bringing);
          setRefused(undefined);
          if (value !== bringing && value !== nothing) onChoose(value);
        }}
      />
      {open && (
        <FileDrop
          label="Drop tokenizer.json, a SentencePiece .model, a .tiktoken file or a vocab.txt"
          onFiles={take}
        />
      )}
      {refused && <Notice tone="bad">{refused}</Notice>}
      {problem && <Notice tone="bad">{problem}</Notice>}
      {chosen === undefined ? (
        <p className="muted">Choose one to compare with, or train one below.</p>
      ) : (
        spans && <Spans text={spans.text} spans={spans.spans} />
      )}
    </section>
  );
}

import { type ReactElement, useEffect, useId, useState } from 'react';
import { BigMap } from '../../charts/big-map.js';
import { desk } from '../../desk.js';
import { lab } from '../../lab.js';
import { Button } from '../../ui/button.js';
import { Notice } from '../../ui/notice.js';
import type { Head, Token } from '../../worker/inspection.js';
import type { ModelInfo, ModelSource } from '../../worker/model-source.js';

interface Opened {
  name: string;
  size: number;
  /** Tokens of the whole text. */
  of: number;
  levels: number;
  tokens: Token[];
}

/** The map of one head over as many tokens as the model can see at once. */
export function MapView({
  source,
  info,
  text,
  head,
  step,
  name,
  onText,
}: {
  source: ModelSource;
  info: ModelInfo;
  text: string;
  head: Head;
  /** Steps that the model has made, of a run: a map is read anew after more. */
  step: number | undefined;
  name: string;
  /** Given where the text may be changed. */
  onText?: ((text: string) => void) | undefined;
}): ReactElement {
  const place = useId();
  const [opened, setOpened] = useState<Opened>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let current = true;
    const open = async () => {
      const { size, of, values, tokens } = await lab.call('headMap', [source, text, head]);
      const transfer = [values.buffer as ArrayBuffer];
      if (!current) return;
      const { levels } = await desk.call('openMap', [place, values, size], { transfer });
      if (current) setOpened({ name: place, size, of, levels, tokens });
    };
    setProblem(undefined);
    open().catch((error: Error) => {
      if (current) setProblem(error.message);
    });
    return () => {
      current = false;
    };
  }, [source, text, head, step]);
  useEffect(() => () => void desk.call('closeMap', [place]), [place]);
  const fill = async () => {
    const book = await lab.call('bundledText', []);
    // No token is longer than a few characters on average.
    onText?.(book.slice(0, 8 * info.maxLength));
  };
  return (
    <div className="stack tight">
      <div className="row apart">
        <p className="small muted">
          {name}
          {opened ? `, ${opened.size} tokens` : ''}. The model's context is {info.maxLength} tokens
          {opened && opened.of > opened.size ? `; the text has ${opened.of}` : ''}.
        </p>
        {onText && (
          <Button small icon="file" onClick={fill}>
            Fill with Moby-Dick
          </Button>
        )}
      </div>
      {problem && <Notice tone="bad">{problem}</Notice>}
      {opened ? (
        <BigMap map={opened} tokens={opened.tokens} label={`Attention map of ${name}`} />
      ) : (
        <p className="muted big-map-place">{problem ? '' : 'Computing the map …'}</p>
      )}
    </div>
  );
}

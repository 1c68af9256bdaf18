import { type ReactElement, useEffect, useState } from 'react';
import { BigMap } from '../../charts/big-map.js';
import { desk } from '../../desk.js';
import { lab } from '../../lab.js';
import { Button } from '../../ui/button.js';
import { Notice } from '../../ui/notice.js';
import type { Head, Token } from '../../worker/inspection.js';
import type { ModelInfo, ModelSource } from '../../worker/model-source.js';

interface Opened {
  size: number;
  levels: number;
  tokens: Token[];
}

/** The map of one head over as many tokens as the model can see at once. */
export function MapView({
  source,
  info,
  text,
  head,
  name,
  onText,
}: {
  source: ModelSource;
  info: ModelInfo;
  text: string;
  head: Head;
  name: string;
  onText(text: string): void;
}): ReactElement {
  const [opened, setOpened] = useState<Opened>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let current = true;
    const open = async () => {
      const { size, values, tokens } = await lab.call('headMap', [source, text, head]);
      performance.mark('map-data');
      const transfer = [values.buffer as ArrayBuffer];
      const { levels } = await desk.call('openMap', [values, size], { transfer });
      if (current) setOpened({ size, levels, tokens });
    };
    setProblem(undefined);
    open().catch((error: Error) => {
      if (current) setProblem(error.message);
    });
    return () => {
      current = false;
    };
  }, [source, text, head]);
  const fill = async () => {
    const book = await lab.call('bundledText', []);
    // No token is longer than a few characters on average.
    onText(book.slice(0, 8 * info.maxLength));
  };
  return (
    <div className="stack tight">
      <div className="row apart">
        <p className="small muted">
          {name}
          {opened ? `, ${opened.size} tokens` : ''}. This model sees up to {info.maxLength} at once.
        </p>
        <Button small icon="file" onClick={fill}>
          Fill with Moby-Dick
        </Button>
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

import { useEffect, useRef, useState } from 'react';
import { keep, kept } from '../../kept.js';
import { lab, notify } from '../../lab.js';
import type { Sampling } from '../../models/sampling.js';
import { keyOfSource, type ModelInfo, type ModelSource } from '../../worker/model-source.js';
import type { NextScores, WrittenToken } from '../../worker/writing.js';

/** What is written, and for which model and prompt: another begins anew. */
interface Written {
  for: string;
  ids: number[];
}

export interface Writing {
  tokens: readonly WrittenToken[];
  /** What could follow the tokens. */
  next: NextScores | undefined;
  /** Ends the writing that goes on now; undefined where none does. */
  stop: (() => void) | undefined;
  /** Writes on after the prompt. */
  startOver(): void;
  /** Writes on after the tokens. */
  goOn(): void;
  /** Goes back to before a token, to see what else could have been there. */
  backTo(index: number): void;
  /** Puts a token after the others. */
  take(id: number): void;
}

const keptKey = 'playground/written';

/** A text that a model writes, token by token. */
export function useWriting(
  source: ModelSource,
  info: ModelInfo | undefined,
  prompt: string,
  options: Sampling & { seed: number; maxNewTokens: number },
): Writing {
  const [tokens, setTokens] = useState<readonly WrittenToken[]>([]);
  const [next, setNext] = useState<NextScores>();
  const [writing, setWriting] = useState<AbortController>();
  const latest = useRef(0);
  const key = JSON.stringify([keyOfSource(source), prompt]);
  const fail = (error: Error) => notify('bad', error.message);

  /** The tokens so far, each with its probability, and what could follow them. */
  const look = async (ids: readonly number[]) => {
    const mine = ++latest.current;
    const [scored, after] = await Promise.all([
      lab.call('scoreIds', [source, [...ids]]),
      lab.call('next', [source, [...ids]]),
    ]);
    if (mine !== latest.current) return;
    keep(keptKey, { for: key, ids: [...ids] } satisfies Written);
    setTokens(scored);
    setNext(after);
  };

  // A new model or prompt begins anew; not at every key that is pressed.
  useEffect(() => {
    if (!info) return;
    const begin = async () => {
      const before = kept(keptKey) as Written | undefined;
      const ids =
        before?.for === key && before.ids.length > 0
          ? before.ids
          : await lab.call('encode', [source, prompt]);
      if (ids.length > 0) return look(ids);
      latest.current++;
      setTokens([]);
      setNext(undefined);
    };
    const wait = setTimeout(() => void begin().catch(fail), 250);
    return () => clearTimeout(wait);
  }, [info, key]);

  // Who leaves the page keeps what is written so far.
  const controller = useRef<AbortController>(undefined);
  useEffect(() => () => controller.current?.abort(), []);

  /** @param from gives the tokens to go on from */
  const write = async (from: () => readonly WrittenToken[] | Promise<WrittenToken[]>) => {
    const mine = new AbortController();
    controller.current = mine;
    setWriting(mine);
    latest.current++;
    const { topK, ...rest } = options;
    try {
      const written = [...(await from())];
      const ids = written.map(({ id }) => id);
      await lab.call('write', [source, ids, { ...rest, ...(topK > 0 ? { topK } : {}) }], {
        signal: mine.signal,
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
  return {
    tokens,
    next,
    stop: writing && (() => writing.abort()),
    startOver: () =>
      void write(async () => {
        const ids = await lab.call('encode', [source, prompt]);
        return lab.call('scoreIds', [source, [...ids]]);
      }),
    goOn: () => void write(() => tokens),
    backTo: (index) => void look(tokens.slice(0, index).map(({ id }) => id)).catch(fail),
    take: (id) => void look([...tokens.map((token) => token.id), id]).catch(fail),
  };
}

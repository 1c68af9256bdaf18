import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import {
  type Amount,
  addSize,
  type MeasureHistogram,
  type Rejection,
  type ShardsManifest,
} from '@headwise/data';
import { type DedupReport, type FilterReport, openInputs } from '@headwise/data/node';
import { isMissing } from '@headwise/files';
import type { Tokenizer } from '@headwise/tokenizers';

/** Documents, their bytes, and with a tokenizer about how many tokens they are. */
export interface Share extends Readonly<Amount> {
  readonly tokens?: number | undefined;
}

/** A document that a rule dropped, in its first characters. */
export interface DroppedExample {
  readonly id: string;
  readonly text: string;
}

/** What a rule dropped. */
export interface RuleFinding {
  readonly rule: string;
  readonly dropped: Share;
  /** Documents by the bytes of their texts, and some of them; absent where rejects are not stored. */
  readonly bySize?: readonly number[] | undefined;
  readonly examples?: readonly DroppedExample[] | undefined;
}

/** What one step did. */
export interface StepFinding {
  readonly step: string;
  readonly kept: Share;
  readonly rewritten?: Share | undefined;
  readonly rules: readonly RuleFinding[];
  /** Of a step that measures: documents by value. */
  readonly measured?: MeasureHistogram | undefined;
}

/** What one run of a pipeline did: its folder, and its steps. */
export interface StageFinding {
  readonly command: 'filter' | 'dedup' | 'tokenize';
  readonly folder: string;
  readonly read: Share;
  readonly steps: readonly StepFinding[];
}

const mostExamples = 3;
const exampleLength = 600;
/** Documents of a rule whose tokens are counted. */
const sampled = 500;

/**
 * What the runs of a pipeline did, in the order of their folders.
 *
 * @param tokenizer counts tokens of the first 500 documents that each rule dropped, and of those that were kept; the rest is in proportion to bytes
 * @throws InputError naming a folder without a run that has ended
 */
export async function pipelineFindings(
  folders: readonly string[],
  tokenizer?: Tokenizer,
): Promise<StageFinding[]> {
  const stages: StageFinding[] = [];
  for (const folder of folders) stages.push(await stageOf(folder, tokenizer));
  return stages;
}

async function stageOf(folder: string, tokenizer: Tokenizer | undefined): Promise<StageFinding> {
  const plan = await readJson<{ command: string; rejects?: boolean }>(folder, 'plan.json');
  const { command } = plan;
  if (command === 'filter') return filterStage(folder, plan.rejects === true, tokenizer);
  const name = folder;
  if (command === 'dedup') {
    const report = await readJson<DedupReport>(folder, 'report.json');
    const { documents, bytes, kept, keptBytes, method, parts } = report;
    const perByte = await tokensPerByte(join(folder, 'documents'), tokenizer);
    const share = (count: number, size: number) =>
      shareOf({ documents: count, bytes: size }, perByte);
    const rule = parts > 0 ? `${parts} repeated ${method}s` : 'duplicate';
    const dropped = share(documents - kept, bytes - keptBytes);
    return {
      command,
      folder: name,
      read: share(documents, bytes),
      steps: [
        { step: `dedup, ${method}`, kept: share(kept, keptBytes), rules: [{ rule, dropped }] },
      ],
    };
  }
  if (command === 'tokenize') {
    const { documents, bytes, tokens } = await readJson<ShardsManifest>(folder, 'shards.json');
    const read = { documents, bytes, tokens };
    return { command, folder: name, read, steps: [{ step: 'tokenize', kept: read, rules: [] }] };
  }
  throw new InputError(
    `${folder}: is a run of ${JSON.stringify(command)}; expected one of filter, dedup or tokenize`,
  );
}

async function filterStage(
  folder: string,
  hasRejects: boolean,
  tokenizer: Tokenizer | undefined,
): Promise<StageFinding> {
  const report = await readJson<FilterReport>(folder, 'report.json');
  const seen = hasRejects ? await surveyRejects(join(folder, 'rejects'), tokenizer) : undefined;
  const keptRate = await tokensPerByte(join(folder, 'documents'), tokenizer);
  /** From the last step to the first: what a step read is what it kept and what it dropped. */
  let kept = shareOf(report.kept, keptRate);
  const steps: StepFinding[] = [];
  for (const { step, kept: passed, rewritten, dropped, measured } of report.steps.toReversed()) {
    const rules = Object.entries(dropped)
      .sort(([, a], [, b]) => b.documents - a.documents)
      .map(([rule, amount]): RuleFinding => {
        const found = seen?.get(keyOf({ step, rule }));
        return {
          rule,
          dropped: shareOf(amount, found ? rateOf(found) : keptRate),
          bySize: found?.bySize,
          examples: found?.examples,
        };
      });
    const isRewritten = rewritten.documents > 0;
    steps.unshift({
      step,
      // A step that rewrites changes bytes: counts are the run's, tokens are added up.
      kept: { ...kept, documents: passed.documents, bytes: passed.bytes },
      ...(isRewritten ? { rewritten: shareOf(rewritten, keptRate) } : {}),
      rules,
      measured,
    });
    kept = rules.reduce((sum, { dropped: each }) => addShares(sum, each), kept);
  }
  return { command: 'filter', folder, read: { ...kept, ...report.read }, steps };
}

/** What is seen of the documents that a rule dropped. */
interface Seen {
  readonly bySize: number[];
  readonly examples: DroppedExample[];
  documents: number;
  /** Of those whose tokens were counted. */
  bytes: number;
  tokens: number | undefined;
}

const keyOf = ({ step, rule }: Rejection) => `${step}\n${rule}`;
const rateOf = ({ tokens, bytes }: Seen) =>
  tokens === undefined ? undefined : tokens / Math.max(1, bytes);

async function surveyRejects(
  folder: string,
  tokenizer: Tokenizer | undefined,
): Promise<Map<string, Seen>> {
  const found = new Map<string, Seen>();
  for await (const document of openInputs([folder])) {
    const { id, text, meta } = document;
    const key = keyOf(meta.rejected as unknown as Rejection);
    let seen = found.get(key);
    if (!seen) {
      seen = { bySize: [], examples: [], documents: 0, bytes: 0, tokens: tokenizer && 0 };
      found.set(key, seen);
    }
    const bytes = Buffer.byteLength(text);
    addSize(seen.bySize, bytes);
    if (seen.examples.length < mostExamples) {
      seen.examples.push({ id, text: text.slice(0, exampleLength) });
    }
    if (tokenizer && seen.documents++ < sampled) {
      seen.bytes += bytes;
      seen.tokens! += tokenizer.encode(text, { addSpecialTokens: false }).length;
    }
  }
  return found;
}

/** Tokens a byte of the first documents of a folder. */
async function tokensPerByte(
  folder: string,
  tokenizer: Tokenizer | undefined,
): Promise<number | undefined> {
  if (!tokenizer) return undefined;
  let [documents, bytes, tokens] = [0, 0, 0];
  for await (const { text } of openInputs([folder])) {
    bytes += Buffer.byteLength(text);
    tokens += tokenizer.encode(text, { addSpecialTokens: false }).length;
    if (++documents === sampled) break;
  }
  return bytes === 0 ? 0 : tokens / bytes;
}

const shareOf = ({ documents, bytes }: Readonly<Amount>, perByte: number | undefined): Share => ({
  documents,
  bytes,
  ...(perByte === undefined ? {} : { tokens: Math.round(bytes * perByte) }),
});

const addShares = (a: Share, b: Share): Share => ({
  documents: a.documents + b.documents,
  bytes: a.bytes + b.bytes,
  ...(a.tokens === undefined ? {} : { tokens: a.tokens + (b.tokens ?? 0) }),
});

async function readJson<T>(folder: string, file: string): Promise<T> {
  const text = await readFile(join(folder, file), 'utf8').catch(async (error) => {
    if (!isMissing(error)) throw error;
    const there = await readdir(folder).catch((): string[] => []);
    const state = there.includes('plan.json') ? 'holds a run that has not ended' : 'holds no run';
    throw new InputError(
      `${folder}: ${state}; expected a folder of data filter, dedup or tokenize`,
    );
  });
  return JSON.parse(text) as T;
}

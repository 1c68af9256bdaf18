import { expect, test } from 'vitest';
import { readGolden } from '../goldens/read.node.js';
import { Tokenizer } from '../tokenizer.js';
import { fromSentencePiece } from './sentencepiece.js';

interface Goldens {
  texts: string[];
  /** Per text its ids and what SentencePiece decodes them to. */
  models: { name: string; model: string; cases: [ids: number[], text: string][] }[];
}

const { texts, models } = readGolden<Goldens>('sentencepiece-cases');

test.each(models)('$name: ids and texts are those of SentencePiece', ({ model, cases }) => {
  const tokenizer = fromSentencePiece(Buffer.from(model, 'base64'));
  const again = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)));
  cases.forEach(([ids, decoded], i) => {
    const text = texts[i]!;
    const encoding = tokenizer.encode(text);
    expect({ text, ids: encoding.ids }).toEqual({ text, ids });
    expect({ text, decoded: tokenizer.decode(ids) }).toEqual({ text, decoded });
    expect(again.encode(text).ids).toEqual(ids);
    for (const [start, end] of encoding.offsets) {
      expect(0 <= start && start <= end && end <= text.length, text).toBe(true);
    }
  });
});

const plain = Buffer.from(models[0]!.model, 'base64');

test('control pieces have ids, and are left out of texts, but no text becomes them', () => {
  const tokenizer = fromSentencePiece(plain);
  const end = tokenizer.tokenToId('</s>')!;
  expect(end).toBe(2);
  expect(tokenizer.encode('</s>').ids).not.toContain(end);
  expect(tokenizer.decode([...tokenizer.encode('the').ids, end])).toBe('the');
  expect(tokenizer.decode([end], { skipSpecialTokens: false })).toBe('</s>');
});

test("as transformers converts it, a text's control pieces are their ids", () => {
  const tokenizer = fromSentencePiece(plain, 'model', { as: 'transformers' });
  expect(tokenizer.encode('</s>').ids).toEqual([2]);
  expect(JSON.stringify(tokenizer)).not.toContain('matches');
  expect(() => fromSentencePiece(plain, 'model', { as: 'llama' as never })).toThrow(
    'as is "llama"; expected "sentencepiece" or "transformers"',
  );
});

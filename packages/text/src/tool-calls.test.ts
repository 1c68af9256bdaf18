import { ChatTemplate } from '@headwise/tokenizers';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readsTools, ToolCallParser, type ToolCallPiece } from './index.js';

/** An answer cut at some places; neighbouring texts are joined. */
function parsed(answer: string, cuts: readonly number[] = []): ToolCallPiece[] {
  const parser = new ToolCallParser(['weather', 'time']);
  const places = [...cuts.map((cut) => cut % (answer.length + 1)), answer.length].sort(
    (a, b) => a - b,
  );
  const pieces = places.flatMap((to, i) => parser.push(answer.slice(places[i - 1] ?? 0, to)));
  const joined: ToolCallPiece[] = [];
  for (const piece of [...pieces, ...parser.end()]) {
    const last = joined.at(-1);
    if ('text' in piece && last && 'text' in last) last.text += piece.text;
    else joined.push({ ...piece });
  }
  return joined;
}

const paris = { call: { name: 'weather', arguments: { city: 'Paris' } } };
const now = { call: { name: 'time', arguments: {} } };
const hermes = '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>';

const cases: Record<string, [answer: string, expected: ToolCallPiece[]]> = {
  'a text': ['It is < 20 °C.', [{ text: 'It is < 20 °C.' }]],
  nothing: [' \n', []],
  'a marked call': [hermes, [paris]],
  'text, then two marked calls': [
    `Let me see.\n${hermes}\n<tool_call>{"name": "time"}</tool_call>\n`,
    [{ text: 'Let me see.\n' }, paris, now],
  ],
  'a marked list': ['<tool_call>[{"name":"time","arguments":{}}]</tool_call>', [now]],
  'a marked call without its end': [hermes.slice(0, -12), [paris]],
  'a mark without JSON': [
    '<tool_call>no</tool_call> yes',
    [{ text: '<tool_call>no</tool_call>yes' }],
  ],
  'a mark that is cut': ['see <tool_c', [{ text: 'see <tool_c' }]],
  'a whole answer': ['\n{"name": "weather", "parameters": {"city": "Paris"}}', [paris]],
  'a whole list': ['[{"name": "time", "arguments": {}}]\n', [now]],
  'another function as a whole answer': ['{"name": "f"}', [{ text: '{"name": "f"}' }]],
  'JSON that is no call': ['[1, 2]', [{ text: '[1, 2]' }]],
  'an empty list': ['[]', [{ text: '[]' }]],
  'a list that begins a text': ['[a] and [b]', [{ text: '[a] and [b]' }]],
};

for (const [name, [answer, expected]] of Object.entries(cases)) {
  test(`${name} is read alike wherever the answer is cut`, () => {
    expect(parsed(answer)).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 6 }), (cuts) => {
        expect(parsed(answer, cuts)).toEqual(expected);
      }),
      { numRuns: 30, seed: 1 },
    );
  });
}

test('text comes as soon as it cannot be a call', () => {
  const parser = new ToolCallParser(['f']);
  expect(parser.push('ab')).toEqual([{ text: 'ab' }]);
  expect(parser.push('c <to')).toEqual([{ text: 'c ' }]);
  expect(parser.push('p>')).toEqual([{ text: '<top>' }]);
});

test('a template that does not write tools is told from one that does', () => {
  const body = '{% for m in messages %}{{ m.content }}{% endfor %}';
  const messages = [{ role: 'user', content: 'a' }];
  const reads = (source: string) =>
    readsTools(new ChatTemplate({ chat_template: source }), messages, [{ name: 'f' }]);
  expect(reads(body)).toBe(false);
  expect(reads(`{{ tools | tojson }}${body}`)).toBe(true);
  expect(reads(`{% for tool in tools %}f{% endfor %}${body}`)).toBe(true);
});

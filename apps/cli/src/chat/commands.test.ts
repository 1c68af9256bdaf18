import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModel } from '@headwise/models';
import { ChatTemplate, trainCharacter } from '@headwise/tokenizers';
import { expect, onTestFinished, test } from 'vitest';
import { ChatCommands } from './commands.js';
import { Conversation } from './conversation.js';

async function conversation(maxLength?: number): Promise<Conversation> {
  const tokenizer = await trainCharacter(['abc']);
  const sizes = { n_positions: 20, n_embd: 8, n_layer: 1, n_head: 1 };
  const model = createModel({ model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes });
  onTestFinished(() => model.params.dispose());
  const chatTemplate = new ChatTemplate({
    chat_template: '{% for m in messages %}{{ m.content }}{% endfor %}',
  });
  const { network } = model;
  return new Conversation(
    { model: { network, chatTemplate, generation: { maxLength } }, tokenizer },
    undefined,
    undefined,
  );
}

test('a file that /save did not write is kept, and other lines are refused by name', async () => {
  const talk = await conversation();
  talk.keep('a', 'b');
  const said: string[] = [];
  const commands = new ChatCommands(talk, (line) => said.push(line));
  const folder = mkdtempSync(join(tmpdir(), 'headwise-chat-'));
  const [thesis, saved] = [join(folder, 'thesis.txt'), join(folder, 'my saved.json')];
  writeFileSync(thesis, 'years of work');
  const refused = async (line: string, why: string) =>
    expect(commands.run(line)).rejects.toThrow(why);
  await refused(`/save ${thesis}`, 'thesis.txt: is there already; expected a new file');
  expect(readFileSync(thesis, 'utf8')).toBe('years of work');
  await refused(`/save ${folder}/none/x`, 'cannot be written: there is no folder');
  await refused('/save', '/save is followed by nothing; expected a file');
  await refused('/reset now', "/reset is followed by 'now'; expected nothing");
  await refused('/', '/ is not a command; expected /reset, /save FILE, /help or /exit');
  expect(await commands.run(`/save ${saved} `)).toBe(true);
  talk.keep('c', 'a');
  expect(await commands.run(`/save ${saved}`)).toBe(true);
  expect(JSON.parse(readFileSync(saved, 'utf8'))).toHaveLength(4);
  expect(await commands.run('/exit')).toBe(false);
  expect(said).toEqual([`${saved}: 2 messages`, `${saved}: 4 messages`]);
});

test("a folder's max_length bounds the context, and an answer gets what is left", async () => {
  const talk = await conversation();
  expect(talk.ask('abc')).toMatchObject({ maxNewTokens: 17, forgotten: 0 });
  const short = await conversation(8);
  expect(short.ask('abc')).toMatchObject({ maxNewTokens: 5, forgotten: 0 });
  short.keep('abc', 'a');
  expect(short.ask('abc')).toMatchObject({ maxNewTokens: 5, forgotten: 1 });
  expect(short.ask('abcabca').maxNewTokens).toBe(1);
  expect(() => short.ask('abcabcab')).toThrow(
    'the message takes 8 tokens; the context holds 8 and an answer needs at least one',
  );
});

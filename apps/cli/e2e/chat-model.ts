import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { headwiseHere, writeConfig } from './headwise.js';

/** A chat template without marks, whose turns are found by running it message by message. */
export const template =
  '{% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}{% if add_generation_prompt %}a:{% endif %}';

/** What can be fine-tuned in a second: a tiny decoder with a chat template, and chats. */
export interface ChatModel {
  /** The folder of the model. */
  model: string;
  /** Six chats as JSON lines. */
  chats: string;
}

/** Trains the decoder in a folder, as `headwise train` does. */
export async function trainChatModel(work: string): Promise<ChatModel> {
  const [model, chats] = [join(work, 'model'), join(work, 'chats.jsonl')];
  const config = writeConfig(work, (c) => {
    c.model = { dim: 16, heads: 2, layers: 1, context: 64, position: 'rotary' };
  });
  const { code, stderr } = await headwiseHere(['train', '--config', config, '--out', model]);
  if (code !== 0) throw new Error(stderr);
  writeFileSync(join(model, 'chat_template.jinja'), template);
  const subjects = ['the whale', 'the captain', 'a sailor', 'the old ship', 'our boat', 'the sea'];
  const rows = subjects.map((subject) => ({
    messages: [
      { role: 'user', content: `where is ${subject}?` },
      { role: 'assistant', content: `${subject} is here` },
    ],
  }));
  writeFileSync(chats, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return { model, chats };
}

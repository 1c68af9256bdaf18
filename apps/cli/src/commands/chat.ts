import { InputError } from '@headwise/core';
import { checkedSampling } from '@headwise/kernels/internal';
import { load } from '@headwise/text/node';
import { findChatTemplate } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { checkAdapterFolder, withAdapter } from '../adapter.js';
import { backendOption, start } from '../backend.js';
import { Chat } from '../chat/chat.js';
import { chatHelp } from '../chat/commands.js';
import { addGenerationFlags, type GenerationFlags } from '../generation-flags.js';
import { checkModelFolder } from '../model-folder.js';
import { output } from '../output.js';
import { readText } from '../read-text.js';

interface ChatOptions extends GenerationFlags {
  system?: string;
  template?: string;
  json?: boolean;
}

/** `headwise chat`: a conversation with a model. */
export function chatCommand(): Command {
  const command = new Command('chat')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .option('--system <text>', 'what the model is told before the conversation')
    .option('--template <file>', "a chat template in Jinja, in place of the folder's");
  return addGenerationFlags(command, 512)
    .option('--json', 'print JSON: one line an answer, with text, reason, forgotten and reused')
    .addHelpText('after', `\nA line is a message, from the terminal or from a pipe:\n${chatHelp}`)
    .action(async ({ json, ...options }: ChatOptions) => {
      const out = output(json ?? false);
      const { model, adapter, dtype, backend, generationConfig, ...others } = options;
      const { system, template, ...chosen } = others;
      const preferred = backendOption(backend);
      checkedSampling(chosen);
      const chatTemplate =
        template === undefined ? undefined : await readText('--template', template);
      await checkModelFolder(model);
      if (adapter !== undefined) await checkAdapterFolder(adapter);
      if (!(await findChatTemplate(model, chatTemplate))) {
        throw new InputError(
          `${model}: has no chat template; give one with --template FILE, or continue texts with headwise generate`,
        );
      }
      await start(out, preferred);
      const text = await load(model, {
        dtype,
        chatTemplate,
        ignoreGenerationConfig: !generationConfig,
        warn: out.note,
      });
      const loaded = adapter === undefined ? text.model : await withAdapter(text.model, adapter);
      await new Chat({ ...text, model: loaded }, out, system, chosen).run();
      loaded.params.dispose();
    });
}

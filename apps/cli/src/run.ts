import { Command, CommanderError } from 'commander';
import { takeRepositories } from './hub.js';
import { shortened } from './shortened.js';
import { version } from './version.js';

/** The command that `submit` starts on a cluster; nobody calls it by hand, so that help does not list it. */
const hidden = 'job';

/** Each command: what it does, and how it is loaded, which is done for the called one only. */
const commands: Record<string, [does: string, load: () => Promise<Command>]> = {
  info: [
    'show the backend that runs here, its adapter, features and limits',
    withTensors(async () => (await import('./commands/info.js')).infoCommand()),
  ],
  train: [
    'train a model on a text',
    withTensors(async () => (await import('./commands/train.js')).trainCommand()),
  ],
  sweep: [
    'train the runs of a grid, or random ones of it, and compare them',
    withTensors(async () => (await import('./commands/sweep.js')).sweepCommand()),
  ],
  finetune: [
    'teach a model from examples: all of its weights, or an adapter beside them',
    withTensors(async () => (await import('./commands/finetune.js')).finetuneCommand()),
  ],
  generate: [
    'continue a text',
    withTensors(async () => (await import('./commands/generate.js')).generateCommand()),
  ],
  chat: [
    'hold a conversation with a model',
    withTensors(async () => (await import('./commands/chat.js')).chatCommand()),
  ],
  embed: [
    'write the vectors of texts as JSON lines',
    withTensors(async () => (await import('./commands/embed.js')).embedCommand()),
  ],
  rerank: [
    'write texts by how well they answer a query as JSON lines',
    withTensors(async () => (await import('./commands/rerank.js')).rerankCommand()),
  ],
  serve: [
    "answer clients of OpenAI's and Anthropic's APIs over HTTP with a model",
    withTensors(async () => (await import('./commands/serve.js')).serveCommand()),
  ],
  tokenize: [
    'split a text, from --text or standard input, into tokens',
    async () => (await import('./commands/tokenize.js')).tokenizeCommand(),
  ],
  tokenizer: [
    'make tokenizers',
    async () => (await import('./commands/tokenizer.js')).tokenizerCommand(),
  ],
  data: [
    'make data worth training on out of raw text',
    async () => (await import('./commands/data.js')).dataCommand(),
  ],
  prompt: [
    'try prompts on a model',
    withTensors(async () => (await import('./commands/prompt.js')).promptCommand()),
  ],
  logits: [
    'print what a model gives for some ids: scores of the next token, or what its head is for',
    withTensors(async () => (await import('./commands/logits.js')).logitsCommand()),
  ],
  params: [
    'list every parameter of a model: its key in the file, shape, count and bytes',
    withTensors(async () => (await import('./commands/params.js')).paramsCommand()),
  ],
  eval: [
    'measure loss, perplexity and bits per byte on a text',
    withTensors(async () => (await import('./commands/eval.js')).evalCommand()),
  ],
  lab: [
    'serve the lab: train, compare, look inside and write in the browser',
    async () => (await import('./commands/lab.js')).labCommand(),
  ],
  convert: [
    'write a model folder anew: in another type, in shards, with an adapter merged in',
    withTensors(async () => (await import('./commands/convert.js')).convertCommand()),
  ],
  export: [
    'write a training run for PyTorch, where torchrun goes on with it',
    withTensors(async () => (await import('./commands/export.js')).exportCommand()),
  ],
  import: [
    'take a training run back from PyTorch, its optimizer included',
    withTensors(async () => (await import('./commands/import.js')).importCommand()),
  ],
  verify: [
    'measure how exact operations and models are here, and say where a bound is broken',
    withTensors(async () => (await import('./commands/verify.js')).verifyCommand()),
  ],
  submit: [
    'run a command on a Ray cluster, and bring back its folder',
    withTensors(async () => (await import('./commands/submit.js')).submitCommand()),
  ],
  [hidden]: [
    'run what headwise submit has packed',
    async () => (await import('./commands/job.js')).jobCommand(),
  ],
  inspect: [
    'write a page that shows where a model attends, and what each layer would say',
    withTensors(async () => (await import('./commands/inspect.js')).inspectCommand()),
  ],
};

/** Loads a command that computes, and silences TensorFlow.js's advice to install its native bindings. */
function withTensors(load: () => Promise<Command>): () => Promise<Command> {
  return async () => {
    const { env } = await import('@tensorflow/tfjs');
    env().set('PROD', true);
    return load();
  };
}

/**
 * Runs the command line.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0 done, 1 failed, 2 the input cannot be used
 */
export async function run(args: readonly string[]): Promise<0 | 1 | 2> {
  try {
    const program = await programFor(args[0] === 'help' ? args[1] : args[0]);
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { exitCodeOf, messageOf } = await import('./exit.js');
    process.stderr.write(`headwise: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}

/** The program with the names of all commands, and the called one whole. */
async function programFor(called: string | undefined): Promise<Command> {
  const program = new Command('headwise')
    .description('Train, sample and inspect transformers on WebGPU, wasm or cpu.')
    .version(version)
    .configureOutput({ outputError: (message, write) => write(shortened(message)) })
    .showHelpAfterError('(add --help for what the command takes)')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 the input cannot be used.');
  for (const [name, [does, load]] of Object.entries(commands)) {
    const command = name === called ? await load() : new Command(name);
    takeRepositories(command);
    program.addCommand(command.description(does).copyInheritedSettings(program).exitOverride(), {
      hidden: name === hidden,
    });
    inheritSettings(command);
  }
  return program.exitOverride();
}

/** Gives commands below a command its settings. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}

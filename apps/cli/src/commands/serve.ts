import { createServer, type Server as HttpServer } from 'node:http';
import { basename, resolve } from 'node:path';
import { InputError, isEncoder } from '@headwise/core';
import { AdaptedModel, languageModel, type WeightDtype } from '@headwise/models';
import { loadAdapter } from '@headwise/models/node';
import { type ServedModel, Server } from '@headwise/server';
import { type LoadedEncoder, type LoadedText, loadAny } from '@headwise/text/node';
import { getRequestListener } from '@hono/node-server';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { isThisMachine, listen, namesThisMachine } from '../listen.js';
import { checkModelFolder } from '../model-folder.js';
import { integer, number, port } from '../numbers.js';
import { type Output, output } from '../output.js';
import { interruptible } from '../signals.js';
import { dtypeOption } from '../weights.js';

interface ServeOptions {
  model: string;
  name?: string;
  adapter: [name: string, folder: string][];
  port: number;
  host: string;
  apiKey?: string;
  origin: string[];
  maxRunning: number;
  maxWaiting: number;
  maxTokens?: number;
  maxTime: number;
  maxBody: number;
  maxReceive: number;
  maxPrefixes: number;
  grace: number;
  generationConfig: boolean;
  dtype?: WeightDtype | undefined;
  backend?: string;
  json?: boolean;
}

/** `headwise serve`: answers clients of OpenAI's and Anthropic's APIs over HTTP with a model folder. */
export function serveCommand(): Command {
  return new Command('serve')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .option('--name <name>', 'what requests call the model; default the name of its folder')
    .option('--adapter <name=dir>', 'a LoRA adapter as a model of its own; repeatable', adapter, [])
    .option('--port <n>', 'the port to listen at; 0 takes a free one', port, 8080)
    .option('--host <address>', 'the address to listen at', '127.0.0.1')
    .option('--api-key <key>', 'what requests must carry; better in HEADWISE_API_KEY')
    .option('--origin <origin>', 'an origin whose pages may call it (CORS); repeatable', list, [])
    .option('--max-running <n>', 'sequences that run at once', integer, 8)
    .option('--max-waiting <n>', 'sequences that wait for a place', integer, 64)
    .option(
      '--max-tokens <n>',
      'new tokens of a sequence; default what the context leaves',
      integer,
    )
    .option('--max-time <s>', 'seconds that a sequence may take, waiting included', number, 600)
    .option('--max-body <bytes>', 'bytes of a request', integer, 4 * 2 ** 20)
    .option('--max-receive <s>', 'seconds in which the body of a request has to arrive', number, 60)
    .option(
      '--max-prefixes <bytes>',
      'bytes of earlier prompts that are kept for those that begin alike; 0 keeps none',
      integer,
      2 ** 28,
    )
    .option('--grace <s>', 'seconds that running answers get when it is stopped', number, 10)
    .option('--no-generation-config', "leave the folder's generation_config.json aside")
    .addOption(dtypeOption())
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: url, models')
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const out = output(options.json ?? false);
  const backend = backendOption(options.backend);
  const apiKey = options.apiKey ?? process.env.HEADWISE_API_KEY;
  if (apiKey === '') throw new InputError('the API key is empty; expected some characters');
  if (apiKey === undefined && !isThisMachine(options.host)) {
    throw new InputError(
      `--host ${options.host} lets other machines in; expected a key in HEADWISE_API_KEY or --api-key`,
    );
  }
  await checkModelFolder(options.model);
  await start(out, backend);
  const { models, dispose } = await loadModels(options, out);
  const server = new Server(models, {
    apiKey,
    origins: options.origin,
    limits: {
      running: options.maxRunning,
      waiting: options.maxWaiting,
      tokens: options.maxTokens,
      time: options.maxTime * 1000,
      body: options.maxBody,
      receive: options.maxReceive * 1000,
      prefixes: options.maxPrefixes,
    },
    report: (error) => out.note(`headwise: ${error instanceof Error ? error.stack : error}`),
  });
  const http = httpServer(server, options);
  await interruptible(async (stop) => {
    const { url } = await listen(http, options);
    const names = models.map(({ name }) => name);
    out.emit({ url, models: names });
    out.say(`${names.join(', ')} at ${url}v1 until this is stopped with Ctrl-C.`);
    await aborted(stop);
    out.note('headwise: stops: running answers end, new requests are refused');
    const closed = new Promise((done) => http.close(done));
    http.closeIdleConnections();
    await server.close(options.grace * 1000);
    // What was written last reaches its readers, unless they do not read.
    const forced = setTimeout(() => http.closeAllConnections(), 1000);
    await closed;
    clearTimeout(forced);
  });
  dispose();
}

/** An HTTP server that, on a loopback address, answers requests for this machine alone (against DNS rebinding). */
function httpServer({ fetch }: Server, { host, maxTime }: ServeOptions): HttpServer {
  const loopback = isThisMachine(host);
  const answer = getRequestListener(fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => {
    if (!loopback || namesThisMachine(request.headers.host)) return void answer(request, response);
    const message = 'this server answers to localhost only';
    const error = { message, type: 'invalid_request_error', param: null, code: 'wrong_host' };
    response.writeHead(421, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  });
  // A reader that takes nothing for so long is gone.
  server.setTimeout((maxTime + 60) * 1000);
  return server;
}

async function loadModels(
  { model: folder, name, adapter: adapters, dtype, generationConfig }: ServeOptions,
  out: Output,
): Promise<{ models: ServedModel[]; dispose: () => void }> {
  const loaded = await loadAny(folder, {
    dtype,
    ignoreGenerationConfig: !generationConfig,
    warn: out.note,
  });
  const { tokenizer } = loaded;
  const served = name ?? basename(resolve(folder));
  if (isLoadedEncoder(loaded)) {
    const { model } = loaded;
    if (adapters.length === 0) {
      return {
        models: [{ name: served, model, tokenizer }],
        dispose: () => model.params.dispose(),
      };
    }
    model.params.dispose();
    throw new InputError(
      `--adapter ${adapters[0]![0]}: the model is an encoder; expected a decoder`,
    );
  }
  const model = languageModel(loaded.model);
  const models: ServedModel[] = [{ name: served, model, tokenizer }];
  const params = [model.params];
  for (const [adapterName, path] of adapters) {
    const lora = await loadAdapter(path, model);
    params.push(lora.params);
    const network = new AdaptedModel(model.network, lora);
    models.push({ name: adapterName, model: { ...model, network }, tokenizer });
  }
  return {
    models,
    dispose() {
      for (const store of params) store.dispose();
    },
  };
}

const isLoadedEncoder = (loaded: LoadedText | LoadedEncoder): loaded is LoadedEncoder =>
  isEncoder(loaded.model.network);

const list = (value: string, before: string[]): string[] => [...before, value];

function adapter(value: string, before: ServeOptions['adapter']): ServeOptions['adapter'] {
  const [, name, folder] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (name && folder) return [...before, [name, folder]];
  throw new InputError(`--adapter is '${value}'; expected NAME=DIR`);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });

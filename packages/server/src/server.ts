import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { anthropicErrorBody } from './anthropic/anthropic-error.js';
import { addMessages } from './anthropic/messages.js';
import { ApiError } from './http/api-error.js';
import { requireKey } from './http/bearer.js';
import { inFields } from './http/field-names.js';
import { addChat } from './openai/chat.js';
import { addCompletions } from './openai/completions.js';
import { addEmbeddings } from './openai/embeddings.js';
import { addModels } from './openai/models.js';
import { openAiErrorBody } from './openai/openai-error.js';
import { addResponses } from './openai/responses/responses.js';
import { addRerank } from './rerank.js';
import { type ServedModel, type ServerLimits, Service } from './service.js';

export interface ServerOptions {
  limits?: ServerLimits | undefined;
  /** What requests must carry as a bearer token, but for `/health`; default none is asked for. */
  apiKey?: string | undefined;
  /** Origins whose pages may call the server (CORS), or `*`; default none. */
  origins?: readonly string[] | undefined;
  /** Called with errors that are faults of the server; default `console.error`. */
  report?: ((error: unknown) => void) | undefined;
}

/** Each path with its method, for answers to another one. */
const routes: Readonly<Record<string, 'GET' | 'POST'>> = {
  '/health': 'GET',
  '/metrics': 'GET',
  '/v1/models': 'GET',
  '/v1/chat/completions': 'POST',
  '/v1/completions': 'POST',
  '/v1/embeddings': 'POST',
  '/v1/rerank': 'POST',
  '/v1/messages': 'POST',
  '/v1/responses': 'POST',
};

/**
 * Serves language models in the form of OpenAI's API, with continuous batching.
 *
 * `fetch` answers a `Request` with a `Response`: it runs in Node.js (`@hono/node-server`), in Deno and in a service worker.
 *
 * @example
 * const { model, tokenizer } = await load('models/smollm2-135m-instruct');
 * const server = new Server([{ name: 'smollm2', model, tokenizer }]);
 * serve({ fetch: server.fetch, hostname: '127.0.0.1', port: 8080 }); // of @hono/node-server
 */
export class Server {
  /** Answers a request. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly #service: Service;

  /**
   * @param models under the names that requests call them by
   * @throws InputError for no model, two of one name, and limits out of range
   */
  constructor(
    models: readonly ServedModel[],
    { limits, apiKey, origins = [], report }: ServerOptions = {},
  ) {
    const service = new Service(models, limits, report);
    this.#service = service;
    const app = new Hono();
    this.fetch = (request) => app.fetch(request);
    const count = service.metrics.counter(
      'headwise_requests_total',
      'Requests, by path and status.',
    );
    app.use(async (context, next) => {
      await next();
      const { path } = context.req;
      count({ path: routes[path] ? path : 'other', status: context.res.status });
    });
    if (origins.length > 0) {
      const origin = origins.includes('*') ? '*' : [...origins];
      // What the official clients wait by.
      app.use(cors({ origin, exposeHeaders: ['retry-after'] }));
    }
    app.get('/health', (context) => {
      const { loss, engine } = service;
      if (loss) return context.json({ status: 'device lost', reason: loss.loss }, 503);
      if (engine.closed) return context.json({ status: 'shutting down' }, 503);
      return context.json({ status: 'ok' });
    });
    if (apiKey !== undefined) app.use(requireKey(apiKey));
    app.get('/metrics', (context) =>
      context.body(service.metrics.text(), 200, {
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      }),
    );
    addModels(app, service);
    app.post('/v1/*', async (_, next) => {
      if (service.loss) throw service.loss;
      await next();
    });
    addChat(app, service);
    addCompletions(app, service);
    addEmbeddings(app, service);
    addRerank(app, service);
    addMessages(app, service);
    addResponses(app, service);
    app.notFound((context) => {
      const { path, method } = context.req;
      const allowed = routes[path];
      throw allowed
        ? new ApiError(405, `${method} ${path} is not answered; expected ${allowed}`, {
            headers: { allow: allowed },
          })
        : new ApiError(404, `${path.slice(0, 200)} is not a path of this server`, {
            code: 'not_found',
          });
    });
    app.onError((error, context) => {
      const known = inFields(service.errorOf(error), context.req.path);
      const anthropic = context.req.path.startsWith('/v1/messages');
      const body = anthropic ? anthropicErrorBody(known) : openAiErrorBody(known);
      return context.json(body, known.status, known.headers);
    });
  }

  /** The number of sequences that run and wait. */
  get load(): { running: number; waiting: number } {
    const { running, waiting } = this.#service.engine;
    return { running, waiting };
  }

  /**
   * Accepts nothing more, and resolves once all sequences have ended.
   *
   * @param within milliseconds after which those that are left are cut off; default 0
   */
  close(within = 0): Promise<void> {
    return this.#service.engine.close(within);
  }
}

import { ApiError } from './api-error.js';

/** The fields that set options of generation, by the options. */
const fields: Readonly<Record<string, string>> = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  minP: 'min_p',
  typicalP: 'typical_p',
  repetitionPenalty: 'repetition_penalty',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  minNewTokens: 'min_tokens',
  maxNewTokens: 'max_tokens',
  logitBias: 'logit_bias',
  stopIds: 'stop_token_ids',
  stop: 'stop',
  seed: 'seed',
};

/** What is wrong with an option of generation, in the words of the path that was asked; other errors as they are. */
export function inFields(error: ApiError, path: string): ApiError {
  if (error.status !== 400 || error.param !== undefined || error.code !== undefined) return error;
  const own: Readonly<Record<string, string>> = {
    ...fields,
    ...(path === '/v1/responses' ? { maxNewTokens: 'max_output_tokens' } : {}),
    ...(path === '/v1/messages' ? { stop: 'stop_sequences' } : {}),
  };
  const [, option = ''] = /^(\w+)\b/.exec(error.message) ?? [];
  const message = error.message.replace(/^stop\b|\b[a-z]+[A-Z]\w*/g, (word) => own[word] ?? word);
  return new ApiError(400, message, { param: own[option], headers: error.headers });
}

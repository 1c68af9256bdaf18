import { z } from 'zod';
import { type RequestOptions, Requests, ServerModelError } from './requests.js';

const listed = z.object({ data: z.array(z.object({ id: z.string() })) });

/**
 * The names of the models that a server lists at `/models`, in its order.
 *
 * @throws ServerModelError for an address where no such server answers; InputError as `serverModel`
 * @example
 * const [model] = await serverModels({ url: 'http://127.0.0.1:8080/v1' });
 */
export async function serverModels(options: RequestOptions): Promise<string[]> {
  const checked = listed.safeParse(await new Requests(options).get('/models'));
  if (checked.success) return checked.data.data.map(({ id }) => id);
  throw new ServerModelError(
    `${options.url}/models: the answer is not a list of models; expected that of a server in the form of OpenAI's API`,
  );
}

import type { Hono } from 'hono';
import type { ServedModel, Service } from '../service.js';

/**
 * `GET /v1/models` and `GET /v1/models/NAME`: the models that requests can name.
 *
 * @see https://platform.openai.com/docs/api-reference/models
 */
export function addModels(app: Hono, service: Service): void {
  const described = ({ name }: ServedModel) => ({
    id: name,
    object: 'model',
    created: service.created,
    owned_by: 'headwise',
  });
  app.get('/v1/models', (context) =>
    context.json({ object: 'list', data: service.models.map(described) }),
  );
  // Names may hold slashes.
  app.get('/v1/models/:name{.+}', (context) =>
    context.json(described(service.modelNamed(context.req.param('name')))),
  );
}

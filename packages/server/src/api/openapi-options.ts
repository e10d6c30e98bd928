import { problemSchema } from '@dialoglens/protocol';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** Version of the HTTP interface; it changes with the interface, not with every release. */
const apiVersion = '1.0.0';

type Json = Record<string, unknown>;

/** How the OpenAPI document is made from the routes. */
export const swaggerOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'DialogLens',
      version: apiVersion,
      description:
        'Live transcription for LiveKit rooms. Errors are `application/problem+json` with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [
      { name: 'rooms', description: 'What should be transcribed, and what is.' },
      { name: 'sessions', description: 'The record.' },
      { name: 'agents', description: 'Workers and capacity.' },
      { name: 'access', description: 'Keys, and who asks.' },
      { name: 'webhooks', description: 'Hints from LiveKit.' },
      { name: 'operations', description: 'Probes and metrics.' },
    ],
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, or a LiveKit access token for one room.',
        },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'dialoglens',
          description:
            'Set by sign-in, for the pages of this server; over HTTPS its name begins with `__Host-`.',
        },
      },
    },
    security: [{ bearer: [] }, { cookie: [] }],
  },
  transform: jsonSchemaTransform,
  transformObject: (input) =>
    'openapiObject' in input ? withProblems(input.openapiObject) : input.swaggerObject,
};

/** Error answers have their own media type, and one shared schema. */
function withProblems<T extends object>(document: T): T {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(problemSchema) as Json;
  const paths = mapValues(asJson(Reflect.get(document, 'paths')), (path) =>
    mapValues(asJson(path), (operation) => withProblemAnswers(asJson(operation))),
  );
  const components = { ...asJson(Reflect.get(document, 'components')), schemas: { Problem: schema } };
  return { ...document, paths, components };
}

function withProblemAnswers(operation: Json): Json {
  const responses = mapValues(asJson(operation.responses), (response) => {
    const [media] = Object.values(asJson(asJson(response).content));
    const { code, requestId } = asJson(asJson(asJson(media).schema).properties);
    // Readiness, too, is told with a 503, but it is no problem.
    if (code === undefined || requestId === undefined) return response;
    const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }], properties: { code } };
    return {
      description: asJson(response).description,
      content: { 'application/problem+json': { schema } },
    };
  });
  const body =
    operation.requestBody === undefined
      ? {}
      : { requestBody: withOptionalBody(asJson(operation.requestBody)) };
  return { ...operation, ...body, responses };
}

/** A body that may be null need not be sent at all, which zod's schema alone cannot say. */
function withOptionalBody(body: Json): Json {
  let optional = false;
  const content = mapValues(asJson(body.content), (media) => {
    const choices = asJson(asJson(media).schema).anyOf;
    if (!Array.isArray(choices)) return media;
    const [first, ...rest] = choices.filter((choice) => asJson(choice).type !== 'null');
    if (rest.length > 0 || choices.length === 1) return media;
    optional = true;
    return { ...asJson(media), schema: first };
  });
  return { ...body, required: !optional, content };
}

function asJson(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function mapValues(object: Json, map: (value: unknown, key: string) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]));
}

import { problemSchema, roles } from '@dialoglens/protocol';
import type { Command } from 'commander';
import { z } from 'zod';
import { localAddress } from '../api/loopback.ts';
import type { Config } from '../config/index.ts';
import { asError, DialogLensError, type ErrorCode, errorCodes } from '../errors.ts';
import { withinLimit } from './within-limit.ts';

/** A running DialogLens to ask. */
export interface ApiTarget {
  url: string;
  key: string | undefined;
}

const answerWithinMs = 10_000;
const pageSize = 200;
/** A list that does not end by itself ends here. */
const mostPages = 500;

/** Adds `--url` and `--key` to a command that asks a running DialogLens. */
export function withTarget(command: Command): Command {
  return command
    .option('-u, --url <url>', 'address of a running DialogLens [default: host and port of the settings]')
    .option('-k, --key <key>', 'API key [default: that of DIALOGLENS_API_KEYS which may do most]');
}

/** Whom to ask: what the flags say, else where the settings would listen. @throws DialogLensError `invalid_request` */
export function targetOf(command: Command, { host, port, apiKeys }: Config): ApiTarget {
  const { url, key } = command.opts<{ url?: string; key?: string }>();
  const strongest = [...apiKeys].sort((a, b) => roles.indexOf(b.role) - roles.indexOf(a.role))[0];
  const target = { url: url ?? `http://${localAddress(host)}:${port}`, key: key ?? strongest?.secret };
  if (URL.canParse(target.url) && /^https?:$/.test(new URL(target.url).protocol)) return target;
  throw new DialogLensError('invalid_request', `${target.url} is no address of an API.`, {
    field: '--url',
    remedy: 'Give it as in http://127.0.0.1:3010.',
  });
}

/** Asks the API of a running DialogLens. Every method throws DialogLensError `api_unreachable`, or what the API answered. */
export class ApiClient {
  readonly #target: ApiTarget;

  constructor(target: ApiTarget) {
    this.#target = target;
  }

  get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#ask('GET', path, schema);
  }

  post<T>(path: string, schema: z.ZodType<T>, body?: object): Promise<T> {
    return this.#ask('POST', path, schema, body);
  }

  delete<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#ask('DELETE', path, schema);
  }

  /** Every item of a list, page by page. */
  async list<T>(path: string, item: z.ZodType<T>): Promise<T[]> {
    const page = z.object({ items: z.array(item), next: z.string().nullable().optional() });
    const items: T[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < mostPages; pages++) {
      const query = new URLSearchParams({ limit: String(pageSize), ...(cursor !== null && { cursor }) });
      const answer: z.output<typeof page> = await this.get(`${path}?${query}`, page);
      items.push(...answer.items);
      if (!answer.next) break;
      cursor = answer.next;
    }
    return items;
  }

  async #ask<T>(method: string, path: string, schema: z.ZodType<T>, sent?: object): Promise<T> {
    const { url, key } = this.#target;
    const init: RequestInit = {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(sent && { 'content-type': 'application/json' }),
      },
      ...(sent && { body: JSON.stringify(sent) }),
    };
    const answer = await withinLimit(answerWithinMs, async (signal) => {
      const response = await fetch(`${url.replace(/\/+$/, '')}${path}`, { ...init, signal });
      return { ok: response.ok, status: response.status, text: await response.text() };
    }).catch((thrown: unknown) => {
      throw unreachable(url, asError(thrown));
    });
    const body = asJson(answer.text);
    if (!answer.ok) throw problemOf(url, answer.status, body);
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw stranger(url);
  }
}

/** Undefined when it is no JSON: then it is not DialogLens that answered. */
function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function unreachable(url: string, error: Error): DialogLensError {
  const cause = error.cause instanceof Error ? error.cause : error;
  const code: unknown = Reflect.get(cause, 'code');
  const why = typeof code === 'string' ? code : cause.name === 'TimeoutError' ? 'no answer' : cause.message;
  return new DialogLensError('api_unreachable', `DialogLens at ${url} cannot be reached (${why}).`, {
    field: '--url',
    remedy: 'Start it with `dialoglens start` or `dialoglens dispatcher`, or give the address with --url.',
    cause: error,
  });
}

function stranger(url: string): DialogLensError {
  return new DialogLensError('api_unreachable', `What answers at ${url} is not this version of DialogLens.`, {
    field: '--url',
    remedy: 'Give the address of a DialogLens with --url.',
  });
}

function problemOf(url: string, status: number, body: unknown): DialogLensError {
  const { success, data: problem } = problemSchema.safeParse(body);
  if (!success || !isKnown(problem.code)) {
    return status >= 500 ? unreachable(url, new Error(`status ${status}`)) : stranger(url);
  }
  const remedy = problem.code === 'unauthenticated' ? 'Give an API key with --key.' : problem.remedy;
  return new DialogLensError(problem.code, problem.detail, {
    ...(problem.field !== undefined && { field: problem.field }),
    ...(remedy !== undefined && { remedy }),
  });
}

function isKnown(code: string): code is ErrorCode {
  return code in errorCodes;
}

import { asError } from '../../../errors.ts';
import { serviceWords } from '../../service-words.ts';
import type { SttFaultKind } from '../../stt.ts';

/** Why the service refused or left, as far as it said. */
export interface GeminiFailure {
  /** Close code of the WebSocket, or status of the HTTP answer; undefined when there was none. */
  code?: number | undefined;
  reason: string;
}

/** What is said in words outweighs the number, which is the same for many things. */
const byWords: readonly (readonly [pattern: RegExp, kind: SttFaultKind])[] = [
  [/quota/i, 'quota'],
  [/api.?key|unauthenticated|permission|credential|401|403|not allowed|billing/i, 'auth'],
  [/resource.?exhausted|rate.?limit|too many|429/i, 'rate-limit'],
  [/deadline|session.*(expired|duration)|goaway/i, 'limit'],
  [/not found|not supported|unsupported model|404/i, 'fatal'],
];

const byCode: Readonly<Record<number, SttFaultKind>> = {
  400: 'bad-audio',
  401: 'auth',
  403: 'auth',
  404: 'fatal',
  429: 'rate-limit',
  1003: 'bad-audio',
  1007: 'bad-audio',
  1008: 'auth',
};

/** A fault for a failure; its message repeats neither the key nor what was to be recognised. */
export function geminiFault(
  { code, reason }: GeminiFailure,
  secrets: readonly string[],
): { kind: SttFaultKind; message: string } {
  const byReason = byWords.find(([pattern]) => pattern.test(reason))?.[1];
  const kind = byReason ?? (code === undefined ? undefined : byCode[code]) ?? 'transient';
  const clean = serviceWords(reason, secrets);
  const number = code === undefined ? '' : ` (${code})`;
  return { kind, message: `Gemini${number}: ${clean === '' ? 'the connection was lost' : clean}` };
}

/** What the library threw at a request. */
export function failureOf(thrown: unknown): GeminiFailure {
  const error = asError(thrown);
  const status: unknown = Reflect.get(error, 'status');
  const code = typeof status === 'number' ? status : undefined;
  const body = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(error.message)?.[1];
  return { code, reason: body ?? error.message };
}

import { serviceWords } from '../../service-words.ts';
import type { SttFaultKind } from '../../stt.ts';

/** What a stream died of, as the service and its library say it. */
export interface GoogleFailure {
  /** gRPC status; undefined when the failure was not one of gRPC. */
  code: number | undefined;
  details: string;
}

export interface GoogleFault {
  kind: SttFaultKind;
  message: string;
}

/** gRPC status codes by number; the library says no more. */
const statusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;
type StatusName = (typeof statusNames)[number];

/** Kind of fault by status, and what an operator can do about it. */
const faults: Record<StatusName, [kind: SttFaultKind, remedy?: string]> = {
  OK: ['transient'],
  CANCELLED: ['transient'],
  UNKNOWN: ['transient'],
  INVALID_ARGUMENT: ['fatal', 'check speech.google.*'],
  DEADLINE_EXCEEDED: ['transient'],
  NOT_FOUND: ['fatal', 'check speech.google.project, location and model'],
  ALREADY_EXISTS: ['transient'],
  PERMISSION_DENIED: [
    'auth',
    'check GOOGLE_APPLICATION_CREDENTIALS, its roles, and that the Speech-to-Text API is enabled',
  ],
  RESOURCE_EXHAUSTED: ['quota', 'check the quotas of the project'],
  FAILED_PRECONDITION: ['fatal', 'check speech.google.project and location'],
  // Five minutes are over, or no audio came for a while: nothing is wrong with the service.
  ABORTED: ['limit'],
  OUT_OF_RANGE: ['limit'],
  UNIMPLEMENTED: ['fatal', 'check speech.google.endpoint and apiVersion'],
  INTERNAL: ['transient'],
  UNAVAILABLE: ['transient'],
  DATA_LOSS: ['transient'],
  UNAUTHENTICATED: ['auth', 'check GOOGLE_APPLICATION_CREDENTIALS'],
};

/** INVALID_ARGUMENT says what it means in words only. The first that fits counts. */
const invalidArguments: readonly [RegExp, SttFaultKind, string?][] = [
  [/audio (chunk|content|data)|\bbytes\b|chunk size|sample.?rate|encoding/i, 'bad-audio'],
  [/location|region/i, 'fatal', 'check speech.google.location'],
  [/phrase|adaptation|boost/i, 'fatal', 'check the hints and speech.google.hintBoost'],
  [/language/i, 'language', 'check the language: not every model knows every one'],
  [/model/i, 'fatal', 'check speech.google.model'],
  [/diarization|speaker/i, 'fatal', 'check speech.google.diarization'],
  [/recognizer|project/i, 'fatal', 'check speech.google.project'],
];

/** What a failure means to the supervisor. The service’s own words are told, without the hints that may be in them. */
export function faultOf({ code, details }: GoogleFailure, hints: readonly string[]): GoogleFault {
  const name = statusNames[code ?? 2] ?? 'UNKNOWN';
  const said = `Google says ${name}: ${serviceWords(details, hints)}`;
  const [kind, remedy] = judged(name, details);
  return { kind, message: remedy === undefined ? said : `${said} (${remedy})` };
}

function judged(name: StatusName, details: string): [kind: SttFaultKind, remedy?: string] {
  // The token for a call is fetched by the library; what stops it comes as the call’s own failure.
  if (/getting metadata from plugin/i.test(details)) {
    const isOurs = /invalid_grant|invalid_client|unauthorized|credential|permission|\b40[013]\b/i.test(
      details,
    );
    return isOurs ? faults.UNAUTHENTICATED : faults.UNAVAILABLE;
  }
  if (name === 'INVALID_ARGUMENT') {
    const found = invalidArguments.find(([pattern]) => pattern.test(details));
    if (found) return found[2] === undefined ? [found[1]] : [found[1], found[2]];
  }
  if (name === 'RESOURCE_EXHAUSTED' && /too fast|real.?time/i.test(details)) return ['rate-limit'];
  return faults[name];
}

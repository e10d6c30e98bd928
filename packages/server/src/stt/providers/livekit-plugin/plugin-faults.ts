import type { SttFaultKind } from '../../stt.ts';

const byStatus: Readonly<Record<number, SttFaultKind>> = {
  400: 'bad-audio',
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'fatal',
  429: 'rate-limit',
};

export interface PluginFault {
  kind: SttFaultKind;
  message: string;
}

/** What a plugin threw. Its own words are left out: they may hold what was said, or a key. */
export function pluginFault(thrown: unknown): PluginFault {
  const status: unknown =
    typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'statusCode') : undefined;
  const code = typeof status === 'number' && status > 0 ? status : undefined;
  const name = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
  const kind = (code === undefined ? undefined : byStatus[code]) ?? 'transient';
  return { kind, message: `The plugin failed: ${name}${code === undefined ? '' : ` (status ${code})`}.` };
}

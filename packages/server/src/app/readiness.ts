import type { Readiness } from '@dialoglens/protocol';
import { asError, DialogLensError } from '../errors.ts';

type Check = Readiness['checks'][string];

/** Whether a part answers, and is in no trouble of another kind. */
export async function checkPart(
  ping: () => Promise<void>,
  troubleOf: () => Error | null = () => null,
): Promise<Check> {
  const trouble = await ping().then(troubleOf, asError);
  if (trouble === null) return { ok: true };
  const code = trouble instanceof DialogLensError ? `${trouble.code}: ` : '';
  return { ok: false, detail: `${code}${trouble.message}` };
}

/** Ready when all `checks` are ok; `notes` are shown and do not count. */
export function readinessOf(checks: Readiness['checks'], notes: Readiness['checks'] = {}): Readiness {
  const ready = Object.values(checks).every((check) => check.ok);
  return { ready, checks: { ...checks, ...notes } };
}

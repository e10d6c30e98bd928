import { readinessSchema } from '@dialoglens/protocol';
import { isLoopback } from '../api/loopback.ts';
import type { Config } from '../config/index.ts';
import { withinLimit } from './within-limit.ts';

/** A DialogLens that answers where this configuration would listen. */
export interface RunningInstance {
  /** What its `/readyz` finds wrong, in its words; empty when it is ready. */
  troubles: string[];
  /** Webhooks of LiveKit since it started. */
  webhooks: { taken: number; refused: number };
}

const answerWithinMs = 5_000;
/** Results of `dialoglens_webhooks_total` that say the webhook was signed and understood. */
const taken: ReadonlySet<string> = new Set(['accepted', 'duplicate', 'ignored']);

/** Null when nothing answers there, or something else does. */
export async function findRunning({ host, port }: Config): Promise<RunningInstance | null> {
  if (port === 0) return null;
  // The metrics are told without a key to callers of this machine that come by a local name.
  const name = isLoopback(host) && host.includes(':') ? '[::1]' : '127.0.0.1';
  try {
    const { checks } = readinessSchema.parse(JSON.parse(await ask(`http://${name}:${port}/readyz`)));
    const metrics = await ask(`http://${name}:${port}/metrics`);
    if (!metrics.includes('dialoglens_agents_active')) return null;
    const troubles = Object.entries(checks).filter(([, check]) => !check.ok);
    return {
      troubles: troubles.map(([what, { detail }]) => (detail ? `${what}: ${detail}` : what)),
      webhooks: countWebhooks(metrics),
    };
  } catch {
    return null; // No answer, or none of ours: the check of the port says what is there.
  }
}

function ask(url: string): Promise<string> {
  return withinLimit(answerWithinMs, async (signal) => (await fetch(url, { signal })).text());
}

/** Adds up `dialoglens_webhooks_total{event="…",result="…"} N`. */
export function countWebhooks(metrics: string): { taken: number; refused: number } {
  const counts = { taken: 0, refused: 0 };
  for (const [, result, value] of metrics.matchAll(
    /^dialoglens_webhooks_total\{[^}]*result="([^"]*)"[^}]*\} (\d+)$/gm,
  )) {
    counts[taken.has(result ?? '') ? 'taken' : 'refused'] += Number(value);
  }
  return counts;
}

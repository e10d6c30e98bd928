/** The process that is measured: DialogLens alone, so that speakers and the SFU are not in its memory and time. */
import { DialogLens } from '../app/dialoglens.ts';
import type { LiveKitTarget } from '../app/dispatcher.ts';
import { loadConfig, processEnvironment } from '../config/index.ts';
import { silentLogger } from '../observability/telemetry.ts';

/** What the benchmark sends first. */
export interface SubjectSetup {
  folder: string;
  flags: Record<string, string>;
  livekit: LiveKitTarget;
}

/** What it asks afterwards; each question is answered once, under its number. */
export type Question = { id: number } & ({ ask: 'active' } | { ask: 'usage' } | { ask: 'stop' });

export interface Usage {
  rssBytes: number;
  /** User and system time since the process began. */
  cpuMs: number;
}

export type Answer = { id: number; value: unknown } | { ready: string } | { failed: string };

let app: DialogLens | undefined;

process.on('message', (message: SubjectSetup | Question) => {
  const work = 'ask' in message ? answer(message) : start(message);
  work.catch((thrown: unknown) => {
    tell({ failed: thrown instanceof Error ? thrown.message : String(thrown) });
  });
});
// A benchmark that is gone measures nothing any more.
process.on('disconnect', () => process.exit());

async function start({ folder, flags, livekit }: SubjectSetup): Promise<void> {
  // The caches of the machine, none of its settings.
  const { HOME, XDG_CACHE_HOME } = processEnvironment;
  const { config } = loadConfig({ flags, env: { HOME, XDG_CACHE_HOME }, cwd: folder });
  app = new DialogLens({ config, livekit, logger: silentLogger });
  tell({ ready: (await app.start()).url });
}

async function answer(question: Question): Promise<void> {
  tell({ id: question.id, value: await reply(question) });
}

async function reply(question: Question): Promise<unknown> {
  if (question.ask === 'active') {
    const rooms = (await app?.registry.rooms()) ?? [];
    return rooms.filter(({ status }) => status === 'active').map(({ room }) => room);
  }
  if (question.ask === 'stop') return app?.stop('benchmark over');
  const { user, system } = process.cpuUsage();
  return { rssBytes: process.memoryUsage.rss(), cpuMs: (user + system) / 1_000 } satisfies Usage;
}

function tell(message: Answer): void {
  process.send?.(message);
}

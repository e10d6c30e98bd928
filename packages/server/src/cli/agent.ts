import type { Command } from 'commander';
import { AgentProcess } from '../app/agent-process.ts';
import { needsModels } from '../app/speech.ts';
import type { Config } from '../config/index.ts';
import { createLogger } from '../observability/pino-logger.ts';
import { withCompanion } from './companion.ts';
import { type LongRunning, live } from './life.ts';
import { fetchModels } from './models.ts';
import { readSettings, withSettings } from './options.ts';

/** A worker serves no API: its `--port` is that of probes and metrics. */
const flagNames = { 'agent.port': 'port', port: null };
const ownSettings = [
  'agent.slots',
  'agent.region',
  'agent.port',
  'agent.drainDeadlineMs',
  'host',
  'dataDir',
  'log.level',
  'log.format',
  'speech.provider',
  'speech.language',
];

/** `dialoglens agent`: one worker of a cluster. */
export function addAgent(program: Command): void {
  const command = withCompanion(program.command('agent'))
    .description('run one worker of a cluster: it joins the rooms it is given and captions them')
    .addHelpText(
      'after',
      '\nNeeds PostgreSQL and Redis, and no key of LiveKit. Any number may run, on any number of machines.\n' +
        'The first Ctrl-C or SIGTERM hands its rooms over to other workers, at most for --drain-deadline, and ends;\n' +
        'a second one ends it at once.\n\nExamples:\n' +
        '  $ export DATABASE_URL=postgres://… REDIS_URL=redis://…\n' +
        '  $ dialoglens agent\n' +
        '  $ WORKER_ID=captions-3 dialoglens agent --slots 16 --region eu-west-1a --host 0.0.0.0 --port 3011',
    );
  withSettings(command, ownSettings, flagNames).action(async () => {
    const { config } = readSettings(command, { role: 'agent', flagNames });
    const { companion } = command.opts<{ companion?: number }>();
    const logger = createLogger(config.log);
    const agent = new AgentProcess({ config, logger });
    // So that `ps` and `pkill -f` tell workers of one machine apart.
    process.title = `dialoglens agent ${agent.workerId}`;
    await live(withModels(agent, config), { logger, companion, ends: [agent.toldToDrain()] });
  });
}

/** The worker with what it speaks with: fetched first when it is missing. */
function withModels(agent: AgentProcess, config: Config): LongRunning {
  const stopped = new AbortController();
  return {
    async start() {
      if (needsModels(config)) await fetchModels(config.cacheDir, { signal: stopped.signal });
      await agent.start();
    },
    drain: (reason) => agent.drain(reason),
    async stop(reason) {
      stopped.abort();
      await agent.stop(reason);
    },
  };
}

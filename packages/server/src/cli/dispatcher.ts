import type { Command } from 'commander';
import { DispatcherProcess } from '../app/dispatcher-process.ts';
import { createLogger } from '../observability/pino-logger.ts';
import { withCompanion } from './companion.ts';
import { live } from './life.ts';
import { readSettings, requireLiveKit, withSettings } from './options.ts';

const ownSettings = [
  'livekit.url',
  'host',
  'port',
  'rooms.policy',
  'frontDoor.agentName',
  'pool.mode',
  'pool.min',
  'pool.max',
  'agent.slots',
  'dataDir',
  'log.level',
  'log.format',
  'speech.provider',
  'speech.language',
];

/** `dialoglens dispatcher`: one dispatcher of a cluster. */
export function addDispatcher(program: Command): void {
  const command = withCompanion(program.command('dispatcher'))
    .description('run one dispatcher of a cluster: API, demand, queue, leases')
    .addHelpText(
      'after',
      '\nNeeds PostgreSQL and Redis, and alone of all processes the key of LiveKit. Any number may run, on any number of\n' +
        'machines; start them and `dialoglens agent` in any order. Stopping one ends nobody’s captions.\n\nExamples:\n' +
        '  $ export DATABASE_URL=postgres://… REDIS_URL=redis://…\n' +
        '  $ LIVEKIT_URL=wss://… LIVEKIT_API_KEY=… LIVEKIT_API_SECRET=… dialoglens dispatcher\n' +
        '  $ dialoglens dispatcher --config cluster.yaml --pool local --min-workers 1',
    );
  withSettings(command, ownSettings).action(async () => {
    const { config } = readSettings(command, { role: 'dispatcher' });
    const { companion } = command.opts<{ companion?: number }>();
    const logger = createLogger(config.log);
    const livekit = requireLiveKit(config);
    await live(new DispatcherProcess({ config, livekit, logger, companion }), { logger, companion });
  });
}

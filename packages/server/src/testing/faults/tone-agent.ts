/** A worker as `dialoglens agent` runs it, with an engine that hears tone words: tests start it as a process. */
import { AgentProcess } from '../../app/agent-process.ts';
import { energyDetector } from '../../audio/energy-detector.ts';
import { live } from '../../cli/life.ts';
import { systemClock } from '../../clock.ts';
import { loadProcessConfig } from '../../config/index.ts';
import { createMetrics } from '../../observability/metrics.ts';
import { createLogger } from '../../observability/pino-logger.ts';
import { ProviderGate } from '../../stt/supervisor/provider-gate.ts';
import { SupervisedProvider } from '../../stt/supervisor/supervised-provider.ts';
import { ToneProvider } from '../tone-speech.ts';

const { config } = loadProcessConfig({}, { role: 'agent' });
const logger = createLogger(config.log);
const gate = new ProviderGate({ provider: new ToneProvider(), clock: systemClock, random: Math.random });
const provider = new SupervisedProvider({
  gates: [gate],
  clock: systemClock,
  metrics: createMetrics(),
  logger,
});
const agent = new AgentProcess({
  config,
  logger,
  speech: {
    provider: () => provider,
    makeDetector: energyDetector,
    check: () => undefined,
    stop: () => provider.stop(),
  },
});
process.title = `dialoglens agent ${agent.workerId}`;
await live(agent, { logger, ends: [agent.toldToDrain()] });

import type { Config } from '../config/index.ts';
import { AgentJobs, type AgentJobsDeps } from '../dispatch/agent-jobs.ts';
import { AgentServerConnection } from '../livekit/agent-server-connection.ts';
import type { LiveKitKeys } from '../livekit/tokens.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import { systemScheduler } from '../scheduler.ts';

export interface FrontDoor {
  /** Whether LiveKit knows us; null when the door is closed by configuration. */
  registered(): boolean | null;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** LiveKit's own agent dispatch as a way in: registers with LiveKit and turns its jobs into demand. */
export function startFrontDoor(parts: {
  livekit: LiveKitKeys & { url: string };
  control: AgentJobsDeps['control'];
  settings: Config['frontDoor'];
  version: string;
  metrics: Metrics;
  logger: Logger;
}): FrontDoor {
  const { livekit, control, settings, version, metrics, logger } = parts;
  if (!settings.enabled) return { registered: () => null, stop: async () => undefined };
  const { agentName, whenFull } = settings;
  const jobs = new AgentJobs({ control, scheduler: systemScheduler, metrics, logger, whenFull });
  const { url, apiKey, apiSecret } = livekit;
  const keys = { apiKey, apiSecret };
  const connection = new AgentServerConnection({ url, keys, agentName, version, handler: jobs, logger });
  jobs.start();
  connection.start();
  return {
    registered: () => connection.registered,
    async stop() {
      await connection.stop();
      await jobs.stop();
    },
  };
}

import type { AgentRegistry, WorkerCommand, WorkerReport } from '../../registry/agent-registry.ts';
import { createMemoryRegistry } from '../../registry/memory-registry.ts';
import { type Conditions, overNetwork } from './conditions.ts';
import { SimProcess } from './sim-process.ts';
import type { VirtualTime } from './virtual-time.ts';

type Message =
  | { to: 'command'; agentId: string; command: WorkerCommand }
  | { to: 'report'; report: WorkerReport }
  | { to: 'hint'; room: string };

/** A Redis that all processes share: keys that may be flushed, and channels on which messages are lost, late or doubled. */
export class SimRegistry {
  readonly #conditions: Conditions;
  readonly #clock: SimProcess;
  readonly #listening = new Map<string, Set<{ process: SimProcess; hear: (message: Message) => void }>>();
  #keys: AgentRegistry;
  /** Told of every message. */
  onMessage: ((from: SimProcess, message: string) => void) | null = null;

  constructor(time: VirtualTime, conditions: Conditions) {
    this.#conditions = conditions;
    this.#clock = new SimProcess('redis', time);
    this.#keys = createMemoryRegistry({ clock: this.#clock });
  }

  /** As it really is. */
  get keys(): AgentRegistry {
    return this.#keys;
  }

  /** Every key is gone. */
  flush(): void {
    this.#keys = createMemoryRegistry({ clock: this.#clock });
  }

  /** The port as one process reaches it. */
  of(process: SimProcess): AgentRegistry {
    const call = <R>(work: () => Promise<R>) => this.#conditions.call(process, 'registry', work);
    const keys = () => overNetwork(this.#keys, call);
    const send = (channel: string, message: Message) => {
      this.onMessage?.(process, briefly(message));
      return call(async () => this.#send(channel, message));
    };
    return {
      start: () => keys().start(),
      stop: async () => undefined,
      ping: () => keys().ping(),
      enroll: (agentId, instance) => keys().enroll(agentId, instance),
      heartbeat: (status) => keys().heartbeat(status),
      forget: (agentId) => keys().forget(agentId),
      agents: (withinMs) => keys().agents(withinMs),
      setRoom: (picture) => keys().setRoom(picture),
      removeRoom: (room) => keys().removeRoom(room),
      room: (room) => keys().room(room),
      rooms: () => keys().rooms(),
      getAgentMetrics: () => keys().getAgentMetrics(),
      share: (claim) => keys().share(claim),
      addUp: (sum, amount, ttlMs) => keys().addUp(sum, amount, ttlMs),
      command: (agentId, command) => send(`command ${agentId}`, { to: 'command', agentId, command }),
      onCommand: (agentId, listener) =>
        this.#listen(
          process,
          `command ${agentId}`,
          (message) => message.to === 'command' && listener(message.command),
        ),
      report: async (report) => {
        await send('reports', { to: 'report', report });
      },
      onReport: (listener) =>
        this.#listen(process, 'reports', (message) => message.to === 'report' && listener(message.report)),
      publish: async () => undefined,
      subscribe: () => () => undefined,
      hint: async (room) => {
        await send('hints', { to: 'hint', room });
      },
      onHint: (listener) =>
        this.#listen(process, 'hints', (message) => message.to === 'hint' && listener(message.room)),
    };
  }

  #listen(process: SimProcess, channel: string, hear: (message: Message) => void): () => void {
    const listeners = this.#listening.get(channel) ?? new Set();
    this.#listening.set(channel, listeners);
    const listener = { process, hear };
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #send(channel: string, message: Message): boolean {
    const alive = [...(this.#listening.get(channel) ?? [])].filter(({ process }) => process.isAlive);
    for (const { process, hear } of alive)
      this.#conditions.deliver(process, () => hear(structuredClone(message)));
    return alive.length > 0;
  }
}

/** A message in few words, for the trace. */
function briefly(message: Message): string {
  if (message.to === 'hint') return `hint ${message.room}`;
  if (message.to === 'report') return `report ${JSON.stringify(message.report)}`;
  const { agentId, command } = message;
  if (command.type !== 'assign') return `to ${agentId}: ${JSON.stringify(command)}`;
  const { room, epoch, sessionId, standby } = command.assignment;
  return `to ${agentId}: ${JSON.stringify({ type: 'assign', room, epoch, sessionId, standby })}`;
}

import {
  type AgentView,
  agentViewSchema,
  type CapacityView,
  type FleetEvent,
  type RoomView,
  roomViewSchema,
} from '@dialoglens/protocol';
import { asError } from '../errors.ts';
import { EventRing, type RowEntry } from './event-ring.ts';
import type { ApiDeps } from './ports.ts';

/** Events kept for viewers that come back. */
const ringSize = 1_000;
/** The watch goes on for this long after its last viewer, so that a short network fault costs nothing. */
const lingerMs = 60_000;
/** A pause after a nudge, in which the others that come with it are waited for. */
const nudgeMs = 100;
/** Memory of a worker is told again when it changed by this much. */
const memoryStepBytes = 16 * 1024 * 1024;

/** The fleet as it was told last, by name; values are what a change is judged by. */
interface Picture {
  rooms: Map<string, string>;
  agents: Map<string, string>;
  capacity: string;
}

/**
 * What changes in the fleet, as one row of events for all viewers of this process. The fleet is looked at each second
 * while somebody watches, and a moment after a worker or another dispatcher said something: words only ask for a look,
 * so that a lost one costs nothing but the delay.
 */
export class FleetWatch {
  readonly #deps: Pick<ApiDeps, 'control' | 'registry' | 'clock' | 'logger'>;
  readonly #lookEveryMs: number;
  #ring: EventRing<FleetEvent> | null = null;
  #picture: Picture | null = null;
  #first: Promise<void> | null = null;
  #looking = false;
  #timer: NodeJS.Timeout | null = null;
  #linger: NodeJS.Timeout | null = null;
  #unsubscribe: (() => void)[] = [];

  constructor(deps: Pick<ApiDeps, 'control' | 'registry' | 'clock' | 'logger'>, lookEveryMs: number) {
    this.#deps = deps;
    this.#lookEveryMs = lookEveryMs;
  }

  /** Whether the fleet is being looked at. */
  get isRunning(): boolean {
    return this.#ring !== null;
  }

  /**
   * Looks at the fleet for one more viewer, until `leave`.
   * @throws DialogLensError `store_unavailable` when the fleet cannot be looked at
   */
  async join(
    listener: (entry: RowEntry<FleetEvent>) => void,
  ): Promise<{ row: EventRing<FleetEvent>; leave: () => void }> {
    if (this.#linger) clearTimeout(this.#linger);
    this.#linger = null;
    const ring = this.#ring ?? this.#begin();
    const unlisten = ring.listen(listener);
    const leave = () => {
      unlisten();
      if (this.#ring === ring && !ring.watched) this.#retire();
    };
    try {
      this.#first ??= this.#look(ring);
      await this.#first;
    } catch (thrown) {
      this.#first = null;
      leave();
      throw thrown;
    }
    return { row: ring, leave };
  }

  /** Lets go of everything. Idempotent. */
  stop(): void {
    for (const timer of [this.#timer, this.#linger]) if (timer) clearTimeout(timer);
    for (const off of this.#unsubscribe.splice(0)) off();
    this.#timer = null;
    this.#linger = null;
    this.#ring = null;
    this.#picture = null;
    this.#first = null;
  }

  #begin(): EventRing<FleetEvent> {
    const { registry, clock } = this.#deps;
    this.#ring = new EventRing(clock.nowMs(), ringSize);
    const nudge = () => this.#later(nudgeMs);
    this.#unsubscribe = [registry.onReport(nudge), registry.onHint(nudge)];
    this.#later(this.#lookEveryMs);
    return this.#ring;
  }

  #retire(): void {
    this.#linger = setTimeout(() => this.stop(), lingerMs);
    this.#linger.unref();
  }

  #later(ms: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#lookAgain(), ms);
    this.#timer.unref();
  }

  async #lookAgain(): Promise<void> {
    const ring = this.#ring;
    if (ring === null) return;
    try {
      await this.#look(ring);
    } catch (thrown) {
      // Store or registry are away: the next look tells what changed meanwhile.
      this.#deps.logger.debug({ err: asError(thrown) }, 'the fleet could not be looked at');
    }
    if (this.#ring === ring) this.#later(this.#lookEveryMs);
  }

  async #look(ring: EventRing<FleetEvent>): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const { control } = this.#deps;
      const [rooms, agents, capacity] = await Promise.all([
        control.rooms(),
        control.agents(),
        control.capacity(),
      ]);
      if (this.#ring !== ring) return;
      const views = { rooms: rooms.map(toRoom), agents: agents.map(toAgent), capacity };
      const before = this.#picture;
      this.#picture = pictureOf(views);
      // Who begins to watch reads how everything stands; only what changes from then on is an event.
      if (before !== null) for (const event of changes(before, this.#picture, views)) ring.add(event);
    } finally {
      this.#looking = false;
    }
  }
}

interface Views {
  rooms: RoomView[];
  agents: AgentView[];
  capacity: CapacityView;
}

// Ports may give more than the interface promises.
const toRoom = (view: unknown): RoomView => roomViewSchema.parse(view);
const toAgent = (view: unknown): AgentView => agentViewSchema.parse(view);

function pictureOf({ rooms, agents, capacity }: Views): Picture {
  return {
    rooms: new Map(rooms.map((view) => [view.room, JSON.stringify(view)])),
    agents: new Map(agents.map((view) => [view.agentId, agentKey(view)])),
    // It grows with every look.
    capacity: JSON.stringify({ ...capacity, avgSessionDuration: 0 }),
  };
}

/** A heartbeat that says the same as the one before is no change. */
function agentKey({ heartbeatAt: _heartbeat, memoryBytes, ...rest }: AgentView): string {
  return JSON.stringify({ ...rest, memory: Math.round(memoryBytes / memoryStepBytes) });
}

function changes(before: Picture, after: Picture, { rooms, agents, capacity }: Views): FleetEvent[] {
  const changed = <T>(of: 'rooms' | 'agents', views: readonly T[], name: (view: T) => string) =>
    views.filter((view) => before[of].get(name(view)) !== after[of].get(name(view)));
  const gone = (of: 'rooms' | 'agents') => [...before[of].keys()].filter((name) => !after[of].has(name));
  return [
    ...gone('agents').map((agentId): FleetEvent => ({ type: 'agent-gone', agentId })),
    ...changed('agents', agents, ({ agentId }) => agentId).map(
      (agent): FleetEvent => ({ type: 'agent', agent }),
    ),
    ...gone('rooms').map((room): FleetEvent => ({ type: 'room-gone', room })),
    ...changed('rooms', rooms, ({ room }) => room).map((view): FleetEvent => ({ type: 'room', room: view })),
    ...(before.capacity === after.capacity ? [] : [{ type: 'capacity' as const, capacity }]),
  ];
}

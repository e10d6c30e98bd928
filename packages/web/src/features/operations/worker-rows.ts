import type { AgentView, RoomView } from '@dialoglens/protocol';

/**
 * `serving`: has rooms; `ready`: has none yet; `draining`: hands its rooms over and ends; `refusing`: takes no rooms, for
 * a reason; `in doubt`: has rooms and is not heard; `gone`: was heard a moment ago and has nothing any more.
 */
export type WorkerState = 'serving' | 'ready' | 'draining' | 'refusing' | 'in doubt' | 'gone';

export interface WorkerRow {
  agentId: string;
  state: WorkerState;
  rooms: string[];
  /** What it said of itself last; null for one that was not heard by this page. */
  view: AgentView | null;
}

/** The workers, those to worry about first. `departed` were heard of late and are not heard now. */
export function workerRows(
  agents: readonly AgentView[],
  rooms: readonly Pick<RoomView, 'room' | 'agentId'>[],
  departed: ReadonlyMap<string, AgentView>,
): WorkerRow[] {
  const heard = new Set(agents.map(({ agentId }) => agentId));
  const held = new Map<string, string[]>();
  for (const { room, agentId } of rooms) {
    if (agentId !== null && !heard.has(agentId)) held.set(agentId, [...(held.get(agentId) ?? []), room]);
  }
  const doubted = [...held].map(
    ([agentId, of]): WorkerRow => ({
      agentId,
      state: 'in doubt',
      rooms: of,
      view: departed.get(agentId) ?? null,
    }),
  );
  const gone = [...departed.values()]
    .filter(({ agentId }) => !heard.has(agentId) && !held.has(agentId))
    .map((view): WorkerRow => ({ agentId: view.agentId, state: 'gone', rooms: [], view }));
  const alive = agents.map(
    (view): WorkerRow => ({
      agentId: view.agentId,
      state: stateOf(view),
      rooms: view.rooms,
      view,
    }),
  );
  const byName = (a: WorkerRow, b: WorkerRow) => a.agentId.localeCompare(b.agentId);
  return [...doubted.sort(byName), ...alive.sort(byName), ...gone.sort(byName)];
}

function stateOf({ status, rooms }: AgentView): WorkerState {
  if (status !== 'ready') return status;
  return rooms.length > 0 ? 'serving' : 'ready';
}

/** Workers that are not heard any more are remembered for this long, ms. */
const rememberedMs = 60_000;

/** Remembers workers for a while after they were heard last. */
export class Departed {
  readonly #last = new Map<string, { view: AgentView; at: number }>();

  /** Takes in who is heard now, and tells who was heard of late. */
  note(agents: readonly AgentView[], now: number): ReadonlyMap<string, AgentView> {
    for (const view of agents) this.#last.set(view.agentId, { view, at: now });
    for (const [agentId, { at }] of this.#last) if (now - at > rememberedMs) this.#last.delete(agentId);
    return new Map([...this.#last].map(([agentId, { view }]) => [agentId, view]));
  }
}

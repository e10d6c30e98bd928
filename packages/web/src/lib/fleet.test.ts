import type { AgentView, RoomView } from '@dialoglens/protocol';
import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { applyEvent } from './fleet.ts';

const room = (name: string, status: RoomView['status'] = 'active'): RoomView => ({
  room: name,
  status,
  reason: status,
  demand: null,
  agentId: null,
  epoch: null,
  sessionId: null,
  queuePosition: null,
  since: 0,
});
const agent = (agentId: string, load = 0) => ({ agentId, load }) as AgentView;

function known() {
  const queries = new QueryClient();
  queries.setQueryData(['rooms'], { items: [room('a'), room('b')], next: null });
  queries.setQueryData(['agents'], { items: [agent('agt_1')] });
  return queries;
}

describe('an event of the fleet', () => {
  it('brings one room up to date, in its place, or adds it', () => {
    const queries = known();
    applyEvent(queries, { type: 'room', room: room('a', 'queued') });
    applyEvent(queries, { type: 'room', room: room('c') });
    applyEvent(queries, { type: 'room-gone', room: 'b' });
    expect(queries.getQueryData(['rooms'])).toEqual({ items: [room('a', 'queued'), room('c')], next: null });
  });

  it('brings one worker up to date', () => {
    const queries = known();
    applyEvent(queries, { type: 'agent', agent: agent('agt_2') });
    applyEvent(queries, { type: 'agent', agent: agent('agt_1', 0.5) });
    applyEvent(queries, { type: 'agent-gone', agentId: 'agt_2' });
    expect(queries.getQueryData(['agents'])).toEqual({ items: [agent('agt_1', 0.5)] });
  });

  it('makes nothing known of which the rest is not known', () => {
    const queries = new QueryClient();
    applyEvent(queries, { type: 'room', room: room('a') });
    applyEvent(queries, { type: 'agent-gone', agentId: 'agt_1' });
    expect(queries.getQueryData(['rooms'])).toBeUndefined();
    expect(queries.getQueryData(['agents'])).toBeUndefined();
  });

  it('that says some were missed makes everything be read again', () => {
    const queries = known();
    applyEvent(queries, { type: 'resync', reason: 'events missed' });
    expect(queries.getQueryState(['rooms'])?.isInvalidated).toBe(true);
    expect(queries.getQueryState(['agents'])?.isInvalidated).toBe(true);
  });
});

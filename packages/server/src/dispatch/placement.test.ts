import { describe, expect, it } from 'vitest';
import { agentStatus } from '../testing/registry-contract.ts';
import { choosePlacement, markVersions } from './placement.ts';
import { leastLoaded } from './policy/least-loaded.ts';
import { versionsMatch } from './version-match.ts';
import { takers } from './world.ts';

const nothing = { readAtMs: 0, byRoom: new Map(), roomsOf: new Map() };
const place = (agents: ReturnType<typeof agentStatus>[], avoided: string[] = [], version = '1.4.0') =>
  choosePlacement({
    room: 'r',
    agents,
    candidates: takers(agents, nothing, version),
    isAvoided: (agentId) => avoided.includes(agentId),
    version,
    policy: leastLoaded,
  });
const agent = (agentId: string, change: Partial<ReturnType<typeof agentStatus>> = {}) =>
  agentStatus({ agentId, version: '1.4.0', ...change });

describe('choosePlacement', () => {
  it('says why nobody can take a room', () => {
    expect(place([])).toEqual({ agentId: null, reason: 'no agents' });
    expect(place([agent('a', { status: 'draining' })])).toEqual({ agentId: null, reason: 'no agent ready' });
    expect(place([agent('a', { version: '1.6.0' })])).toEqual({ agentId: null, reason: 'worker version' });
    expect(place([agent('a', { version: '2.4.0' }), agent('b', { status: 'refusing' })])).toEqual({
      agentId: null,
      reason: 'no agent ready',
    });
    expect(place([agent('a', { version: '2.4.0' }), agent('b', { status: 'draining' })])).toEqual({
      agentId: null,
      reason: 'worker version',
    });
    expect(place([agent('a', { extraSlots: 2 })])).toEqual({ agentId: null, reason: 'all slots busy' });
  });

  it('avoids a worker while there is another one, not when it is the last', () => {
    const both = [agent('a', { slots: 9 }), agent('b', { extraSlots: 1 })];
    expect(place(both)).toEqual({ agentId: 'a', reason: 'least loaded' });
    expect(place(both, ['a'])).toEqual({ agentId: 'b', reason: 'least loaded' });
    expect(place(both, ['a', 'b'])).toEqual({ agentId: 'a', reason: 'least loaded' });
  });

  it('passes over workers of another version', () => {
    expect(place([agent('new', { version: '1.5.9' }), agent('old', { version: '1.2.0' })])).toMatchObject({
      agentId: 'new',
    });
  });
});

describe('versionsMatch', () => {
  it.each([
    ['1.4.0', '1.4.7', true],
    ['1.4.0', '1.5.0', true],
    ['1.4.0', '1.3.0-rc.1', true],
    ['1.4.0', '1.6.0', false],
    ['1.4.0', '2.4.0', false],
    ['0.1.0', '1.0.0', false],
    ['1.4.0', 'dev', false],
    ['dev', 'dev', true],
    ['1.4.0', '', false],
  ])('%s and %s: %s', (ours, theirs, match) => {
    expect(versionsMatch(ours, theirs)).toBe(match);
    expect(versionsMatch(theirs, ours)).toBe(match);
  });

  it('shows in the status of a worker', () => {
    const marked = (...agents: ReturnType<typeof agentStatus>[]) =>
      markVersions(agents, '3.0.0').map(({ status, reason }) => ({ status, reason }));
    expect(marked(agent('a', { version: '3.1.0' }))).toEqual([{ status: 'ready', reason: null }]);
    expect(marked(agent('a'))).toEqual([{ status: 'refusing', reason: 'worker version' }]);
    expect(marked(agent('a', { status: 'draining' }))).toEqual([
      { status: 'draining', reason: 'worker version' },
    ]);
  });

  it('shows in the status of a worker that drains and sees slots only where they are refused', () => {
    const draining = agent('a', { status: 'draining', reason: 'rooms are handed over', rooms: ['r'] });
    const reasons = (...agents: ReturnType<typeof agentStatus>[]) =>
      markVersions([draining, ...agents], '1.4.0').map(({ reason }) => reason);
    expect(reasons(agent('b', { version: '3.0.0' }))).toEqual(['worker version', 'worker version']);
    expect(reasons(agent('b', { version: '3.0.0' }), agent('c'))[0]).toBe('rooms are handed over');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { absencesBeforeEnd, countPeople, decide, type LeaseView, type RoomView } from './decide.ts';
import { dispatchReasons } from './reasons.ts';
import type { LiveParticipant, ParticipantKind } from './room-directory.ts';

const person = (kind: ParticipantKind, hasAudio = true): LiveParticipant => ({
  identity: kind,
  name: kind,
  kind,
  attributes: {},
  hasAudio,
});
const lease = (change: Partial<LeaseView> = {}): LeaseView => ({
  sessionSid: 'RM_1',
  tenure: 'renewed',
  holderAlive: true,
  joined: true,
  leaving: 'no',
  holderDrains: false,
  successor: null,
  ...change,
});
const view = (change: Partial<RoomView> = {}): RoomView => ({
  demand: { wanted: true, roomSid: 'RM_1' },
  live: { sid: 'RM_1' },
  absentPolls: 0,
  people: { humans: 1, audio: true },
  lease: null,
  openSessionSids: [],
  placement: { agentId: 'agt_a', reason: 'least loaded' },
  isItsTurn: true,
  backingOff: false,
  registryAway: false,
  quarantined: false,
  wouldQuarantine: false,
  mayHandOver: true,
  ...change,
});
const gone = { live: null, absentPolls: absencesBeforeEnd } as const;

describe('countPeople', () => {
  it('counts browsers and callers, never agents, egress or ingress', () => {
    const all = ['standard', 'sip', 'connector', 'agent', 'egress', 'ingress', 'unknown'] as const;
    expect(countPeople(all.map((kind) => person(kind)))).toEqual({ humans: 3, audio: true });
    expect(countPeople([person('agent'), person('egress'), person('standard', false)])).toEqual({
      humans: 1,
      audio: false,
    });
  });
});

describe('decide', () => {
  const cases: [string, Partial<RoomView>, ReturnType<typeof decide>][] = [
    [
      'sends an agent when a human speaks',
      {},
      {
        action: 'assign',
        reason: 'agent free',
        status: 'assigned',
        agentId: 'agt_a',
        placement: 'least loaded',
        takeover: false,
      },
    ],
    [
      'waits for a human',
      { people: { humans: 0, audio: false } },
      { action: 'none', reason: 'nobody in the room', status: 'idle' },
    ],
    [
      'waits for a voice',
      { people: { humans: 2, audio: false } },
      { action: 'none', reason: 'no audio yet', status: 'idle' },
    ],
    [
      'leaves rooms alone that nobody asked for',
      { demand: null },
      { action: 'none', reason: 'not transcribed', status: 'idle' },
    ],
    [
      'keeps a stopped room stopped',
      { demand: { wanted: false, roomSid: 'RM_1' } },
      { action: 'none', reason: 'stopped', status: 'stopped' },
    ],
    [
      'sends the agent out of a stopped room',
      { demand: { wanted: false, roomSid: 'RM_1' }, lease: lease() },
      { action: 'leave', reason: 'stopped', status: 'stopped' },
    ],
    [
      'frees a stopped room whose worker is dead',
      { demand: { wanted: false, roomSid: 'RM_1' }, lease: lease({ holderAlive: false }) },
      { action: 'release', reason: 'stopped', status: 'stopped', freesLease: true },
    ],
    [
      'ends the session of a stopped room without agent',
      { demand: { wanted: false, roomSid: 'RM_1' }, openSessionSids: ['RM_1'] },
      { action: 'release', reason: 'stopped', status: 'stopped', freesLease: false },
    ],
    [
      'leaves when the wish was taken back',
      { demand: null, lease: lease() },
      { action: 'leave', reason: 'not transcribed', status: 'idle' },
    ],
    [
      'lets a leaving agent flush',
      { demand: { wanted: false, roomSid: 'RM_1' }, lease: lease({ leaving: 'waiting' }) },
      { action: 'none', reason: 'leaving', status: 'assigned' },
    ],
    [
      'frees the lease of an agent that does not go',
      { demand: { wanted: false, roomSid: 'RM_1' }, lease: lease({ leaving: 'overdue' }) },
      { action: 'release', reason: 'stopped', status: 'stopped', freesLease: true },
    ],
    [
      'arms a wish for a room that has not begun',
      { live: null, absentPolls: 9, demand: { wanted: true, roomSid: null } },
      { action: 'none', reason: 'room has not started', status: 'armed' },
    ],
    [
      'does not believe one absence',
      { live: null, absentPolls: absencesBeforeEnd - 1, lease: lease() },
      { action: 'none', reason: 'room not seen', status: 'active' },
    ],
    [
      'believes the third',
      { ...gone, lease: lease() },
      { action: 'leave', reason: 'room ended', status: 'idle' },
    ],
    [
      'clears a wish whose room ended without an agent',
      gone,
      { action: 'release', reason: 'room ended', status: 'idle', freesLease: false },
    ],
    [
      'ends what belongs to an older incarnation',
      { live: { sid: 'RM_2' }, lease: lease() },
      { action: 'leave', reason: 'room ended', status: 'idle' },
    ],
    [
      'spares the agent of the new incarnation while it does',
      { openSessionSids: ['RM_0', 'RM_1'], lease: lease() },
      { action: 'release', reason: 'room ended', status: 'idle', freesLease: false },
    ],
    [
      'says that the agent is on its way',
      { lease: lease({ joined: false }) },
      { action: 'none', reason: 'joining', status: 'assigned' },
    ],
    [
      'leaves a covered room alone',
      { lease: lease(), people: { humans: 0, audio: false } },
      { action: 'none', reason: 'active', status: 'active' },
    ],
    [
      'takes over from a lost worker, muted or not',
      { lease: lease({ tenure: 'worker lost', holderAlive: false }), people: { humans: 1, audio: false } },
      {
        action: 'assign',
        reason: 'worker lost',
        status: 'assigned',
        agentId: 'agt_a',
        placement: 'least loaded',
        takeover: true,
      },
    ],
    [
      'does not take over a room without people',
      { lease: lease({ tenure: 'worker lost' }), people: { humans: 0, audio: false } },
      { action: 'release', reason: 'nobody in the room', status: 'idle', freesLease: true },
    ],
    [
      'leaves a room alone in which workers die',
      { quarantined: true },
      { action: 'queue', reason: 'quarantined', status: 'queued' },
    ],
    [
      'gives a room that has killed another worker to nobody',
      { lease: lease({ tenure: 'worker lost', holderAlive: false }), wouldQuarantine: true },
      { action: 'release', reason: 'quarantined', status: 'queued', freesLease: true },
    ],
    [
      'blames no room for a worker that lives and does not renew',
      { lease: lease({ tenure: 'lease not renewed' }), wouldQuarantine: true },
      {
        action: 'assign',
        reason: 'lease not renewed',
        status: 'assigned',
        agentId: 'agt_a',
        placement: 'least loaded',
        takeover: true,
      },
    ],
    [
      'prepares a successor when the holder drains',
      { lease: lease({ holderDrains: true }) },
      {
        action: 'handover',
        step: 'prepare',
        reason: 'handing over',
        status: 'active',
        agentId: 'agt_a',
        placement: 'least loaded',
      },
    ],
    [
      'moves few rooms of a holder at a time',
      { lease: lease({ holderDrains: true }), mayHandOver: false },
      { action: 'none', reason: 'handover waits', status: 'active' },
    ],
    [
      'stays with a draining holder while there is no slot elsewhere',
      { lease: lease({ holderDrains: true }), placement: { agentId: null, reason: 'all slots busy' } },
      { action: 'none', reason: 'no other worker has a slot', status: 'active' },
    ],
    [
      'lets rooms that wait for a slot go before one that is served',
      { lease: lease({ holderDrains: true }), isItsTurn: false },
      { action: 'none', reason: 'no other worker has a slot', status: 'active' },
    ],
    [
      'waits while the successor warms up',
      { lease: lease({ holderDrains: true, successor: 'warming' }) },
      { action: 'handover', step: 'wait', reason: 'handing over', status: 'active' },
    ],
    [
      'switches when the successor hears everything',
      { lease: lease({ holderDrains: true, successor: 'standing by' }) },
      { action: 'handover', step: 'switch', reason: 'handing over', status: 'active' },
    ],
    [
      'calls off a successor that is lost when there is no other',
      {
        lease: lease({ holderDrains: true, successor: 'lost' }),
        placement: { agentId: null, reason: 'all slots busy' },
      },
      { action: 'handover', step: 'call off', reason: 'no other worker has a slot', status: 'active' },
    ],
    [
      'calls off a successor whose holder does not drain any more',
      { lease: lease({ successor: 'standing by' }) },
      { action: 'handover', step: 'call off', reason: 'active', status: 'active' },
    ],
    [
      'sends the agent out of a stopped room, successor or not',
      {
        demand: { wanted: false, roomSid: 'RM_1' },
        lease: lease({ holderDrains: true, successor: 'standing by' }),
      },
      { action: 'leave', reason: 'stopped', status: 'stopped' },
    ],
    [
      'queues when all slots are busy',
      { placement: { agentId: null, reason: 'all slots busy' } },
      { action: 'queue', reason: 'all slots busy', status: 'queued' },
    ],
    [
      'queues a room that others stand before',
      { isItsTurn: false },
      { action: 'queue', reason: 'all slots busy', status: 'queued' },
    ],
    [
      'pauses after an agent failed',
      { backingOff: true },
      { action: 'queue', reason: 'agent failed', status: 'queued' },
    ],
  ];
  it.each(cases)('%s', (_name, change, decision) => expect(decide(view(change))).toEqual(decision));

  const sid = fc.constantFrom('RM_1', 'RM_2');
  const anyView: fc.Arbitrary<RoomView> = fc.record({
    demand: fc.option(fc.record({ wanted: fc.boolean(), roomSid: fc.option(sid) })),
    live: fc.option(fc.record({ sid })),
    absentPolls: fc.nat(5),
    people: fc.constantFrom(
      { humans: 0, audio: false },
      { humans: 1, audio: false },
      { humans: 2, audio: true },
    ),
    lease: fc.option(
      fc.record<LeaseView>({
        sessionSid: fc.option(sid),
        tenure: fc.constantFrom('renewed', 'worker lost', 'lease not renewed'),
        holderAlive: fc.boolean(),
        joined: fc.boolean(),
        leaving: fc.constantFrom('no', 'waiting', 'overdue'),
        holderDrains: fc.boolean(),
        successor: fc.constantFrom('warming', 'standing by', 'lost', null),
      }),
    ),
    openSessionSids: fc.uniqueArray(sid),
    placement: fc.constantFrom(
      { agentId: 'agt_a', reason: 'least loaded' as const },
      { agentId: null, reason: 'no agents' as const },
    ),
    isItsTurn: fc.boolean(),
    backingOff: fc.boolean(),
    registryAway: fc.boolean(),
    quarantined: fc.boolean(),
    wouldQuarantine: fc.boolean(),
    mayHandOver: fc.boolean(),
  });

  it('sends agents only into listed, wanted rooms with a human, and never past a working one', () => {
    fc.assert(
      fc.property(anyView, (any) => {
        const decision = decide(any);
        expect(dispatchReasons).toContain(decision.reason);
        if (decision.action !== 'assign') return;
        expect(any.live).not.toBeNull();
        expect(any.demand?.wanted).toBe(true);
        expect(any.people.humans).toBeGreaterThan(0);
        expect(any.lease?.tenure).not.toBe('renewed');
        expect(decision.takeover).toBe(any.lease !== null);
      }),
    );
  });

  it('leaves every lease alone while the registry is away', () => {
    fc.assert(
      fc.property(anyView, (any) => {
        fc.pre(any.lease !== null);
        const decision = decide({ ...any, registryAway: true });
        expect(decision).toMatchObject({ action: 'none', reason: 'registry unreachable' });
      }),
    );
  });

  it('never lets go of a renewed lease of a wanted room that is listed', () => {
    fc.assert(
      fc.property(anyView, (any) => {
        fc.pre(any.live !== null && any.demand?.wanted === true && any.lease?.tenure === 'renewed');
        fc.pre(any.lease?.leaving === 'no' && any.lease.sessionSid === any.live?.sid);
        const decision = decide(any);
        expect(decision.action === 'leave' || (decision.action === 'release' && decision.freesLease)).toBe(
          false,
        );
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LiveEvent, liveEventSchema } from '../live.ts';
import { readLiveEvent } from './live-event-guard.ts';

const text = fc.string({ maxLength: 20 });
const place = { sessionId: text, room: text };
const standing = {
  state: fc.constantFrom('ok' as const, 'down' as const),
  reason: text,
  retryAt: fc.nat(),
};
const segment = fc.record(
  {
    id: text.map((id) => `seg_${id}`),
    ...place,
    trackId: text,
    identity: text,
    speaker: text,
    revision: fc.integer({ min: 1 }),
    isFinal: fc.boolean(),
    text,
    stableLength: fc.nat(),
    startMs: fc.nat(),
    endMs: fc.nat(),
    startedAt: fc.nat(),
    confidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    language: text,
    words: fc.array(fc.record({ text, startMs: fc.nat(), endMs: fc.nat() }), { maxLength: 2 }),
  },
  { noNullPrototype: true },
);
const events: fc.Arbitrary<LiveEvent> = fc.oneof(
  segment.map((one) => ({ type: 'segment' as const, segment: one })),
  fc.record({
    type: fc.constant('session' as const),
    ...place,
    status: fc.constantFrom('queued' as const, 'ended' as const),
    reason: text,
  }),
  fc.record({
    type: fc.constant('captions' as const),
    ...place,
    trackId: text,
    identity: text,
    ...standing,
  }),
  fc.record({ type: fc.constant('room-captions' as const), ...place, ...standing }),
  fc.record({ type: fc.constant('speaker' as const), ...place, identity: text, name: text }),
  fc.record({
    type: fc.constant('room' as const),
    room: text,
    status: fc.constant('queued' as const),
    reason: text,
    queuePosition: fc.integer({ min: 1 }),
  }),
  fc.record({ type: fc.constant('resync' as const), sessionId: text, reason: text }),
);

describe('an event that is read without the schemas', () => {
  it('is taken whenever the schema takes it, every type of the schema among them', () => {
    const types = new Set<string>();
    fc.assert(
      fc.property(events, (event) => {
        expect(liveEventSchema.safeParse(event).success).toBe(true);
        expect(readLiveEvent(JSON.stringify(event), 'x')).toEqual({
          event: JSON.parse(JSON.stringify(event)),
        });
        types.add(event.type);
      }),
      { endOnFailure: true },
    );
    expect([...types].sort()).toEqual(liveEventSchema.options.map(({ shape }) => shape.type.value).sort());
  });

  it('is not taken when a field of it is missing or of another type, as the schema does not take it', () => {
    fc.assert(
      fc.property(events, fc.nat(), fc.constantFrom(undefined, [1], { a: 1 }, true), (event, pick, wrong) => {
        const inner: Record<string, unknown> = event.type === 'segment' ? event.segment : event;
        const names = Object.keys(inner).filter((name) => name !== 'type');
        const name = names[pick % names.length] ?? '';
        const broken = { ...inner, [name]: wrong };
        const whole = event.type === 'segment' ? { ...event, segment: broken } : broken;
        const arrived: unknown = JSON.parse(JSON.stringify(whole));
        fc.pre(!liveEventSchema.safeParse(arrived).success && name !== 'words');
        expect(readLiveEvent(JSON.stringify(whole), 'x')).toEqual({
          event: null,
          type: event.type,
          reason: 'shape',
        });
      }),
      { endOnFailure: true },
    );
  });

  it('may be anything at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (data) => {
        expect(readLiveEvent(data, 'x').event).toBeNull();
      }),
      { endOnFailure: true },
    );
  });
});

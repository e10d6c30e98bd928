import type { CaptionsView } from '@dialoglens/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { RoomStanding } from './room-standing.ts';

const ok: CaptionsView = { state: 'ok', reason: 'ok' };
const late: CaptionsView = { state: 'delayed', reason: 'replaying' };
const down: CaptionsView = { state: 'down', reason: 'provider failing' };
const missing: CaptionsView = { state: 'missing', reason: 'speech without text' };

let told: CaptionsView[];
let shown: string[];
let mayPublish: boolean;
let failure: Error | null;
let standing: RoomStanding;

beforeEach(() => {
  [told, shown, mayPublish, failure] = [[], [], true, null];
  standing = new RoomStanding({
    mayPublish: () => mayPublish,
    show: async ({ state }) => {
      if (failure) throw failure;
      shown.push(state);
    },
    onChange: (captions) => told.push(captions),
    logger: silentLogger,
  });
});

describe('how the captions of a room do', () => {
  it('is how those of the speaker do who has it worst', () => {
    standing.set('a', late);
    standing.set('b', down);
    standing.set('c', missing);
    expect(standing.now).toEqual(down);
    standing.set('b', ok);
    expect(standing.now).toEqual(missing);
    standing.set('c', ok);
    standing.set('a', ok);
    expect(standing.now).toEqual(ok);
  });

  it('is told once for each change, also that it is well, and when the next attempt comes at another time', () => {
    standing.set('a', ok);
    standing.set('b', ok);
    standing.set('a', { ...down, retryAt: 1_000 });
    standing.set('b', { ...down, retryAt: 1_000 });
    standing.set('a', { ...down, retryAt: 5_000 });
    expect(told).toEqual([ok, { ...down, retryAt: 1_000 }, { ...down, retryAt: 5_000 }]);
  });

  it('is shown in the room when it is no longer well, and when it is again; not for each attempt', async () => {
    standing.set('a', ok);
    standing.set('a', { ...down, retryAt: 1_000 });
    await vi.waitFor(() => expect(shown).toEqual(['down']));
    standing.set('a', { ...down, retryAt: 5_000 });
    standing.set('a', ok);
    await vi.waitFor(() => expect(shown).toEqual(['down', 'ok']));
  });

  it('is shown when it may be said, and after a failure or a new connection once more', async () => {
    mayPublish = false;
    standing.set('a', down);
    standing.resume();
    await Promise.resolve();
    expect(shown).toEqual([]);
    mayPublish = true;
    failure = new Error('away');
    standing.resume();
    await new Promise<void>((resolve) => setImmediate(resolve));
    failure = null;
    standing.resume();
    await vi.waitFor(() => expect(shown).toEqual(['down']));
    standing.resume();
    standing.forgetShown();
    standing.resume();
    await vi.waitFor(() => expect(shown).toEqual(['down', 'down']));
  });
});

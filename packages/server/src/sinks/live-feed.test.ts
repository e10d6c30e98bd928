import type { CaptionState, LiveEvent, Segment } from '@dialoglens/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { RecordedMetrics } from '../testing/dispatch-laboratory.ts';
import { LiveFeed } from './live-feed.ts';

let published: string[];
let metrics: RecordedMetrics;
let mayPublish: boolean;
let feed: LiveFeed;

beforeEach(() => {
  published = [];
  mayPublish = true;
  const publish = async (_: string, event: LiveEvent) => {
    await Promise.resolve();
    if (event.type === 'segment') published.push(event.segment.text);
    if (event.type === 'captions') published.push(event.state);
  };
  metrics = new RecordedMetrics();
  const surroundings = {
    mayPublish: () => mayPublish,
    metrics,
    logger: silentLogger,
    clock: { nowMs: () => 7 },
  };
  feed = new LiveFeed('r', { publish }, surroundings);
});

function say(id: string, text = id, isFinal = true): void {
  const segment = { id, room: 'r', text, isFinal } as Segment;
  feed.accept({ trackId: 'trk_1', segment, startSample: 0, endSample: 1, engineMs: 5 });
}

function tell(state: CaptionState): void {
  const speaker = { sessionId: 'ses_1', room: 'r', trackId: 'TR_1', identity: 'ana' };
  feed.tell('captions', { type: 'captions', ...speaker, state, reason: state });
}

describe('LiveFeed', () => {
  it('publishes in order, also what comes in the moment it becomes idle', async () => {
    say('a');
    say('b');
    for (let n = 0; n < 30; n++) {
      await Promise.resolve();
      say(`${n}`);
    }
    await feed.drain();
    expect(published).toEqual(['a', 'b', ...Array.from({ length: 30 }, (_, n) => `${n}`)]);
  });

  it('holds captions back while it may not publish, a bounded number of them', async () => {
    mayPublish = false;
    for (let n = 0; n < 150; n++) say(`${n}`);
    expect(await feed.drain()).toEqual({ left: 100 });
    mayPublish = true;
    feed.resume();
    expect(await feed.drain()).toEqual({ left: 0 });
    expect(published).toHaveLength(100);
    expect(metrics.counted('sink_dropped_total', { sink: 'live' })).toBe(50);
  });

  it('sheds partials and what a newer revision replaces, and counts them', async () => {
    mayPublish = false;
    say('a', 'Good', false);
    say('b', 'Yes', false);
    say('b', 'Yes.');
    for (let n = 0; n < 99; n++) say(`${n}`);
    mayPublish = true;
    feed.resume();
    await feed.drain();
    expect(published).toEqual(['Yes.', ...Array.from({ length: 99 }, (_, n) => `${n}`)]);
    expect(metrics.counted('sink_dropped_total', { sink: 'live' })).toBe(2);
  });

  it('tells how captions do in its order among them, when it may, and only as it is by then', async () => {
    say('a');
    tell('down');
    say('b');
    await feed.drain();
    mayPublish = false;
    tell('delayed');
    say('c');
    tell('ok');
    await feed.drain();
    expect(published).toEqual(['a', 'down', 'b']);
    mayPublish = true;
    feed.resume();
    await feed.drain();
    expect(published.slice(3)).toEqual(['ok', 'c']);
  });

  it('says nothing after it was closed', async () => {
    mayPublish = false;
    say('a');
    await feed.close();
    mayPublish = true;
    feed.resume();
    say('b');
    tell('ok');
    await feed.drain();
    expect(published).toEqual([]);
  });
});

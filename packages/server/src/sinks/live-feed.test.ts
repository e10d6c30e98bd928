import type { LiveEvent, Segment } from '@dialoglens/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { LiveFeed } from './live-feed.ts';

let published: string[];
let mayPublish: boolean;
let feed: LiveFeed;

beforeEach(() => {
  published = [];
  mayPublish = true;
  const publish = async (_: string, event: LiveEvent) => {
    await Promise.resolve();
    if (event.type === 'segment') published.push(event.segment.id);
  };
  feed = new LiveFeed({ publish }, () => mayPublish, silentLogger);
});

function say(id: string): void {
  const segment = { id, room: 'r' } as Segment;
  feed.accept({ trackId: 'trk_1', segment, startSample: 0, endSample: 1 });
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
  });

  it('says nothing after it was closed', async () => {
    mayPublish = false;
    say('a');
    await feed.close();
    mayPublish = true;
    feed.resume();
    await feed.drain();
    expect(published).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { FaultScript } from './faults.ts';

const cut = { do: 'cut' } as const;
const hang = { do: 'hang' } as const;

describe('a fault script', () => {
  it('lets a fault happen once, when its moment has come', () => {
    const stream = new FaultScript([{ at: { message: 2 }, action: cut }]).openStream();
    expect(stream.due({ messages: 1, bytes: 0, audioMs: 0 })).toEqual([]);
    expect(stream.due({ messages: 2, bytes: 0, audioMs: 0 })).toEqual([cut]);
    expect(stream.due({ messages: 3, bytes: 0, audioMs: 0 })).toEqual([]);
  });

  it('counts by messages, bytes and audio, also when several moments come at once', () => {
    const script = new FaultScript([
      { at: { byte: 3_200 }, action: cut },
      { at: { audioMs: 90 }, action: hang },
    ]);
    const stream = script.openStream();
    expect(stream.due({ messages: 1, bytes: 0, audioMs: 0 })).toEqual([]);
    expect(stream.due({ messages: 2, bytes: 3_200, audioMs: 100 })).toEqual([cut, hang]);
  });

  it('keeps to the stream it is meant for', () => {
    const script = new FaultScript([{ at: { message: 1 }, action: cut, stream: 1 }]);
    const [first, second] = [script.openStream(), script.openStream()];
    expect(first.due({ messages: 1, bytes: 0, audioMs: 0 })).toEqual([]);
    expect(second.due({ messages: 1, bytes: 0, audioMs: 0 })).toEqual([cut]);
    expect(script.streams).toBe(2);
  });

  it('happens as often as it is told, over all streams', () => {
    const script = new FaultScript([{ at: { message: 1 }, action: cut, times: 2 }]);
    const happened = Array.from({ length: 3 }, () =>
      script.openStream().due({ messages: 1, bytes: 0, audioMs: 0 }),
    );
    expect(happened).toEqual([[cut], [cut], []]);
  });

  it('takes faults that are added while streams are open, and forgets them when told', () => {
    const script = new FaultScript();
    const stream = script.openStream();
    stream.due({ messages: 1, bytes: 0, audioMs: 0 });
    script.add({ at: { message: 1 }, action: hang });
    script.add({ at: { message: 2 }, action: cut });
    expect(stream.due({ messages: 2, bytes: 0, audioMs: 0 })).toEqual([cut]);
    script.clear();
    expect(script.openStream().due({ messages: 1, bytes: 0, audioMs: 0 })).toEqual([]);
  });
});

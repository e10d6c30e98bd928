import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

const word = { room: 'r', source: 'api', settings: {}, priority: 0, roomSid: null } as const;

/** Somebody says it at another dispatcher, right after the wish of the room was read here for the first time. */
function sayAfterFirstRead(wanted: boolean): void {
  const { directory, store } = lab;
  const listRooms = directory.listRooms.bind(directory);
  let isSaid = false;
  directory.listRooms = async (names) => {
    if (names !== undefined && !isSaid) {
      isSaid = true;
      await store.demands.put({ ...word, wanted });
    }
    return listRooms(names);
  };
}

describe('two words about a room in the same moment', () => {
  it('keeps a stop that comes while older metadata is being taken in', async () => {
    await lab.worker('agt_a');
    await lab.dispatcher();
    lab.directory.open('r', '{"transcriptionEnabled":true}');
    lab.directory.join('r', 'ann');
    sayAfterFirstRead(false);
    await lab.clock.advance(30_000);
    expect(await lab.store.demands.get('r')).toMatchObject({ wanted: false, source: 'api' });
    expect(lab.held()).toEqual({});
  });

  it('keeps a stop that comes while the policy is about to want the room', async () => {
    await lab.worker('agt_a');
    await lab.dispatcher({ rooms: 'all' });
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    sayAfterFirstRead(false);
    await lab.clock.advance(30_000);
    expect(await lab.store.demands.get('r')).toMatchObject({ wanted: false, source: 'api' });
    expect(lab.held()).toEqual({});
  });

  it('keeps a start that comes while a wish of metadata is being dropped', async () => {
    await lab.worker('agt_a');
    await lab.dispatcher();
    lab.directory.open('r', '{"transcriptionEnabled":true}');
    lab.directory.join('r', 'ann');
    await lab.clock.advance(10_000);
    lab.directory.setMetadata('r', '{}');
    sayAfterFirstRead(true);
    await lab.clock.advance(30_000);
    expect(await lab.store.demands.get('r')).toMatchObject({ wanted: true, source: 'api' });
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });
});

describe('a stop while LiveKit is away', () => {
  it('is not undone by metadata of before', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    // Another dispatcher starts it, and this one does not see that yet.
    lab.directory.setMetadata('r', '{"transcriptionEnabled":true}');
    lab.directory.trouble = new DialogLensError('livekit_unreachable', 'LiveKit cannot be reached.');
    await control.stop('r', 'x');
    await control.start('r', {}, 'x');
    await control.stop('r', 'x');
    lab.directory.trouble = null;
    await lab.clock.advance(20_000);
    expect(lab.held()).toEqual({});
    expect(await control.room('r')).toMatchObject({ status: 'stopped', demand: { wanted: false } });
    expect((await lab.directory.listRooms(['r']))[0]?.metadata).toContain('"transcriptionEnabled":false');
  });
});

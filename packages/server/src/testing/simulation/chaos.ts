import type { Cluster } from './cluster.ts';
import type { Port, Rates } from './conditions.ts';

const wish = '{"transcriptionEnabled":true}';
const hourMs = 3_600_000;
const ports: readonly Port[] = ['store', 'registry', 'livekit'];

/** How bad it may get, at random. */
export function badRates({ chance }: Cluster): Rates {
  const some = (most: number) => (chance.is(0.5) ? 0 : chance.next() * most);
  return {
    crash: some(0.002),
    slow: some(0.2),
    fail: some(0.1),
    loss: some(0.4),
    double: some(0.3),
    late: some(0.4),
    lie: some(0.3),
  };
}

/** Opens a room with people in it, who may ask for captions. */
export function openRoom(cluster: Cluster, room: string): void {
  const { chance, livekit, wishes } = cluster;
  const asks = chance.is(0.7);
  cluster.trace(`open ${room}${asks ? ', wanted' : ''}`);
  livekit.open(room, asks ? wish : '');
  livekit.join(room, 'ann', chance.is(0.9));
  if (asks) wishes.begins(room);
  else wishes.set(room, 'unknown');
  tellOfRoom(cluster, room);
}

/** One thing that happens: to people, or to the machines. */
export function strike(cluster: Cluster): void {
  const { chance } = cluster;
  const deed = chance.of(chance.is(0.5) ? ordinary : bad);
  deed?.(cluster);
}

type Deed = (cluster: Cluster) => void;

const ordinary: readonly Deed[] = [
  (cluster) => {
    const room = chooseRoom(cluster);
    if (room !== undefined) openRoom(cluster, room);
  },
  (cluster) => {
    const room = chooseRoom(cluster);
    if (room === undefined) return;
    cluster.trace(`close ${room}`);
    cluster.livekit.close(room, 'room-deleted');
    cluster.wishes.set(room, 'unknown');
    tellOfRoom(cluster, room);
  },
  (cluster) => {
    const room = chooseRoom(cluster);
    if (room === undefined) return;
    const { livekit, chance } = cluster;
    cluster.trace(`people of ${room} change`);
    const people = ['ann', 'bob'];
    for (const person of people) {
      if (chance.is(0.4)) livekit.leave(room, person);
      else livekit.join(room, person, chance.is(0.8));
    }
    tellOfRoom(cluster, room);
  },
  (cluster) => ask(cluster, 'start'),
  (cluster) => ask(cluster, 'start'),
  (cluster) => ask(cluster, 'stop'),
  (cluster) => ask(cluster, 'priority'),
];

const bad: readonly Deed[] = [
  (cluster) => {
    const member = cluster.chance.of(cluster.members.filter(({ process }) => process.isAlive));
    if (member !== undefined) cluster.kill(member);
  },
  (cluster) => {
    const member = cluster.chance.of(cluster.members.filter(({ process }) => process.isAlive));
    if (member !== undefined) cluster.terminate(member);
  },
  freezeOne,
  (cluster) => {
    const { chance, conditions, time, livekit } = cluster;
    const port = chance.of(ports) ?? 'store';
    cluster.trace(`${port} is away`);
    conditions.away.add(port);
    time.after(chance.int(100, 12_000), () => {
      conditions.away.delete(port);
      if (port === 'livekit') livekit.reconnect();
    });
  },
  (cluster) => {
    const { chance, conditions, time, livekit } = cluster;
    const [member, port] = [chance.of(cluster.members), chance.of(ports) ?? 'store'];
    if (member === undefined) return;
    cluster.trace(`${member.process.name} is cut off from the ${port}`);
    conditions.cut(member.process, port);
    time.after(chance.int(100, 20_000), () => {
      conditions.mend(member.process, port);
      if (port === 'livekit') livekit.reconnect();
    });
  },
  (cluster) => {
    cluster.trace('the registry is flushed');
    cluster.registry.flush();
  },
  (cluster) => {
    cluster.trace('LiveKit is restarted');
    const { livekit, wishes } = cluster;
    livekit.restart();
    for (const room of livekit.names) {
      const asks = livekit.room(room)?.metadata === wish && wishes.expected(room) === 'transcribed';
      if (!asks) wishes.set(room, 'unknown');
    }
  },
  (cluster) => {
    const { chance } = cluster;
    const process = chance.of([...cluster.members.map((member) => member.process), cluster.storeClock]);
    if (process === undefined) return;
    process.wallOffsetMs = chance.int(-hourMs, hourMs);
    cluster.trace(`the clock of ${process.name} is set`);
  },
];

function freezeOne(cluster: Cluster): void {
  const { chance, time } = cluster;
  const member = chance.of(cluster.members.filter(({ process }) => process.isAlive));
  if (member === undefined) return;
  cluster.trace(`freeze ${member.process.name}`);
  const thaw = member.process.freeze();
  time.after(chance.int(100, 12_000), () => {
    cluster.trace(`${member.process.name} goes on`);
    thaw();
  });
}

function chooseRoom({ chance }: Cluster): string | undefined {
  return chance.of(roomNames);
}

/** Every room there may be. */
export const roomNames: readonly string[] = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'];

/** A webhook, to one dispatcher, unless it is lost. */
function tellOfRoom({ chance, dispatchers, conditions }: Cluster, room: string): void {
  const found = chance.of(dispatchers);
  if (found === undefined || chance.is(0.4)) return;
  conditions.deliver(found.process, () => {
    void found.dispatcher.handleRoomEvent({ event: 'track_published', room });
  });
}

/** Somebody asks over the API. */
function ask(cluster: Cluster, what: 'start' | 'stop' | 'priority'): void {
  const { chance, dispatchers, wishes } = cluster;
  const [room, found] = [chooseRoom(cluster), chance.of(dispatchers)];
  if (room === undefined || found === undefined || !found.process.isAlive) return;
  cluster.trace(`${what} ${room} at ${found.id}`);
  const { control } = found.dispatcher;
  const priority = chance.int(-1, 1);
  if (what === 'stop') wishes.refuses(room);
  const answered = what === 'priority' ? () => undefined : wishes.asks(room);
  const asked = {
    start: async () => {
      await control.start(room, {}, 'sim', priority);
      return wishes.promise(room, 'start', cluster.conditions.isSound(found.process, 'livekit'));
    },
    stop: async () => {
      const { status } = await control.stop(room, 'sim');
      const isSound = cluster.conditions.isSound(found.process, 'livekit');
      return status === 'stopped' ? wishes.promise(room, 'stop', isSound) : 'unknown';
    },
    priority: async () => {
      await control.setPriority(room, priority, 'sim');
      return 'unknown' as const;
    },
  }[what];
  cluster.asked.push(found.process);
  const done = () => cluster.asked.splice(cluster.asked.indexOf(found.process), 1);
  found.process.run(() => {
    asked()
      .finally(done)
      .then(
        answered,
        // It was refused or got lost: nobody was promised anything.
        () => answered('unknown'),
      );
  });
}

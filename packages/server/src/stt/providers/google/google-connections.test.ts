import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { GoogleConnections, type RawClient, type RawStream } from './google-connections.ts';
import type { GoogleFailure } from './google-faults.ts';

class FakeStream extends EventEmitter {
  readonly written: unknown[] = [];
  isCancelled = false;
  write(message: unknown, done: () => void) {
    this.written.push(message);
    done();
  }
  end() {
    this.emit('end');
  }
  cancel() {
    this.isCancelled = true;
  }
}

class FakeClient implements RawClient {
  readonly streams: FakeStream[] = [];
  isClosed = false;
  ready: Promise<unknown> = Promise.resolve();
  initialize = () => this.ready;
  getProjectId = async () => 'test';
  _streamingRecognize(): RawStream {
    const stream = new FakeStream();
    this.streams.push(stream);
    return stream;
  }
  async close() {
    this.isClosed = true;
    await this.ready;
  }
}

function setUp() {
  const clients: FakeClient[] = [];
  const connections = new GoogleConnections(() => {
    const client = new FakeClient();
    clients.push(client);
    return client;
  });
  const call = () => {
    const ends: (GoogleFailure | null)[] = [];
    const made = connections.call({ onAnswer: () => undefined, onEnd: (failure) => ends.push(failure) });
    return { ends, made };
  };
  return { clients, connections, call };
}

describe('connections to Google', () => {
  it('are shared by streams until they are full', async () => {
    const { clients, call } = setUp();
    for (let i = 0; i < 81; i++) call();
    await vi.waitFor(() => expect(clients.map(({ streams }) => streams.length)).toEqual([80, 1]));
  });

  it('get no new streams once one broke, and are closed with their last one', async () => {
    const { clients, call } = setUp();
    const [broken, other] = [call(), call()];
    await vi.waitFor(() => expect(clients[0]?.streams.length).toBe(2));
    clients[0]?.streams[0]?.emit(
      'error',
      Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'gone' }),
    );
    expect(broken.ends).toEqual([{ code: 14, details: 'gone' }]);
    call();
    await vi.waitFor(() => expect(clients[1]?.streams.length).toBe(1));
    expect(clients[0]?.isClosed).toBe(false);
    other.made.end();
    await vi.waitFor(() => expect(clients[0]?.isClosed).toBe(true));
    expect(other.ends).toEqual([null]);
  });

  it('stay in use when only a stream was refused', async () => {
    const { clients, call } = setUp();
    call();
    await vi.waitFor(() => expect(clients[0]?.streams.length).toBe(1));
    clients[0]?.streams[0]?.emit('error', Object.assign(new Error('3'), { code: 3, details: 'no' }));
    call();
    await vi.waitFor(() => expect(clients[0]?.streams.length).toBe(2));
  });

  it('are left when a stream fell silent', async () => {
    const { clients, call } = setUp();
    const silent = call();
    await vi.waitFor(() => expect(clients[0]?.streams.length).toBe(1));
    silent.made.cancel(true);
    silent.made.cancel(true);
    expect(clients[0]?.streams[0]?.isCancelled).toBe(true);
    expect(silent.ends).toEqual([]);
    call();
    await vi.waitFor(() => expect(clients[1]?.streams.length).toBe(1));
  });

  it('tell streams why they cannot be made, and can be stopped all the same', async () => {
    const client = new FakeClient();
    client.ready = Promise.reject(new Error('no credentials'));
    const connections = new GoogleConnections(() => client);
    await expect(connections.start()).rejects.toThrow('no credentials');
    const ends: (GoogleFailure | null)[] = [];
    const made = connections.call({ onAnswer: () => undefined, onEnd: (failure) => ends.push(failure) });
    made.write({});
    await vi.waitFor(() => expect(ends).toEqual([{ code: undefined, details: 'no credentials' }]));
    await connections.stop();
  });

  it('hold back what is written before they are there, and break nothing off twice', async () => {
    const { clients, call } = setUp();
    const { made } = call();
    made.write({ streamingConfig: {} });
    made.end();
    await vi.waitFor(() => expect(clients[0]?.streams[0]?.written).toEqual([{ streamingConfig: {} }]));
    expect(made.waiting).toBe(0);
  });
});

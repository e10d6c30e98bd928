import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  AvailabilityRequest,
  Job,
  JobAssignment,
  JobStatus,
  JobTermination,
  RegisterWorkerResponse,
  Room,
  ServerMessage,
  WorkerMessage,
  WorkerStatus,
} from '@livekit/protocol';
import { TokenVerifier } from 'livekit-server-sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AgentJob, AgentJobHandler, AgentServerLoad, JobEnd } from '../dispatch/agent-jobs.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { AgentServerConnection } from './agent-server-connection.ts';

const keys = { apiKey: 'devkey', apiSecret: 'a-secret-of-thirty-two-characters' };
type FromServer = ConstructorParameters<typeof ServerMessage>[0];

class FakeHandler implements AgentJobHandler {
  accept = true;
  current: AgentServerLoad = { full: false, load: 0.9, jobs: 3 };
  readonly begun: AgentJob[] = [];
  readonly terminated: string[] = [];
  end: (end: JobEnd) => void = () => undefined;

  consider = async () => ({ accept: this.accept, reason: 'as the test wants it' });
  begin = (job: AgentJob) => void this.begun.push(job);
  terminate = (jobId: string) => void this.terminated.push(jobId);
  load = () => this.current;
  onEnd(listener: (end: JobEnd) => void) {
    this.end = listener;
    return () => undefined;
  }
}

describe('registration as an agent server', () => {
  let server: WebSocketServer;
  let socket: WebSocket | undefined;
  let authorization = '';
  let path = '';
  let heard: WorkerMessage['message'][];
  let handler: FakeHandler;
  let connection: AgentServerConnection;
  const say = (message: NonNullable<FromServer>['message']) =>
    socket?.send(new ServerMessage({ message: message ?? { case: undefined } }).toBinary());
  const last = (name: string) => heard.filter((message) => message.case === name).at(-1)?.value;
  const registered = () => vi.waitFor(() => expect(connection.registered).toBe(true));

  beforeEach(async () => {
    heard = [];
    handler = new FakeHandler();
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (client, request) => {
      socket = client;
      authorization = request.headers.authorization ?? '';
      path = request.url ?? '';
      client.on('message', (data: Buffer) => {
        const { message } = WorkerMessage.fromBinary(new Uint8Array(data));
        heard.push(message);
        if (message.case === 'register') {
          say({ case: 'register', value: new RegisterWorkerResponse({ workerId: 'AW_1' }) });
        }
      });
    });
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = { url, keys, agentName: 'captions', version: '1.2.3', handler, logger: silentLogger };
    connection = new AgentServerConnection(options);
    connection.start();
  });
  afterEach(async () => {
    await connection.stop();
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  });

  it('registers under its name with a token that allows just that', async () => {
    await registered();
    expect(path).toBe('/agent');
    const claims = await new TokenVerifier(keys.apiKey, keys.apiSecret).verify(authorization.slice(7));
    expect(claims.video).toEqual({ agent: true });
    expect(last('register')).toMatchObject({ agentName: 'captions', version: '1.2.3' });
  });

  it('stays below the load at which LiveKit stops offering jobs, unless it is full', async () => {
    await registered();
    await vi.waitFor(() =>
      expect(last('updateWorker')).toMatchObject({ status: WorkerStatus.WS_AVAILABLE, jobCount: 3 }),
    );
    expect((last('updateWorker') as { load: number }).load).toBeCloseTo(0.6);
    handler.current = { full: true, load: 1, jobs: 3 };
    await vi.waitFor(
      () => expect(last('updateWorker')).toMatchObject({ status: WorkerStatus.WS_FULL, load: 1 }),
      { timeout: 5_000 },
    );
  });

  it('answers offers, begins what it is assigned, ends what is taken back, and reports each', async () => {
    await registered();
    const job = new Job({ id: 'AJ_1', room: new Room({ name: 'a b', sid: 'RM_1' }), metadata: '{}' });
    say({ case: 'availability', value: new AvailabilityRequest({ job }) });
    await vi.waitFor(() => expect(last('availability')).toMatchObject({ jobId: 'AJ_1', available: true }));
    say({ case: 'assignment', value: new JobAssignment({ job, token: 't' }) });
    await vi.waitFor(() => expect(last('updateJob')).toMatchObject({ status: JobStatus.JS_RUNNING }));
    expect(handler.begun).toEqual([{ id: 'AJ_1', room: 'a b', roomSid: 'RM_1', metadata: '{}' }]);
    say({ case: 'termination', value: new JobTermination({ jobId: 'AJ_1' }) });
    await vi.waitFor(() => expect(handler.terminated).toEqual(['AJ_1']));
    handler.end({ jobId: 'AJ_1', failed: true, reason: 'unsupported_language' });
    await vi.waitFor(() =>
      expect(last('updateJob')).toMatchObject({ status: JobStatus.JS_FAILED, error: 'unsupported_language' }),
    );
  });

  it('refuses politely', async () => {
    await registered();
    handler.accept = false;
    say({ case: 'availability', value: new AvailabilityRequest({ job: new Job({ id: 'AJ_2' }) }) });
    await vi.waitFor(() => expect(last('availability')).toMatchObject({ jobId: 'AJ_2', available: false }));
  });

  it('survives bytes that are no message, and registers again after the connection was lost', async () => {
    await registered();
    socket?.send(Buffer.from([0xff, 0xff, 0xff]));
    socket?.send('text');
    socket?.terminate();
    await vi.waitFor(() => expect(connection.registered).toBe(false));
    await vi.waitFor(() => expect(connection.registered).toBe(true), { timeout: 5_000 });
    expect(heard.filter((message) => message.case === 'register')).toHaveLength(2);
  });

  it('stops at once and for good', async () => {
    await registered();
    await Promise.all([connection.stop(), connection.stop()]);
    await vi.waitFor(() => expect(server.clients.size).toBe(0));
    expect(connection.registered).toBe(false);
  });
});

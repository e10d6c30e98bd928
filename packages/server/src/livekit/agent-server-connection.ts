import {
  AvailabilityResponse,
  type Job,
  JobStatus,
  JobType,
  RegisterWorkerRequest,
  ServerMessage,
  UpdateJobStatus,
  UpdateWorkerStatus,
  WorkerMessage,
  WorkerStatus,
} from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import WebSocket from 'ws';
import type { AgentJob, AgentJobHandler, JobEnd } from '../dispatch/agent-jobs.ts';
import { backoffMs } from '../dispatch/loop.ts';
import { agentMetadata, agentName } from '../dispatch/room-directory.ts';
import { asError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import { httpUrl } from './server-api.ts';
import type { LiveKitKeys } from './tokens.ts';

export interface AgentServerOptions {
  url: string;
  keys: LiveKitKeys;
  /** Name that dispatches ask for; empty takes every room of the server (automatic dispatch). */
  agentName: string;
  version: string;
  handler: AgentJobHandler;
  logger: Logger;
}

/** LiveKit's agent server protocol calls its client a worker; ours is a dispatcher that passes the work on. */
type Sent = NonNullable<ConstructorParameters<typeof WorkerMessage>[0]>['message'];

const connectTimeoutMs = 10_000;
const firstRetryMs = 500;
const maxRetryMs = 10_000;
const pingEveryMs = 5_000;
const loadEveryMs = 2_000;
/**
 * Load that is reported while jobs are taken: LiveKit passes over agent servers whose load reaches its target (0.7 by
 * default), and our queue takes rooms beyond our slots.
 */
const maxReportedLoad = 0.6;
/** The largest message read, bytes: a job carries a room with its metadata, which LiveKit limits to 512 KiB. */
const maxMessageBytes = 4 * 1024 * 1024;

/**
 * Registers with LiveKit as an agent server, so that `CreateDispatch`, tokens with `roomConfig.agents` and automatic
 * dispatch lead to us without webhooks. Stays connected: reconnects with backoff for ever.
 */
export class AgentServerConnection {
  readonly #options: AgentServerOptions;
  #socket: WebSocket | null = null;
  #retry: NodeJS.Timeout | undefined;
  #timers: NodeJS.Timeout[] = [];
  #unlisten: (() => void) | null = null;
  #failures = 0;
  #registered = false;
  #running = false;

  constructor(options: AgentServerOptions) {
    this.#options = options;
  }

  /** True while LiveKit knows us and would offer us jobs. */
  get registered(): boolean {
    return this.#registered;
  }

  /** Idempotent; does not wait for LiveKit. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#unlisten = this.#options.handler.onEnd((end) => this.#reportEnd(end));
    this.#timers = [
      setInterval(() => this.#ping(), pingEveryMs),
      setInterval(() => this.#reportLoad(), loadEveryMs),
    ];
    this.#connect();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#unlisten?.();
    clearTimeout(this.#retry);
    for (const timer of this.#timers) clearInterval(timer);
    const socket = this.#socket;
    if (socket === null) return;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    if (socket.readyState === WebSocket.OPEN) socket.close(1000);
    else socket.terminate();
    const force = setTimeout(() => socket.terminate(), 1_000);
    await closed;
    clearTimeout(force);
  }

  #connect(): void {
    this.#open().catch((error: unknown) => this.#lost(asError(error).message));
  }

  async #open(): Promise<void> {
    const { url, keys } = this.#options;
    const token = new AccessToken(keys.apiKey, keys.apiSecret, { ttl: 60 });
    token.addGrant({ agent: true });
    const authorization = `Bearer ${await token.toJwt()}`;
    if (!this.#running) return;
    const address = new URL(httpUrl(url).replace(/^http/, 'ws'));
    address.pathname = `${address.pathname.replace(/\/$/, '')}/agent`;
    const socket = new WebSocket(address, {
      headers: { authorization },
      handshakeTimeout: connectTimeoutMs,
      maxPayload: maxMessageBytes,
    });
    this.#socket = socket;
    let heard = true;
    let why = 'closed';
    socket.on('open', () => this.#register());
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('pong', () => {
      heard = true;
    });
    socket.on('ping', () => {
      heard = true;
    });
    socket.on('error', (error) => {
      why = error.message;
    });
    const alive = setInterval(() => {
      if (!heard) socket.terminate();
      heard = false;
    }, 2 * pingEveryMs);
    socket.on('close', () => {
      clearInterval(alive);
      this.#lost(why);
    });
  }

  #lost(why: string): void {
    const { logger } = this.#options;
    this.#socket = null;
    if (this.#registered || this.#failures === 0) {
      if (this.#running) logger.warn({ why }, 'not registered as an agent server with LiveKit; trying again');
    }
    this.#registered = false;
    if (!this.#running) return;
    this.#failures++;
    this.#retry = setTimeout(
      () => this.#connect(),
      backoffMs(this.#failures, firstRetryMs, maxRetryMs, Math.random),
    );
  }

  #register(): void {
    const { agentName: name, version } = this.#options;
    const value = new RegisterWorkerRequest({ type: JobType.JT_ROOM, agentName: name, version });
    this.#send({ case: 'register', value });
  }

  #receive(data: Buffer): void {
    try {
      this.#handle(ServerMessage.fromBinary(new Uint8Array(data)));
    } catch (error) {
      this.#options.logger.warn({ err: asError(error) }, 'a message of the agent protocol could not be read');
    }
  }

  #handle({ message }: ServerMessage): void {
    const { handler, logger, agentName: name } = this.#options;
    if (message.case === 'register') {
      this.#registered = true;
      this.#failures = 0;
      logger.info({ agentName: name }, 'registered with LiveKit as an agent server');
      this.#reportLoad();
    } else if (message.case === 'availability' && message.value.job) {
      this.#answer(toAgentJob(message.value.job)).catch((error: unknown) => {
        logger.error({ err: asError(error) }, 'an offered agent job was not answered');
      });
    } else if (message.case === 'assignment' && message.value.job) {
      const job = toAgentJob(message.value.job);
      handler.begin(job);
      this.#reportJob(job.id, JobStatus.JS_RUNNING);
      this.#reportLoad();
    } else if (message.case === 'termination') handler.terminate(message.value.jobId);
  }

  async #answer(job: AgentJob): Promise<void> {
    const { accept, reason } = await this.#options.handler.consider(job);
    if (!accept) this.#options.logger.info({ job: job.id, reason }, 'an agent job is refused');
    const value = new AvailabilityResponse({
      jobId: job.id,
      available: accept,
      // The agent that comes has an identity of its own for each lease; this one only names the job.
      participantIdentity: `agent-job-${job.id}`,
      participantName: agentName,
      participantMetadata: agentMetadata,
    });
    this.#send({ case: 'availability', value });
  }

  #reportEnd({ jobId, failed, reason }: JobEnd): void {
    this.#reportJob(jobId, failed ? JobStatus.JS_FAILED : JobStatus.JS_SUCCESS, failed ? reason : '');
  }

  #reportJob(jobId: string, status: JobStatus, error = ''): void {
    this.#send({ case: 'updateJob', value: new UpdateJobStatus({ jobId, status, error }) });
  }

  #reportLoad(): void {
    if (!this.#registered) return;
    const { full, load, jobs } = this.#options.handler.load();
    const status = full ? WorkerStatus.WS_FULL : WorkerStatus.WS_AVAILABLE;
    const shown = full ? 1 : Math.min(maxReportedLoad, load);
    this.#send({
      case: 'updateWorker',
      value: new UpdateWorkerStatus({ status, load: shown, jobCount: jobs }),
    });
  }

  #ping(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  /** What cannot be sent is not missed: after a reconnect LiveKit has forgotten what it knew of our jobs. */
  #send(message: NonNullable<Sent>): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(new WorkerMessage({ message }).toBinary());
  }
}

function toAgentJob(job: Job): AgentJob {
  return { id: job.id, room: job.room?.name ?? '', roomSid: job.room?.sid ?? '', metadata: job.metadata };
}

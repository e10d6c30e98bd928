import { z } from 'zod';
import { apiKeysSchema } from './api-keys.ts';
import { milliseconds, origin, settingDocs, url } from './setting-doc.ts';
import { speechSchema as speech } from './speech-schema.ts';

const livekit = z.strictObject({
  url: url(['ws:', 'wss:', 'http:', 'https:']).optional().register(settingDocs, {
    env: 'LIVEKIT_URL',
    flag: 'livekit-url',
    doc: 'Address of your LiveKit server. Without it `start` runs a livekit-server of its own on this machine.',
  }),
  publicUrl: url(['ws:', 'wss:', 'http:', 'https:']).optional().register(settingDocs, {
    defaultText: '`livekit.url`',
    doc: 'Address under which browsers reach that server, where it is another one: for people who join a room on the web pages.',
  }),
  apiKey: z.string().min(1).optional().register(settingDocs, {
    env: 'LIVEKIT_API_KEY',
    doc: 'API key of that server or LiveKit Cloud project.',
  }),
  apiSecret: z.string().min(1).optional().register(settingDocs, {
    env: 'LIVEKIT_API_SECRET',
    secret: 'all',
    doc: 'The secret that belongs to the API key.',
  }),
});

const log = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').register(settingDocs, {
    env: 'LOG_LEVEL',
    flag: 'log-level',
    doc: 'The least important log lines to print.',
  }),
  format: z.enum(['auto', 'pretty', 'json']).default('auto').register(settingDocs, {
    flag: 'log-format',
    doc: 'Form of log lines; `auto` is `pretty` on a terminal and `json` elsewhere.',
  }),
});

const rooms = z.strictObject({
  policy: z.enum(['demand', 'all']).default('demand').register(settingDocs, {
    flag: 'policy',
    doc: 'Which rooms are transcribed: `demand` for those that ask for it (API or room metadata), `all` for every room in which somebody has a microphone.',
  }),
  pollIntervalMs: milliseconds(500, 60_000).default(5_000).register(settingDocs, {
    doc: 'How often LiveKit is asked for its rooms, give or take 20 %. Rooms are found this way even without webhooks.',
  }),
});

const webhooks = z.strictObject({
  enabled: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether `POST /webhooks/livekit` is served. Webhooks only make DialogLens notice rooms sooner.',
  }),
});

const frontDoor = z.strictObject({
  enabled: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether DialogLens registers with LiveKit as an agent server, so that agent dispatch leads to it.',
  }),
  agentName: z.string().max(128).default('dialoglens').register(settingDocs, {
    flag: 'agent-name',
    doc: 'Name under which LiveKit’s agent dispatch finds DialogLens: `CreateDispatch`, `roomConfig.agents` of a token. Empty: every room of the server is transcribed (automatic dispatch).',
  }),
  whenFull: z.enum(['queue', 'refuse']).default('queue').register(settingDocs, {
    doc: 'What becomes of a dispatch while every slot is busy: its room waits in the queue, or the job is refused, so that another agent server may take it.',
  }),
});

const agent = z.strictObject({
  slots: z.int().min(1).max(200).default(10).register(settingDocs, {
    flag: 'slots',
    doc: 'How many rooms one worker serves at a time; further rooms wait in the queue.',
  }),
  region: z.string().min(1).max(64).optional().register(settingDocs, {
    flag: 'region',
    doc: 'Region or zone of this worker, such as `eu-west-1a`; the placement policy `spread` goes by it.',
  }),
  maxParticipants: z.int().min(1).max(1_000).default(50).register(settingDocs, {
    doc: 'How many speakers of one room are transcribed, unless the room asks for another number.',
  }),
  emptyRoomLeaveMs: milliseconds(1_000, 600_000).default(10_000).register(settingDocs, {
    doc: 'How long the agent stays in a room after the last human has left.',
  }),
  tracksPerSlot: z.int().min(1).max(1_000).default(8).register(settingDocs, {
    doc: 'How many audio tracks of one room a slot is good for; a room with more takes several slots.',
  }),
  maxEventLoopLagMs: milliseconds(20, 10_000).default(250).register(settingDocs, {
    doc: 'A worker takes no more rooms while it is later than this, for seconds on end, with what it has to do.',
  }),
  maxMemoryBytes: z.int().min(100_000_000).optional().register(settingDocs, {
    defaultText: '80 % of the memory of the container or machine',
    doc: 'A worker takes no more rooms while its process holds more memory than this.',
  }),
  screenShareAudio: z.boolean().default(false).register(settingDocs, {
    doc: 'Whether the sound of shared screens is transcribed too.',
  }),
  port: z.int().min(0).max(65_535).default(0).register(settingDocs, {
    doc: 'Port of a worker process for `/livez`, `/readyz` and `/metrics`, as `dialoglens agent --port`; 0 serves none.',
  }),
  drainDeadlineMs: milliseconds(0, 86_400_000).default(60_000).register(settingDocs, {
    flag: 'drain-deadline',
    doc: 'How long a worker process that is to end waits, in milliseconds, for its rooms to be handed over to others. Rooms it still has then are left without captions until another worker has a free slot.',
  }),
});

const dispatch = z.strictObject({
  queueLimit: z.int().min(1).max(100_000).default(1_000).register(settingDocs, {
    doc: 'How many rooms may wait for a free slot. A start over the API that would have to wait beyond it is refused (`queue_full`); rooms that ask by metadata, policy or agent dispatch still wait, without a position and with the reason `queue full`.',
  }),
  quarantineMs: milliseconds(1_000, 3_600_000).default(60_000).register(settingDocs, {
    doc: 'How long a room in which two workers died in a row is left alone, before it is tried on a worker that serves nothing else. It doubles with each further death. Starting the room over the API ends it.',
  }),
});

const placement = z.strictObject({
  policy: z.enum(['least-loaded', 'pack', 'spread']).default('least-loaded').register(settingDocs, {
    doc: 'Which worker a room is given to: `least-loaded` the one with the smallest share of used slots, `pack` the fullest that fits, so that others can be taken away, `spread` the least loaded of the region with the smallest share of used slots.',
  }),
});

const pool = z.strictObject({
  mode: z.enum(['external', 'local']).default('external').register(settingDocs, {
    flag: 'pool',
    doc: 'Who starts workers for a dispatcher: `local`, the dispatcher itself, as processes of its own machine; `external`, an autoscaler that reads `wantedAgents` at `/api/capacity` or the metric `dialoglens_agents_wanted`.',
  }),
  min: z.int().min(0).max(1_000).default(5).register(settingDocs, {
    flag: 'min-workers',
    doc: 'Fewest workers. 5 is for production; a worker holds many rooms, so 1 is enough on a laptop.',
  }),
  max: z.int().min(1).max(1_000).default(50).register(settingDocs, {
    flag: 'max-workers',
    doc: 'Most workers.',
  }),
  scaleUpAt: z.number().min(0.05).max(1).default(0.8).register(settingDocs, {
    doc: 'Share of used slots above which more workers are wanted. While rooms wait, more are wanted at once.',
  }),
  scaleDownAt: z.number().min(0).max(0.95).default(0.3).register(settingDocs, {
    doc: 'Share of used slots below which fewer workers are wanted.',
  }),
  intervalMs: milliseconds(1_000, 3_600_000).default(30_000).register(settingDocs, {
    doc: 'How often the number of workers is judged.',
  }),
});

const captions = z.strictObject({
  textStreams: z.boolean().default(true).register(settingDocs, {
    doc: 'Publish captions as `lk.transcription` text streams, which LiveKit’s own components show.',
  }),
  dataMessages: z.boolean().default(true).register(settingDocs, {
    doc: 'Publish captions as data messages on the topic `transcript`.',
  }),
  replayFinals: z.int().min(0).max(500).default(20).register(settingDocs, {
    doc: 'How many of the last final captions somebody who joins late is sent; 0 for none.',
  }),
});

const store = z.strictObject({
  journalMaxBytes: z.int().min(1_000_000).default(256_000_000).register(settingDocs, {
    doc: 'How much final text may wait on disk while the database is away.',
  }),
});

const redis = z.strictObject({
  prefix: z
    .string()
    .regex(
      /^[A-Za-z0-9._:-]{0,64}$/,
      'may have letters, digits, dots, colons, dashes and underscores, at most 64',
    )
    .default('')
    .register(settingDocs, {
      doc: 'Stands before every key and channel in Redis, such as `captions:`; the same for all processes of a cluster. For a Redis that others use too.',
    }),
});

const limits = z.strictObject({
  viewers: z.int().min(1).max(100_000).default(1_000).register(settingDocs, {
    doc: 'How many live viewers (server-sent events) may be connected at once.',
  }),
});

const api = z.strictObject({
  allowedOrigins: z.array(origin()).max(100).default([]).register(settingDocs, {
    doc: 'Web origins, such as `https://app.example`, whose pages may show captions of this server (`/embed.js`) and read rooms and sessions with a token. None unless given. Several are separated by commas in the environment.',
  }),
});

/** The settings of one process. */
export const configSchema = z.strictObject({
  livekit,
  host: z.string().min(1).default('127.0.0.1').register(settingDocs, {
    flag: 'host',
    doc: 'Address to listen on. Any address that other machines can reach needs `apiKeys`.',
  }),
  port: z.int().min(0).max(65_535).default(3010).register(settingDocs, {
    flag: 'port',
    doc: 'Port of the API; 0 takes any free one.',
  }),
  api,
  apiKeys: apiKeysSchema.default([]).register(settingDocs, {
    secret: 'all',
    doc: 'Keys that callers of the API send as `Authorization: Bearer …`, each of at least 16 characters: `secret`, `role:secret`, or in the file also `{ id, role, secret }` with an `id` for the audit log. A `viewer` reads, an `operator` also starts and stops, an `admin` may do everything; a key without a role is an admin’s. Several are separated by commas in the environment.',
  }),
  dataDir: z.string().min(1).register(settingDocs, {
    flag: 'data',
    defaultText: '`dialoglens` in `$XDG_DATA_HOME` or `~/.local/share`',
    doc: 'Folder for transcripts, when no `databaseUrl` is set, and for what must survive a restart.',
  }),
  cacheDir: z.string().min(1).register(settingDocs, {
    defaultText: '`dialoglens` in `$XDG_CACHE_HOME` or `~/.cache`',
    doc: 'Folder for what can be fetched again: speech models, livekit-server.',
  }),
  databaseUrl: url(['postgres:', 'postgresql:']).optional().register(settingDocs, {
    env: 'DATABASE_URL',
    secret: 'password',
    doc: 'PostgreSQL 15 or newer. Without it transcripts are kept in `dataDir`.',
  }),
  redisUrl: url(['redis:', 'rediss:']).optional().register(settingDocs, {
    env: 'REDIS_URL',
    secret: 'password',
    doc: 'Redis 6 or newer, for clusters of several processes; needs `databaseUrl` too. One `start` alone needs none.',
  }),
  workerId: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'may have letters, digits, dots, dashes and underscores, at most 64')
    .optional()
    .register(settingDocs, {
      env: 'WORKER_ID',
      defaultText: 'a new one at each start',
      doc: 'Name of this worker in rooms, metrics and logs.',
    }),
  log,
  rooms,
  webhooks,
  frontDoor,
  agent,
  dispatch,
  placement,
  pool,
  captions,
  speech,
  store,
  redis,
  limits,
});

export type Config = z.output<typeof configSchema>;

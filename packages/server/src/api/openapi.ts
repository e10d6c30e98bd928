import { systemClock } from '../clock.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { ApiDeps } from './ports.ts';
import { createApi } from './server.ts';

/** The OpenAPI document of this version. Needs no running process and is the same on every call. */
export async function openApiDocument(): Promise<object> {
  const api = createApi(inertDeps);
  await api.app.ready();
  try {
    return api.app.swagger();
  } finally {
    await api.stop('document made');
  }
}

const absent = () => Promise.reject(new Error('The document is made without a running system.'));

const unheard = () => () => undefined;

/** Routes are described, never called. */
const inertDeps: ApiDeps = {
  host: '127.0.0.1',
  port: 0,
  keys: [],
  cookieSecret: '',
  settings: () => {
    throw new Error('The document is made without a running system.');
  },
  store: {
    keys: { add: absent, revoke: absent, list: absent, used: absent },
    inbox: { accept: absent, prune: absent },
    operations: { moves: absent, addMeasures: absent, measures: absent },
    record: {
      openSession: absent,
      endSession: absent,
      openSessions: absent,
      getSession: absent,
      listSessions: absent,
      openTrack: absent,
      tracks: absent,
      writeFinals: absent,
      writeSpans: absent,
      segments: absent,
      recentSegments: absent,
      coverage: absent,
      search: absent,
    },
    corrections: {
      correctSegment: absent,
      undoSegment: absent,
      history: absent,
      speakers: absent,
      speakerNames: absent,
      correctSpeaker: absent,
      undoSpeaker: absent,
    },
    removal: { deleteSession: absent, removePerson: absent },
  },
  registry: { subscribe: unheard, onReport: unheard, onHint: unheard, publish: absent },
  control: {
    start: absent,
    setPriority: absent,
    reserve: absent,
    cancelReservation: absent,
    reservations: absent,
    stop: absent,
    rooms: absent,
    room: absent,
    agents: absent,
    drain: absent,
    capacity: absent,
  },
  webhooks: { receive: absent, handleRoomEvent: absent },
  tokens: null,
  exportFormats: {},
  readiness: absent,
  metricsText: absent,
  metrics: noMetrics,
  logger: silentLogger,
  clock: systemClock,
};

import { RoomServiceClient } from 'livekit-server-sdk';
import type {
  LiveParticipant,
  LiveRoom,
  ParticipantKind,
  RoomDirectory,
} from '../dispatch/room-directory.ts';
import { asError, DialogLensError } from '../errors.ts';
import { type LiveKitKeys, mintAgentToken } from './tokens.ts';

/** `ParticipantInfo.Kind` of LiveKit's protocol. */
const kinds: Record<number, ParticipantKind> = {
  0: 'standard',
  1: 'ingress',
  2: 'egress',
  3: 'sip',
  4: 'agent',
  7: 'connector',
};
/** `TrackType.AUDIO`, and the `TrackSource`s that are a voice: microphone, or unknown as SIP bridges leave it. */
const audioTrack = 0;
const voiceSources = [0, 2];
const requestTimeoutSeconds = 5;

/** LiveKit's server API as the dispatcher needs it. */
export function createRoomDirectory(url: string, keys: LiveKitKeys): RoomDirectory {
  const client = new RoomServiceClient(httpUrl(url), keys.apiKey, keys.apiSecret, {
    requestTimeout: requestTimeoutSeconds,
  });
  const call = <T>(work: () => Promise<T>) => work().catch((thrown) => Promise.reject(explain(thrown, url)));
  const unlessMissing = <T>(work: () => Promise<T>) =>
    call(work).then(
      () => true,
      (error: unknown) => {
        if (error instanceof DialogLensError && error.code === 'not_found') return false;
        throw error;
      },
    );
  return {
    listRooms: (names) => call(async () => (await client.listRooms(names)).map(toRoom)),
    listParticipants: (room) =>
      call(async () => (await client.listParticipants(room)).map(toParticipant)).catch((error: unknown) => {
        if (error instanceof DialogLensError && error.code === 'not_found') return [];
        throw error;
      }),
    updateMetadata: (room, metadata) => unlessMissing(() => client.updateRoomMetadata(room, metadata)),
    removeParticipant: (room, identity) => unlessMissing(() => client.removeParticipant(room, identity)),
    mintAgentToken: (grant) => mintAgentToken(keys, grant),
  };
}

/** `ws(s)://` as clients use it → `http(s)://` as the server API uses it. */
export function httpUrl(url: string): string {
  return url.replace(/^ws/, 'http');
}

type ServerRoom = Awaited<ReturnType<RoomServiceClient['listRooms']>>[number];
type ServerParticipant = Awaited<ReturnType<RoomServiceClient['listParticipants']>>[number];

function toRoom(room: ServerRoom): LiveRoom {
  return {
    name: room.name,
    sid: room.sid,
    metadata: room.metadata,
    participants: room.numParticipants,
    createdAtMs: Number(room.creationTime) * 1000,
  };
}

function toParticipant(participant: ServerParticipant): LiveParticipant {
  return {
    identity: participant.identity,
    name: participant.name,
    kind: kinds[participant.kind] ?? 'unknown',
    attributes: participant.attributes,
    hasAudio: participant.tracks.some(
      (track) => track.type === audioTrack && voiceSources.includes(track.source),
    ),
  };
}

/** Says which setting is wrong, as far as LiveKit's answer tells. */
function explain(thrown: unknown, url: string): DialogLensError {
  const error = asError(thrown);
  const status: unknown = Reflect.get(error, 'status');
  if (status === 404) return new DialogLensError('not_found', 'LiveKit has no such room or participant.');
  if (status === 401 || status === 403) return explainRefusal(error);
  return new DialogLensError('livekit_unreachable', `LiveKit at ${url} cannot be reached.`, {
    field: 'LIVEKIT_URL',
    remedy: 'Check LIVEKIT_URL and that the server is running and reachable from this machine.',
    cause: error,
  });
}

function explainRefusal(error: Error): DialogLensError {
  // LiveKit's own message quotes the whole token, so it is not passed on.
  // The server says "invalid API key" for a key it does not know, and speaks of the token otherwise.
  if (/api key/i.test(error.message)) {
    return new DialogLensError('livekit_key_unknown', 'LiveKit does not know this API key.', {
      field: 'LIVEKIT_API_KEY',
      remedy:
        'Set LIVEKIT_API_KEY to a key of this LiveKit server (its `keys:` section or your Cloud project).',
    });
  }
  return new DialogLensError('livekit_secret_wrong', 'LiveKit knows the API key but refuses the secret.', {
    field: 'LIVEKIT_API_SECRET',
    remedy:
      'Set LIVEKIT_API_SECRET to the secret that belongs to LIVEKIT_API_KEY; also check this machine’s clock.',
  });
}

import { AccessToken, TokenVerifier } from 'livekit-server-sdk';
import { agentIdentity, agentMetadata, agentName } from '../dispatch/room-directory.ts';

/** The key pair of a LiveKit project. Lives in dispatchers only. */
export interface LiveKitKeys {
  apiKey: string;
  apiSecret: string;
}

/**
 * Attribute of agents that publish for somebody else. Pages made for voice agents (`useVoiceAssistant`) take the first
 * participant of the kind `agent` without it for the one to talk to.
 */
const onBehalfAttribute = 'lk.publish_on_behalf';

/** An agent has this long to join with its token; the server renews it afterwards over the connection. */
const agentTokenTtlSeconds = 120;

/**
 * The join token of the agent that holds `epoch` of `room` (a room *name*: a SID would open a new empty room).
 * `kind: agent` is what lets it send text in a speaker's name and lets the room close when the humans left. The `agent`
 * grant is not given: it would let the bearer register as a worker.
 */
export function mintAgentToken(
  keys: LiveKitKeys,
  grant: { room: string; workerId: string; epoch: number },
): Promise<string> {
  const identity = agentIdentity(grant.workerId, grant.epoch);
  const token = new AccessToken(keys.apiKey, keys.apiSecret, {
    identity,
    name: agentName,
    metadata: agentMetadata,
    // It captions on behalf of whoever speaks. With an identity of another agent it would pass for that one's avatar.
    attributes: { [onBehalfAttribute]: identity },
    ttl: agentTokenTtlSeconds,
  });
  token.kind = 'agent';
  token.addGrant({
    room: grant.room,
    roomJoin: true,
    canSubscribe: true,
    canPublish: false,
    canPublishData: true,
    canUpdateOwnMetadata: true,
  });
  return token.toJwt();
}

/** A token for a human who wants to join `room`, as `dialoglens token` prints it. */
export function mintUserToken(
  keys: LiveKitKeys,
  grant: { room: string; identity: string; name?: string; admin?: boolean; ttlSeconds: number },
): Promise<string> {
  const token = new AccessToken(keys.apiKey, keys.apiSecret, {
    identity: grant.identity,
    name: grant.name ?? grant.identity,
    ttl: grant.ttlSeconds,
  });
  token.addGrant({ room: grant.room, roomJoin: true, roomAdmin: grant.admin ?? false });
  return token.toJwt();
}

/** What a LiveKit access token lets its bearer do with us. */
export interface AccessTokenClaims {
  identity: string;
  room: string | undefined;
  roomJoin: boolean;
  roomAdmin: boolean;
}

/** Checks tokens signed with the same key pair as the LiveKit server's. */
export function createAccessTokenVerifier(keys: LiveKitKeys): {
  /** Null when the token is not ours, is damaged or has expired. */
  verify(token: string): Promise<AccessTokenClaims | null>;
} {
  const verifier = new TokenVerifier(keys.apiKey, keys.apiSecret);
  return {
    async verify(token) {
      try {
        const claims = await verifier.verify(token);
        return {
          identity: claims.sub ?? '',
          room: claims.video?.room,
          roomJoin: claims.video?.roomJoin === true,
          roomAdmin: claims.video?.roomAdmin === true,
        };
      } catch {
        return null; // Why a stranger's token fails is the stranger's business; the caller answers 401.
      }
    },
  };
}

import { AccessToken } from 'livekit-server-sdk';
import type { LiveKitKeys } from '../livekit/tokens.ts';

/** A token for a voice agent as LiveKit Agents makes them: of the kind `agent`, with the state that pages show. */
export function mintVoiceAgentToken(
  { apiKey, apiSecret }: LiveKitKeys,
  { room, identity }: { room: string; identity: string },
): Promise<string> {
  const attributes = { 'lk.agent.state': 'listening' };
  const token = new AccessToken(apiKey, apiSecret, { identity, ttl: 600, attributes });
  token.kind = 'agent';
  token.addGrant({ room, roomJoin: true, canPublish: true, canSubscribe: true, canUpdateOwnMetadata: true });
  return token.toJwt();
}

import { RoomAgentDispatch, RoomConfiguration } from '@livekit/protocol';
import { AccessToken, AgentDispatchClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { energyDetector } from '../audio/energy-detector.ts';
import { httpUrl } from '../livekit/server-api.ts';
import { type HeardCaption, Speaker } from '../livekit/speaker.ts';
import { sayAt } from '../stt/providers/scripted/script.ts';
import { createScriptedProvider } from '../stt/providers/scripted/scripted-provider.ts';
import { type LiveStack, startLiveStack } from '../testing/live-stack.ts';
import type { SpeechParts } from './speech.ts';

const patience = { timeout: 15_000, interval: 50 };

function scriptedSpeech(): SpeechParts {
  const engine = createScriptedProvider({ words: sayAt(500, 'alpha bravo charlie delta', 200) });
  return {
    provider: () => engine,
    makeDetector: energyDetector,
    check: () => undefined,
    stop: () => engine.stop(),
  };
}

/**
 * livekit-server 1.13.5 now and then answers a call about a dispatch with "size mismatch", because it changes the dispatch
 * while it writes the answer. The dispatch was made all the same.
 */
const raced = (error: unknown) => {
  if (!/size mismatch/.test(String(error))) throw error;
};

/** Somebody with a microphone, captioned: the proof that the room has its agent. */
async function expectCaptions(stack: LiveStack, room: string, token?: string): Promise<Speaker> {
  const captions: HeardCaption[] = [];
  const heard = (caption: HeardCaption) => captions.push(caption);
  const { url } = stack.livekit;
  const speaker =
    token === undefined
      ? await stack.join(room, 'ana', heard)
      : await Speaker.join({ url, token, identity: 'ana', onCaption: heard });
  await speaker.publish();
  const talking = speaker.silence(60_000, AbortSignal.timeout(10_000));
  await vi.waitFor(() => expect(captions.at(-1)?.text).toMatch(/alpha bravo/), patience);
  talking.catch(() => undefined); // Cut short when the speaker leaves.
  return speaker;
}

describe('agent dispatch of a real LiveKit, webhooks off', () => {
  let stack: LiveStack;
  let dispatches: AgentDispatchClient;
  beforeAll(async () => {
    stack = await startLiveStack({ webhooks: false, speech: scriptedSpeech(), flags: { slots: '3' } });
    const { url, apiKey, apiSecret } = stack.livekit;
    dispatches = new AgentDispatchClient(httpUrl(url), apiKey, apiSecret);
    await vi.waitFor(async () => {
      const { checks } = (await (await fetch(`${stack.api}/readyz`)).json()) as { checks: object };
      expect(checks).toMatchObject({ 'agent dispatch': { ok: true } });
    }, patience);
  }, 120_000);
  afterAll(() => stack?.stop());

  it('transcribes a room that CreateDispatch names, with its settings', async () => {
    const metadata = JSON.stringify({ language: 'en-GB', hints: ['Nairobi'] });
    await dispatches.createDispatch('created', 'dialoglens', { metadata }).catch(raced);
    const speaker = await expectCaptions(stack, 'created');
    const view = await stack.app.store.demands.get('created');
    expect(view).toMatchObject({ source: 'dispatch', settings: { language: 'en-GB', hints: ['Nairobi'] } });
    await speaker.leave();
  }, 60_000);

  it('transcribes a room whose token asks for the agent', async () => {
    const { apiKey, apiSecret } = stack.livekit;
    const token = new AccessToken(apiKey, apiSecret, { identity: 'ana' });
    token.addGrant({ roomJoin: true, room: 'by token' });
    token.roomConfig = new RoomConfiguration({
      agents: [new RoomAgentDispatch({ agentName: 'dialoglens' })],
    });
    const speaker = await expectCaptions(stack, 'by token', await token.toJwt());
    await speaker.leave();
  }, 60_000);

  it('leaves a room alone that asks for another agent', async () => {
    await dispatches.createDispatch('foreign', 'somebody-else').catch(raced);
    const speaker = await stack.join('foreign', 'ana');
    await speaker.publish();
    await fetch(`${stack.api}/api/rooms/asked/start-transcription`, { method: 'POST' });
    expect(await stack.app.store.demands.get('foreign')).toBeNull();
    expect(await stack.app.store.demands.get('asked')).not.toBeNull();
    await speaker.leave();
  }, 60_000);
});

describe('automatic dispatch', () => {
  let stack: LiveStack;
  beforeAll(async () => {
    stack = await startLiveStack({ webhooks: false, speech: scriptedSpeech(), flags: { agentName: '' } });
  }, 120_000);
  afterAll(() => stack?.stop());

  it('transcribes every room of the server', async () => {
    await vi.waitFor(async () => {
      const { checks } = (await (await fetch(`${stack.api}/readyz`)).json()) as { checks: object };
      expect(checks).toMatchObject({ 'agent dispatch': { ok: true } });
    }, patience);
    await expectCaptions(stack, 'any room');
  }, 60_000);
});

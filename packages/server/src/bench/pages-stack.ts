import type { RoomView } from '@dialoglens/protocol';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createApi } from '../api/server.ts';
import { findWebFolder } from '../app/web-folder.ts';
import { systemClock } from '../clock.ts';
import { findChromium } from '../testing/chromium-program.ts';
import { FakeApiPorts, fakeSegment, fakeSession } from '../testing/fake-api-ports.ts';

export const room = 'standup';
export const sessionId = 'ses_1';

/** Words as long as people speak in one go: between one and five lines. */
const sentence = 'what was said here is as long as what people say in one go before somebody else begins ';

/** The real pages and the real API over a record in memory, with a tab of a real Chromium. */
export interface PagesStack {
  ports: FakeApiPorts;
  page: Page;
  stop(): Promise<void>;
}

/** A session of `segments` finals by six speakers. */
export async function startPagesStack(segments: number): Promise<PagesStack> {
  const folder = findWebFolder();
  if (folder === null) throw new Error('The pages have not been built: run "npm run build".');
  const ports = new FakeApiPorts(systemClock);
  const session = fakeSession({ id: sessionId, room });
  ports.sessions.set(sessionId, session);
  for (let i = 0; i < segments; i++) {
    const speaker = `speaker ${i % 6}`;
    const text = `${i}. ${sentence.repeat(1 + (i % 5))}`;
    const startedAt = session.startedAt + i * 4_000;
    ports.finals.push(
      fakeSegment({ id: `seg_${i}`, sessionId, room, identity: speaker, speaker, text, startedAt }),
    );
  }
  const deps = ports.deps({ web: { folder, connectTo: [] } });
  const api = createApi({ ...deps, control: { ...deps.control, room: async () => liveRoom } });
  const { url } = await api.start();
  let browser: Browser | null = null;
  const stop = async () => {
    await browser?.close();
    await api.stop('measured');
  };
  try {
    // Chromium's sandbox needs rights that containers do not give.
    browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
    const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 800 } });
    return { ports, page: await context.newPage(), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

const liveRoom: RoomView = {
  ...{ room, status: 'active', reason: 'listening', demand: null, agentId: 'agt_1', epoch: 1 },
  ...{ sessionId, queuePosition: null, since: 1 },
};

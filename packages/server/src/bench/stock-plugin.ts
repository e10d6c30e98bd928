/** The process that uses a plugin as LiveKit Agents does: one stream, the plugin's own repair, and what comes of it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface StockWork {
  folder: string;
  package: string;
  options: Record<string, unknown>;
  pcm: Int16Array;
}

interface Stream extends AsyncIterable<{ type: number; alternatives?: { text: string }[] }> {
  pushFrame(frame: object): void;
  endInput(): void;
  close(): void;
}

const frameSamples = 800;
const finalType = 2;
/** For the last finals, and for what waited while the plugin waited before it connected again. */
const lingerMs = 15_000;

process.on('message', (work: StockWork) => {
  void run(work).then((texts) => process.send?.(texts));
});
process.on('disconnect', () => process.exit());

async function run({ folder, package: name, options, pcm }: StockWork): Promise<string[]> {
  const load = createRequire(join(folder, 'package.json'));
  const [agentsPackage, clientPackage] = ['@livekit/agents', '@livekit/rtc-node'];
  load(agentsPackage).initializeLogger({ pretty: false, level: 'silent' });
  const { AudioFrame } = load(clientPackage) as { AudioFrame: new (...args: unknown[]) => object };
  const { STT } = load(name) as {
    STT: new (options: object) => { stream(): Stream; on: (name: 'error', f: () => void) => void };
  };
  const stt = new STT(options);
  stt.on('error', () => undefined);
  const stream = stt.stream();
  const texts: string[] = [];
  const reading = (async () => {
    for await (const { type, alternatives } of stream) {
      if (type === finalType) texts.push(alternatives?.[0]?.text ?? '');
    }
  })();
  const beganMs = performance.now();
  for (let at = 0; at < pcm.length; at += frameSamples) {
    const frame = pcm.slice(at, at + frameSamples);
    stream.pushFrame(new AudioFrame(frame, 16_000, 1, frame.length));
    await delay(Math.max(0, beganMs + at / 16 - performance.now()));
  }
  await delay(lingerMs);
  stream.endInput();
  await Promise.race([reading, delay(lingerMs)]);
  stream.close();
  return texts;
}

import type { SttEvent, SttProvider } from '../../stt/stt.ts';
import type { Finding } from '../finding.ts';

const silence = new Int16Array(8_000);
const answerWithinMs = 10_000;

/**
 * Asks a cloud provider with half a second of silence whether it would take us: credentials, model, region and language
 * are right then. Starts and stops the provider. @throws what `start` and `open` throw
 */
export async function probeProvider(provider: SttProvider, language: string): Promise<Finding> {
  const faults: string[] = [];
  const onEvent = (event: SttEvent) => {
    if (event.type === 'fault') faults.push(event.message);
  };
  const hints = { hints: [], startSample: 0, wantPartials: false, wantWords: false };
  await provider.start();
  try {
    const session = provider.open({ trackId: 'doctor', language, ...hints }, onEvent);
    session.write(silence, 0, false);
    const isDone = await within(session.finish(), answerWithinMs);
    session.close();
    const [fault] = faults;
    if (fault !== undefined) return { state: 'wrong', text: fault };
    if (isDone) return { state: 'ok', text: 'takes our audio' };
    const text = `does not answer within ${answerWithinMs / 1_000} s`;
    return { state: 'wrong', text, remedy: 'Check the network between here and the service.' };
  } finally {
    await provider.stop();
  }
}

async function within(done: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  return Promise.race([done.then(() => true), late]).finally(() => clearTimeout(timer));
}

import { setTimeout as pause } from 'node:timers/promises';
import { asError } from '../errors.ts';
import { LiveView } from './live-view.ts';
import { untilSignal } from './shutdown.ts';

/** How a picture is shown. */
export interface PictureOptions {
  watch?: boolean;
  json?: boolean;
}

const everyMs = 1_000;

/** Shows a picture once, or with `watch` again and again until Ctrl-C. */
export async function showPicture<T>(
  { watch = false, json = false }: PictureOptions,
  read: () => Promise<T>,
  linesOf: (picture: T, width: number) => string[],
): Promise<void> {
  const view = new LiveView(process.stdout);
  const show = (picture: T) => {
    if (json) console.log(JSON.stringify(picture, null, watch ? 0 : 2));
    else view.draw(linesOf(picture, view.width));
  };
  show(await read());
  if (!watch) return;
  const stopped = new AbortController();
  void untilSignal().then(() => stopped.abort());
  let last = '';
  while (!stopped.signal.aborted) {
    // Waking up early means that somebody pressed Ctrl-C: the condition of the loop sees to it.
    await pause(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    if (stopped.signal.aborted) break;
    // A server that is being restarted comes back; until then its trouble is the picture.
    const picture = await read().catch(asError);
    if (picture instanceof Error) view.draw([picture.message]);
    else if (!json || JSON.stringify(picture) !== last) show(picture);
    last = JSON.stringify(picture);
  }
  process.exit(0);
}

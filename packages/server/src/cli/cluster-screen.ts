import { setTimeout as pause } from 'node:timers/promises';
import pc from 'picocolors';
import type { Cluster } from '../app/cluster.ts';
import { type ClusterPicture, ClusterPictures, changedLines, clusterLines } from './cluster-view.ts';
import { LiveView } from './live-view.ts';

const drawEveryMs = 1_000;

/** The table on a terminal, lines of what changes elsewhere. */
export class ClusterScreen {
  readonly #cluster: Cluster;
  readonly #pictures: ClusterPictures;
  readonly #view = new LiveView(process.stdout);
  #picture: ClusterPicture | null = null;
  #note: string | null = null;

  constructor(cluster: Cluster, key: string | undefined) {
    this.#cluster = cluster;
    this.#pictures = new ClusterPictures(key);
  }

  /** Says something below the table. */
  note(text: string): void {
    this.#note = text;
    if (!process.stdout.isTTY) console.log(text);
    else if (this.#picture) this.#draw(this.#picture);
  }

  async show(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const picture = await this.#pictures.read(this.#cluster.dispatchers.map(({ view }) => view));
      if (process.stdout.isTTY) this.#draw(picture);
      else for (const line of changedLines(this.#picture, picture)) console.log(line);
      this.#picture = picture;
      // Waking up early means that all has ended: the condition of the loop sees to it.
      await pause(drawEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #draw(picture: ClusterPicture): void {
    const note = this.#note === null ? [] : ['', pc.yellow(this.#note.slice(0, this.#view.width))];
    this.#view.draw([...clusterLines(picture, this.#view.width), ...note]);
  }
}

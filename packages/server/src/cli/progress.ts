import { spinner } from '@clack/prompts';

/** Says what a long step is doing. */
export interface Step {
  update(text: string): void;
}

/** Runs `work` under a title: a spinner on a terminal, plain lines elsewhere. What it throws goes through. */
export async function step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
  if (!process.stdout.isTTY) {
    console.log(title);
    return work({ update: (text) => console.log(`  ${text}`) });
  }
  const spin = spinner();
  spin.start(title);
  try {
    const result = await work({ update: (text) => spin.message(`${title}: ${text}`) });
    spin.stop(title);
    return result;
  } catch (thrown) {
    spin.error(title);
    throw thrown;
  }
}

/** `12.3 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

import { type ChildProcess, fork } from 'node:child_process';
import { builtProgram } from '../../../built-program.ts';
import { DialogLensError } from '../../../errors.ts';
import type { FromHost, ToHost } from './host-messages.ts';
import type { PluginCall, StreamMessage } from './plugin-session.ts';
import type { PluginSettings } from './plugin-settings.ts';

const program = builtProgram('stt/providers/livekit-plugin/plugin-host.js');
const loadWithinMs = 60_000;
/** Packages that every plugin builds on, in versions that fit each other. */
const companions = ['@livekit/agents@1', '@livekit/rtc-node@0.13'];

/** The process that runs the plugin, with the streams that are open in it. */
export class PluginProcess {
  readonly #child: ChildProcess;
  readonly #streams = new Map<number, (message: StreamMessage) => void>();
  readonly #loaded: Promise<void>;
  #opened = 0;
  #isGone = false;

  constructor(settings: PluginSettings, onGone: () => void) {
    this.#child = fork(program, { serialization: 'advanced', stdio: 'ignore' });
    this.#loaded = this.#load(settings);
    this.#loaded.catch(() => this.#child.kill());
    this.#child.on('message', (message: FromHost) => {
      if ('stream' in message) this.#streams.get(message.stream)?.(message);
    });
    this.#child.once('exit', () => this.#gone(onGone));
    // Every message that a process cannot take any more is an error of its own.
    this.#child.on('error', () => this.#gone(onGone));
  }

  /** Resolves when the plugin is loaded. @throws DialogLensError `plugin_unusable` saying what to install or set */
  loaded(): Promise<void> {
    return this.#loaded;
  }

  open(
    wish: Omit<Extract<ToHost, { do: 'open' }>, 'do' | 'stream'>,
    onMessage: (message: StreamMessage) => void,
  ): PluginCall {
    this.#opened += 1;
    const stream = this.#opened;
    this.#streams.set(stream, (message) => {
      if (message.tell === 'fault' || message.tell === 'finished') this.#streams.delete(stream);
      onMessage(message);
    });
    this.#tell({ do: 'open', stream, ...wish });
    return {
      hear: (pcm) => this.#tell({ do: 'hear', stream, pcm }),
      finish: () => this.#tell({ do: 'finish', stream }),
      close: () => {
        this.#streams.delete(stream);
        this.#tell({ do: 'close', stream });
      },
    };
  }

  async stop(): Promise<void> {
    if (this.#isGone) return;
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill();
    await gone;
  }

  #tell(message: ToHost): void {
    if (!this.#isGone && this.#child.connected) this.#child.send(message);
  }

  #load(settings: PluginSettings): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(unusable(settings, `${settings.package} was not loaded in time`)),
        loadWithinMs,
      );
      const refuse = (why: string) => {
        clearTimeout(timer);
        reject(unusable(settings, `the process that loads ${settings.package} ${why}`));
      };
      this.#child.once('exit', () => refuse('ended'));
      // A process that never began does not end either.
      this.#child.once('error', ({ code, message }: NodeJS.ErrnoException) => {
        refuse(`failed (${code ?? message})`);
      });
      this.#child.on('message', (message: FromHost) => {
        if (message.tell !== 'loaded' && message.tell !== 'failed') return;
        clearTimeout(timer);
        const error = loadError(settings, message);
        if (error) reject(error);
        else resolve();
      });
      this.#tell({ do: 'load', ...settings });
    });
  }

  #gone(onGone: () => void): void {
    if (this.#isGone) return;
    this.#isGone = true;
    for (const [stream, onMessage] of [...this.#streams]) {
      onMessage({ tell: 'fault', stream, kind: 'transient', message: 'The process of the plugin ended.' });
    }
    this.#streams.clear();
    onGone();
  }
}

function loadError(settings: PluginSettings, message: FromHost): DialogLensError | null {
  if (message.tell === 'loaded') {
    if (message.streaming) return null;
    return unusable(
      settings,
      `${settings.package} takes whole recordings only`,
      'Choose a plugin that streams.',
    );
  }
  if (message.tell !== 'failed') return null;
  switch (message.why) {
    case 'missing':
      return unusable(
        settings,
        `${message.message.replaceAll(' ', ', ')} not found in ${settings.folder}`,
        install(settings),
      );
    case 'version':
      return unusable(settings, message.message, install(settings));
    case 'plugin':
      return unusable(
        settings,
        message.message,
        'Correct speech.livekitPlugin.options, or install another version.',
      );
  }
}

function install({ package: name, folder }: PluginSettings): string {
  return `Install it with \`npm install --prefix ${folder} ${[name, ...companions].join(' ')}\`.`;
}

function unusable(settings: PluginSettings, why: string, remedy?: string): DialogLensError {
  return new DialogLensError('plugin_unusable', `The speech plugin cannot be used: ${why}.`, {
    field: 'speech.livekitPlugin.package',
    remedy: remedy ?? install(settings),
  });
}

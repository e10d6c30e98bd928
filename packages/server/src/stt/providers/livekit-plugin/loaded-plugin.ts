import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { FromHost, ToHost } from './host-messages.ts';

/** What is used of `@livekit/agents` and its plugins, whose types are those of whatever version is installed. */
export interface AgentsSpeechData {
  text: string;
  startTime?: number;
  endTime?: number;
  confidence?: number;
  language?: string;
  words?: { text: string; startTime?: number; endTime?: number; confidence?: number }[];
}

export interface AgentsSpeechStream
  extends AsyncIterable<{ type: number; alternatives?: AgentsSpeechData[] }> {
  pushFrame(frame: object): void;
  flush(): void;
  endInput(): void;
  close(): void;
}

export interface AgentsStt {
  readonly capabilities: { streaming: boolean; interimResults: boolean };
  stream(options: { connOptions: object }): AgentsSpeechStream;
  on(event: 'error', listener: (error: { error: Error }) => void): void;
}

export interface LoadedPlugin {
  make(options: Record<string, unknown>): AgentsStt;
  frame(pcm: Int16Array): object;
  events: { start: number; partial: number; final: number; end: number };
  options: Record<string, unknown>;
}

interface Agents {
  initializeLogger(options: { pretty: boolean; level: string }): void;
  AudioEnergyFilter?: { prototype: { pushFrame: () => boolean } };
}

/** What plugins build on; theirs, not what this program may have. */
const agentsPackage = '@livekit/agents';
const clientPackage = '@livekit/rtc-node';
/** The major version this is written for. */
const agentsMajor = 1;

/** Loads the plugin from the folder it is installed in. What goes wrong is told, and nothing is loaded then. */
export function loadPlugin(
  { package: name, folder, options }: Extract<ToHost, { do: 'load' }>,
  tell: (message: FromHost) => void,
): LoadedPlugin | null {
  const load = createRequire(join(folder, 'package.json'));
  const fail = (why: 'missing' | 'version' | 'plugin', message: string) => {
    tell({ tell: 'failed', why, message });
    return null;
  };
  const missing = [agentsPackage, clientPackage, name].filter((one) => versionOf(load, one) === null);
  if (missing.length > 0) return fail('missing', missing.join(' '));
  const agentsVersion = versionOf(load, agentsPackage) ?? '';
  if (Number.parseInt(agentsVersion, 10) !== agentsMajor) {
    return fail('version', `@livekit/agents ${agentsVersion} is installed; version ${agentsMajor} is needed`);
  }
  try {
    const agents = load(agentsPackage) as Agents;
    agents.initializeLogger({ pretty: false, level: 'silent' });
    // Plugins leave silence out by this, and then tell times as if it had not been there.
    if (agents.AudioEnergyFilter) agents.AudioEnergyFilter.prototype.pushFrame = () => true;
    const { AudioFrame } = load(clientPackage) as {
      AudioFrame: new (pcm: Int16Array, sampleRate: number, channels: number, samples: number) => object;
    };
    const { STT } = load(name) as { STT?: new (options: Record<string, unknown>) => AgentsStt };
    if (STT === undefined) return fail('plugin', `${name} has no speech-to-text (it exports no STT)`);
    const make = (more: Record<string, unknown>) => new STT(more);
    // Wrong options show at once and not with the first word.
    const { streaming, interimResults } = make(options).capabilities;
    const plugin = versionOf(load, name) ?? '';
    tell({ tell: 'loaded', agents: agentsVersion, plugin, streaming, partials: interimResults });
    const events = { start: 0, partial: 1, final: 2, end: 3 };
    return { make, options, events, frame: (pcm) => new AudioFrame(pcm, 16_000, 1, pcm.length) };
  } catch (thrown) {
    return fail('plugin', thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function versionOf(load: NodeJS.Require, name: string): string | null {
  const files = (load.resolve.paths(name) ?? []).map((folder) => join(folder, name, 'package.json'));
  const file = files.find((one) => existsSync(one));
  if (file === undefined) return null;
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
  return version ?? 'unknown';
}

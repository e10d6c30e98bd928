/**
 * The process that runs a speech plugin of LiveKit Agents. Plugins bring versions of their own of LiveKit's native client,
 * which a process can hold once, and hundreds of megabytes; none of that comes near the rest of DialogLens.
 */

import type { FromHost, ToHost } from './host-messages.ts';
import { type LoadedPlugin, loadPlugin } from './loaded-plugin.ts';
import { PluginStream } from './plugin-stream.ts';

let plugin: LoadedPlugin | null = null;
const streams = new Map<number, PluginStream>();

function tell(message: FromHost): void {
  if (process.connected) process.send?.(message);
}

process.on('message', (message: ToHost) => {
  switch (message.do) {
    case 'load':
      plugin = loadPlugin(message, tell);
      return;
    case 'open':
      if (plugin) streams.set(message.stream, new PluginStream(plugin, message, tell));
      return;
    case 'hear':
      streams.get(message.stream)?.hear(message.pcm);
      return;
    case 'finish':
      void finish(message.stream);
      return;
    case 'close':
      streams.get(message.stream)?.close();
      streams.delete(message.stream);
  }
});
// Nobody is left to work for.
process.on('disconnect', () => process.exit());

async function finish(number: number): Promise<void> {
  const stream = streams.get(number);
  await stream?.finish();
  streams.delete(number);
  tell({ tell: 'finished', stream: number });
}

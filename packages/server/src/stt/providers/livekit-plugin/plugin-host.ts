/**
 * The process that runs a speech plugin of LiveKit Agents. Plugins bring versions of their own of LiveKit's native client,
 * which a process can hold once, and hundreds of megabytes; none of that comes near the rest of DialogLens.
 */

import type { FromHost, ToHost } from './host-messages.ts';
import { type LoadedPlugin, loadPlugin } from './loaded-plugin.ts';
import { PluginStreams } from './plugin-streams.ts';

let plugin: LoadedPlugin | null = null;
const streams = new PluginStreams(tell);

function tell(message: FromHost): void {
  if (process.connected) process.send?.(message);
}

process.on('message', (message: ToHost) => {
  switch (message.do) {
    case 'load':
      plugin = loadPlugin(message, tell);
      return;
    case 'open':
      if (plugin) streams.open(plugin, message);
      return;
    case 'hear':
      streams.hear(message.stream, message.pcm);
      return;
    case 'finish':
      void streams.finish(message.stream);
      return;
    case 'close':
      streams.close(message.stream);
  }
});
// Nobody is left to work for.
process.on('disconnect', () => process.exit());

import { portsOf } from './process-ports.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import { startUdpRelay } from './udp-relay.ts';

/** Where media is sent to: another address of loopback than the one livekit-server listens at. */
export const networkAddress = '127.0.0.2';

/** The network between a livekit-server and its clients, with one process that can be cut off from it. */
export interface LiveKitNetwork {
  /** LiveKit's URL for whoever may be cut off. */
  url: string;
  /** Nothing of this process reaches LiveKit any more, nor the other way, and nobody is told; null mends it. */
  cutOff(pid: number | null): Promise<void>;
  dispose(): Promise<void>;
}

export async function startLiveKitNetwork(livekit: {
  url: string;
  udpPort: number;
}): Promise<LiveKitNetwork> {
  const url = new URL(livekit.url);
  const media = await startUdpRelay(networkAddress, livekit.udpPort);
  const signals = await startTcpProxy(Number(url.port));
  url.port = String(signals.port);
  return {
    url: url.href,
    async cutOff(pid) {
      if (pid === null) {
        signals.unmute();
        return media.lose(null);
      }
      const isItsPort = async (port: number) => (await portsOf(pid)).has(port);
      await Promise.all([signals.muteClients(isItsPort), media.lose(isItsPort)]);
    },
    async dispose() {
      await signals.dispose();
      await media.dispose();
    },
  };
}

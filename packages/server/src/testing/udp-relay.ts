import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Whether what comes from, and goes to, this port of a client is lost. */
export type IsCutOff = (clientPort: number) => Promise<boolean>;

/** A way for datagrams to a server on loopback, on which they can be lost. */
export interface UdpRelay {
  /** From now on the datagrams of some clients are lost, in either direction; null lets all pass again. */
  lose(isCutOff: IsCutOff | null): Promise<void>;
  dispose(): Promise<void>;
}

interface Flow {
  far: Socket;
  clientPort: number;
  isCut: boolean;
}

/** Takes datagrams at an address of its own and passes them on to the same port of 127.0.0.1, and answers back. */
export async function startUdpRelay(address: string, port: number): Promise<UdpRelay> {
  const near = createSocket('udp4');
  const flows = new Map<string, Flow>();
  let isCutOff: IsCutOff | null = null;
  const judge = async (flow: Flow) => {
    const isCut = isCutOff !== null && (await isCutOff(flow.clientPort));
    flow.isCut = isCut;
  };
  const open = (client: string, clientPort: number): Flow => {
    // Of a new one all is lost until it is known whose it is.
    const flow: Flow = { far: createSocket('udp4'), clientPort, isCut: isCutOff !== null };
    flow.far.on('message', (data) => {
      if (!flow.isCut) near.send(data, clientPort, client);
    });
    flows.set(`${client}:${clientPort}`, flow);
    // A client that ended meanwhile has no ports any more.
    judge(flow).catch(() => undefined);
    return flow;
  };
  near.on('message', (data, { address: client, port: clientPort }) => {
    const flow = flows.get(`${client}:${clientPort}`) ?? open(client, clientPort);
    if (!flow.isCut) flow.far.send(data, port, '127.0.0.1');
  });
  near.bind(port, address);
  await once(near, 'listening');
  return {
    async lose(which) {
      isCutOff = which;
      await Promise.all([...flows.values()].map(judge));
    },
    async dispose() {
      for (const { far } of flows.values()) far.close();
      near.close();
      await once(near, 'close');
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from '../scene.ts';
import type { Cell } from './cell.ts';

const dropShare = 0.1;

/** Faults of brokers and of the network between them and the apps. */
export const brokerCells: readonly Cell[] = [
  {
    name: 'broker-kill',
    says: 'kill -9 of each of three brokers in turn, controller and coordinators among them',
    brokers: 3,
    withinSeconds: 40,
    disturb: killBrokersInTurn,
  },
  {
    name: 'broker-stop',
    says: 'SIGSTOP of one of three brokers for 10 s',
    brokers: 3,
    withinSeconds: 40,
    disturb: stopBroker,
  },
  {
    name: 'broker-late',
    says: 'the broker is down when the apps start',
    brokers: 1,
    withinSeconds: 40,
    before: async ({ cluster, fault }) => {
      await cluster.nodes[0]!.kill();
      fault('broker down at start');
      void sleep(4_000).then(() => cluster.nodes[0]!.start());
    },
  },
  {
    name: 'net-cut',
    says: 'every connection is cut for 2 s, three times',
    brokers: 1,
    withinSeconds: 25,
    disturb: (scene) => links(scene, { state: 'cut', ms: 2_000, times: 3 }),
  },
  {
    name: 'net-silent',
    says: 'connections stay open and carry nothing for 12 s',
    brokers: 1,
    withinSeconds: 50,
    disturb: (scene) => links(scene, { state: 'silent', ms: 12_000, times: 1 }),
  },
  {
    name: 'net-slow',
    says: '100 ms more in each direction for a third of the stream',
    brokers: 1,
    withinSeconds: 25,
    disturb: slowLinks,
  },
  {
    name: 'aborts',
    says: 'one in ten ends of a transaction, of any app, never reaches the coordinator: all of them abort side by side',
    brokers: 1,
    withinSeconds: 25,
    disturb: dropEnds,
  },
];

async function killBrokersInTurn({ cluster, at, fault }: Scene): Promise<void> {
  for (const [turn, node] of cluster.nodes.entries()) {
    await at(0.1 + 0.3 * turn);
    await node.kill();
    fault(`broker ${turn + 1} killed`);
    await sleep(6_000);
    await node.start();
    await sleep(4_000);
  }
}

async function stopBroker({ cluster, at, fault, random }: Scene): Promise<void> {
  await at(0.2);
  const node = cluster.nodes[Math.floor(random() * cluster.nodes.length)]!;
  node.signal('SIGSTOP');
  fault('broker stopped');
  await sleep(10_000);
  node.signal('SIGCONT');
  fault('broker goes on');
}

interface LinkFault {
  readonly state: 'cut' | 'silent';
  readonly ms: number;
  readonly times: number;
}

async function links({ cluster, at, fault }: Scene, { state, ms, times }: LinkFault): Promise<void> {
  for (let turn = 0; turn < times; turn++) {
    await at(0.15 + (0.7 * turn) / times);
    for (const { proxy } of cluster.nodes) proxy.set(state);
    fault(`connections ${state}`);
    await sleep(ms);
    for (const { proxy } of cluster.nodes) proxy.set('open');
  }
}

async function slowLinks({ cluster, at, fault }: Scene): Promise<void> {
  await at(0.3);
  for (const { proxy } of cluster.nodes) proxy.latencyMs = 100;
  fault('100 ms more each way');
  await at(0.65);
  for (const { proxy } of cluster.nodes) proxy.latencyMs = 0;
}

async function dropEnds({ cluster, at, fault, random }: Scene): Promise<void> {
  await at(0.1);
  fault('ends of transactions are dropped');
  for (const { proxy } of cluster.nodes)
    proxy.onExchange = ({ apiKey, when }) => (apiKey === 26 && when === 'request' && random() < dropShare ? 'drop' : undefined);
  await at(0.9);
  for (const { proxy } of cluster.nodes) proxy.onExchange = undefined;
}

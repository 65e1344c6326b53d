import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { moments, type Moment, type Scene } from './scene.ts';

export interface Cell {
  readonly name: string;
  /** What is done to the system, in words. */
  readonly says: string;
  readonly brokers: 1 | 3;
  /** Share of malformed records among the requests. */
  readonly poison?: number;
  /** Longest time without an answer that this fault may cause, in seconds. */
  readonly withinSeconds: number;
  /** Before the apps start. */
  readonly before?: (scene: Scene) => Promise<void>;
  /** While the stream runs. */
  readonly disturb?: (scene: Scene) => Promise<void>;
}

/** A group notices a silent member after its session timeout of 10 s; what a fault may cost is stated from there. */
export const cells: readonly Cell[] = [
  {
    name: 'kill-router',
    says: 'kill -9 of the router after produce, after sendOffsets, before and after EndTxn',
    brokers: 1,
    withinSeconds: 25,
    disturb: (scene) => killAtEveryMoment(scene, 'router'),
  },
  {
    name: 'kill-worker',
    says: 'the same of the worker of the heavy tier',
    brokers: 1,
    withinSeconds: 25,
    disturb: (scene) => killAtEveryMoment(scene, 'inference-heavy'),
  },
  {
    name: 'kill-feedback',
    says: 'the same of feedback',
    brokers: 1,
    withinSeconds: 25,
    disturb: (scene) => killAtEveryMoment(scene, 'feedback'),
  },
  {
    name: 'kill-random',
    says: 'kill -9 of five random apps at random times, two at once',
    brokers: 1,
    withinSeconds: 25,
    disturb: killRandomly,
  },
  {
    name: 'zombie-router',
    says: 'SIGSTOP of one of two routers for longer than its session, then SIGCONT',
    brokers: 1,
    withinSeconds: 25,
    before: async ({ fleet, spec }) => fleet.add(spec('router-2')),
    disturb: (scene) => zombie(scene, 'router'),
  },
  {
    name: 'zombie-worker',
    says: 'the same of one of two workers of the heavy tier',
    brokers: 1,
    withinSeconds: 25,
    before: async ({ fleet, spec }) => fleet.add(spec('inference-heavy-2')),
    disturb: (scene) => zombie(scene, 'inference-heavy'),
  },
  {
    name: 'rebalance-storm',
    says: 'a second router joins, and leaves or is killed, again and again',
    brokers: 1,
    withinSeconds: 30,
    disturb: rebalanceStorm,
  },
  {
    name: 'poison',
    says: 'every kind of malformed request, a tenth of the stream',
    brokers: 1,
    poison: 0.1,
    withinSeconds: 10,
  },
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
    name: 'lost-state',
    says: 'feedback is killed and its state folder removed',
    brokers: 1,
    withinSeconds: 10,
    disturb: loseState,
  },
];

async function killAtEveryMoment(scene: Scene, name: string): Promise<void> {
  const all = Object.keys(moments) as Moment[];
  for (const [turn, moment] of all.entries()) {
    await scene.at(0.15 + (0.7 * turn) / all.length);
    await scene.killAt(name, moment);
    scene.fault(`${name} killed: ${moment}`);
    await scene.fleet.ready(name);
  }
}

async function killRandomly({ fleet, at, fault, random }: Scene): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await at(0.15 + 0.15 * turn + 0.05 * random());
    const names = [...fleet.names];
    const victims = turn === 3 ? names.slice(0, 2) : [names[Math.floor(random() * names.length)]!];
    for (const victim of victims) fleet.signal(victim, 'SIGKILL');
    fault(`${victims.join(' and ')} killed`);
  }
}

async function zombie({ fleet, at, fault }: Scene, name: string): Promise<void> {
  await at(0.3);
  fleet.signal(name, 'SIGSTOP');
  fault(`${name} stopped`);
  await sleep(14_000);
  fleet.signal(name, 'SIGCONT');
  fault(`${name} goes on`);
}

async function rebalanceStorm({ fleet, spec, at, fault }: Scene): Promise<void> {
  await at(0.1);
  for (let turn = 0; turn < 5; turn++) {
    const name = `router-${turn + 2}`;
    fleet.add(spec(name));
    await fleet.ready(name);
    fault(`${name} joined`);
    await sleep(1_000);
    await fleet.remove(name);
    fault(`${name} left`);
    await sleep(500);
  }
}

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

async function loseState({ fleet, runDir, at, fault }: Scene): Promise<void> {
  await at(0.4);
  fleet.signal('feedback', 'SIGKILL');
  await rm(join(runDir, 'join'), { recursive: true, force: true });
  fault('feedback killed, its state gone');
}

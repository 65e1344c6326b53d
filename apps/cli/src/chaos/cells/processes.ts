import { setTimeout as sleep } from 'node:timers/promises';
import { moments, type Moment, type Scene } from '../scene.ts';
import type { Cell } from './cell.ts';

/** Faults of the apps. A group notices a silent member after its session timeout of 10 s; what a fault may cost is stated from there. */
export const processCells: readonly Cell[] = [
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
    name: 'rolling-restart',
    says: 'every app in turn is told to drain with SIGTERM and started again',
    brokers: 1,
    withinSeconds: 10,
    disturb: restartInTurn,
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

async function restartInTurn({ fleet, at, fault }: Scene): Promise<void> {
  const names = [...fleet.names];
  for (const [turn, name] of names.entries()) {
    await at(0.15 + (0.7 * turn) / names.length);
    fault(`${name} restarted`);
    await fleet.restart(name);
  }
}

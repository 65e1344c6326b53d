import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WrongAnswers } from '@sluice/domain';
import { Child, type ChildSpec } from './child.ts';
import type { System, SystemSpec } from './system.ts';

const apps = fileURLToPath(new URL('../../..', import.meta.url));

/** A system of processes, any of which can be killed and started again. */
export interface ProcessSystem extends System {
  /** Ends one app without any warning and starts it again: what a crash looks like to the others. */
  crash(name: string): Promise<void>;
}

/** Starts every app of a flow as a process of its own and waits until each is ready. */
export async function startProcesses(spec: SystemSpec, brokers: string): Promise<ProcessSystem> {
  await mkdir(spec.runDir, { recursive: true });
  const specs = childSpecs(spec, brokers);
  const children = specs.map((child) => new Child(child));
  try {
    for (const child of children) {
      spec.onStep(`waiting for ${child.name}`);
      await child.ready();
    }
  } catch (thrown) {
    await Promise.all(children.map((child) => child.kill('SIGTERM')));
    throw thrown;
  }
  const backends: Record<string, string> = {};
  for (const child of children.filter(({ name }) => name.startsWith('inference-'))) {
    for (const line of await child.logged('inference.backend')) backends[String(line['tier'])] = backendText(line);
  }
  const sampler = setInterval(() => children.forEach((child) => child.sample()), 1000);
  return {
    failed: Promise.race(children.map(({ died }) => died)),
    usage: () => Object.fromEntries(children.map((child) => [child.name, child.sample()])),
    backends: () => backends,
    async crash(name) {
      const at = children.findIndex((child) => child.name === name);
      await children[at]!.kill('SIGKILL');
      const again = new Child(specs[at]!);
      children[at] = again;
      await again.ready();
    },
    async close() {
      clearInterval(sampler);
      // Upstream first: what the router still commits, the workers and feedback still take.
      for (const child of children) await child.close();
    },
  };
}

/** One process per part: the router, one worker per tier, feedback. */
export function childSpecs(spec: SystemSpec, brokers: string): ChildSpec[] {
  const common = ['--brokers', brokers, '--flow', spec.files.file];
  const models = ['--models', spec.models];
  const child = (name: string, app: string, args: readonly string[]) => ({
    name,
    entry: join(apps, app, 'src/main.ts'),
    args: [...common, ...args],
    log: join(spec.runDir, `${name}.log`),
  });
  // An answer is waited for, a lesson is not: where all share a machine, the learner gives way.
  const feedback = { ...child('feedback', 'feedback', [...models, '--state-dir', join(spec.runDir, 'join')]), niceness: 5 };
  return [
    child('router', 'router', models),
    ...spec.files.flow.tiers.map(({ name }) => {
      return child(`inference-${name}`, 'inference', [...models, '--tiers', name, ...drillArgs(spec.drills.get(name))]);
    }),
    feedback,
  ];
}

function drillArgs(drill: WrongAnswers | undefined): readonly string[] {
  if (drill === undefined) return [];
  return ['--wrong-answers', String(drill.rate), '--wrong-from', String(drill.fromSequence), '--wrong-key', String(drill.key)];
}

function backendText(line: Record<string, unknown>): string {
  return `${String(line['backend'])}${line['gpu'] === true ? ' on a GPU' : ''}: ${String(line['why'])}`;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '@sluice/domain';
import { Child, type ChildSpec } from '../system/child.ts';
import { residentMb } from '../system/usage.ts';

interface Instance {
  readonly spec: ChildSpec;
  child: Child;
  lives: number;
  leaving: boolean;
  supervised: Promise<void>;
}

const pauseMs = 200;
const longestPauseMs = 2_000;

/** Apps under a supervisor: one that ends without being asked to is started again, as any orchestrator would. */
export class Fleet {
  readonly #instances = new Map<string, Instance>();
  #restarts = 0;

  /** How often an instance had to be started again. */
  get restarts(): number {
    return this.#restarts;
  }

  get names(): readonly string[] {
    return [...this.#instances.keys()];
  }

  /** Starts an instance; does not wait until it is ready. */
  add(spec: ChildSpec): void {
    const instance: Instance = { spec, child: life(spec, 1), lives: 1, leaving: false, supervised: Promise.resolve() };
    this.#instances.set(spec.name, instance);
    instance.supervised = this.#supervise(instance);
  }

  async ready(name: string): Promise<void> {
    // Whoever dies while it starts is started again: ask the life that is there.
    for (let tries = 0; tries < 50; tries++) {
      const { child } = this.#of(name);
      try {
        return await child.ready();
      } catch {
        await sleep(pauseMs);
      }
    }
    throw new SluiceError('SLUICE_PROCESS_DIED', `${name} never became ready`);
  }

  /** SIGKILL is a crash, from which the supervisor brings it back; SIGSTOP and SIGCONT make a zombie of it. */
  signal(name: string, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#of(name).child.disturb(signal);
  }

  /** Asks an instance to drain and end, for good. */
  async remove(name: string): Promise<void> {
    const instance = this.#of(name);
    instance.leaving = true;
    this.#instances.delete(name);
    await instance.child.close();
  }

  /** Asks an instance to drain, and starts it again when it has. @throws SluiceError when it did not end with code 0. */
  async restart(name: string): Promise<void> {
    const instance = this.#of(name);
    instance.leaving = true;
    await instance.child.close();
    instance.leaving = false;
    instance.child = life(instance.spec, ++instance.lives);
    instance.supervised = this.#supervise(instance);
    await this.ready(name);
  }

  /** Memory of each instance at this moment, in MiB. */
  resident(): ReadonlyMap<string, number> {
    return new Map([...this.#instances].map(([name, { child }]) => [name, residentMb(child.pid)]));
  }

  /** Drains all at once: nothing is on its way any more. */
  async close(): Promise<void> {
    await Promise.all(this.names.map((name) => this.remove(name)));
  }

  /** Ends all at once: for a cell that failed. */
  async abandon(): Promise<void> {
    const all = [...this.#instances.values()];
    for (const instance of all) instance.leaving = true;
    await Promise.all(all.map(({ child }) => child.kill('SIGKILL')));
  }

  async #supervise(instance: Instance): Promise<void> {
    for (let pause = pauseMs; !instance.leaving; pause = Math.min(2 * pause, longestPauseMs)) {
      const began = performance.now();
      await instance.child.died.catch(() => undefined);
      if (performance.now() - began > 10_000) pause = pauseMs;
      await sleep(pause);
      if (instance.leaving) return;
      this.#restarts++;
      instance.child = life(instance.spec, ++instance.lives);
    }
  }

  #of(name: string): Instance {
    const instance = this.#instances.get(name);
    if (instance === undefined) throw new Error(`no instance is called ${name}`);
    return instance;
  }
}

function life(spec: ChildSpec, lives: number): Child {
  return new Child({ ...spec, log: spec.log.replace(/\.log$/, `-${lives}.log`) });
}

import { spawnSync } from 'node:child_process';

/** One Jest run of `npm test`. */
export interface Suite {
  readonly name: 'unit' | 'integration' | 'container';
  readonly config: string;
  readonly about: string;
  /** Why it cannot run on this machine, or undefined. */
  readonly obstacle: () => string | undefined;
}

export const suites: readonly Suite[] = [
  { name: 'unit', config: 'jest.config.cjs', about: 'units, properties and in-memory flows', obstacle: () => undefined },
  { name: 'integration', config: 'jest.integration.cjs', about: 'on a real broker', obstacle: () => undefined },
  { name: 'container', config: 'jest.container.cjs', about: 'the same on testcontainers', obstacle: noEngine },
];

function noEngine(): string | undefined {
  const { status, stderr, error } = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { encoding: 'utf8', timeout: 15_000 });
  if (status === 0) return undefined;
  const why = error?.message ?? stderr.trim().split('\n').at(-1);
  return `no container engine answers (${why}); on Debian as root: tools/broker/engine.sh start`;
}

/** Says what runs: the first line of a CI log. */
import { arch, cpus, release, totalmem } from 'node:os';

const cores = cpus();
console.log(
  `Node ${process.versions.node} on ${process.platform} ${release()} ${arch()}, ${cores.length} x ${cores[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
);

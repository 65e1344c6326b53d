import { median } from '../statistics.ts';
import type { Cell } from './matrix.ts';

const round = (value: number): number => Number(value.toFixed(2));

/** One line a cell: raw, every executor's CPU, the ratio, the gain over a batch of one, and the chosen against the best fixed. */
export function matrixRows(cells: readonly Cell[]): Record<string, string | number>[] {
  return cells.map((cell) => {
    const { model, batch, raw, paths } = cell;
    const auto = paths.find(({ backend }) => backend === 'auto')!;
    const fixed = paths.filter(({ backend }) => backend !== 'auto');
    // The others were left out of the later rounds: they are far from the best.
    const near = fixed.filter(({ walls }) => walls.length === auto.walls.length);
    const best = near.reduce((least, path) => (path.wall < least.wall ? path : least));
    const single = cells.find((other) => other.model === model && other.batch === 1)?.paths.find(({ backend }) => backend === 'auto');
    const of = (name: string): number | string => {
      const path = fixed.find(({ backend }) => backend === name);
      return path ? round(path.cpu) : '-';
    };
    return {
      ...{
        model,
        batch,
        'raw wasm': round(raw),
        compiled: of('compiled'),
        wasm: of('wasm'),
        native: of('native'),
        frozen: of('frozen'),
        webgpu: of('webgpu'),
      },
      ...{ chosen: auto.executor, 'chosen us': round(auto.cpu), ratio: round(auto.cpu / raw) },
      'chosen / best': round(median(auto.walls.map((wall, i) => wall / best.walls[i]!))),
      'gain over 1': single ? round(single.wall / auto.wall) : '-',
      'loop p99 ms': round(auto.delay),
    };
  });
}

/** The cell where the chosen executor stands worst against the best fixed one, by the clock; where both are the same way, that is noise. */
export function worstChoice(cells: readonly Cell[]): string {
  const rows = matrixRows(cells).sort((a, b) => Number(b['chosen / best']) - Number(a['chosen / best']));
  const { model, batch, chosen, 'chosen / best': ratio } = rows[0]!;
  return `chosen against the best fixed executor, at worst: ${ratio} times its time (${model} at ${batch}, ${chosen})`;
}

/**
 * One line a cell and peer: its microseconds an event and how many times as long ours takes, the executor alone (like with like: ready rows in,
 * outputs out) and the whole worker path, which also decodes Avro, hands over and checks answers. Below 1 ours is faster.
 */
export function peerRows(cells: readonly Cell[]): Record<string, string | number>[] {
  return cells.flatMap(({ model, batch, alone, paths, peers }) => {
    const path = paths.find(({ backend }) => backend === 'auto')!;
    return peers.map((peer) => ({
      ...{ model, batch, peer: peer.name, apart: peer.apart.toExponential(1), 'its cpu': round(peer.cpu), 'its wall': round(peer.wall) },
      ...{ ours: alone.executor, 'our cpu': round(alone.cpu), 'our wall': round(alone.wall) },
      ...{ 'cpu, ours / its': round(alone.cpu / peer.cpu), 'wall, ours / its': round(alone.wall / peer.wall) },
      ...{ 'path cpu / its': round(path.cpu / peer.cpu), 'path wall / its': round(path.wall / peer.wall) },
    }));
  });
}

import type { CatalogEntry, Health, Measured } from '@sluice/domain';
import type { KeptCalibration } from '@sluice/serving';
import type { Stored } from './store.ts';

/** Rows of text under a heading, columns as wide as they need be. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return [heading, ...rows].map(line).join('\n');
}

const rounded = (micros: number): string => (micros < 100 ? micros.toFixed(1) : String(Math.round(micros)));

function timesAt(timings: Measured['timings'], sizes: readonly number[]): string[] {
  const times = sizes.map((size) => timings.find(({ n }) => n === size));
  return times.map((time) => (time ? rounded(time.micros) : '-'));
}

/** What was measured of each executor: difference from the oracle, microseconds of a batch, and why it may not serve. */
export function measuredTable(measured: readonly Measured[]): string {
  const sizes = [...new Set(measured.flatMap(({ timings }) => timings.map(({ n }) => n)))].sort((a, b) => a - b);
  return table(
    ['executor', 'apart', 'other labels', ...sizes.map((n) => `us at ${n}`), ''],
    measured.map(({ executor, apart, otherLabels, timings, refused }) => {
      const oracle = executor === 'cpu' ? 'the oracle' : 'ok';
      return [
        executor,
        refused === '' ? apart.toExponential(1) : '-',
        refused === '' ? String(otherLabels) : '-',
        ...timesAt(timings, sizes),
        refused === '' ? oracle : `refused: ${refused}`,
      ];
    }),
  );
}

/** What is kept of a calibration on this machine: microseconds of a batch on each executor that was tried, when, and what is taken. */
export function keptTable({ at, calibration }: KeptCalibration): string {
  const sizes = calibration.timings.map(({ n }) => n);
  const rows = calibration.table.map(({ executor, timings }) => [executor, ...timesAt(timings, sizes)]);
  const heading = `kept since ${new Date(at).toISOString()}; taken: ${calibration.name}`;
  return `${heading}\n${table(['executor', ...sizes.map((n) => `us at ${n}`)], rows)}`;
}

/** One line a version: is it the one the catalog names, how many workers say that they serve it, and how many refuse it, with a reason. */
export function versionsTable(stored: readonly Stored[], catalog: readonly CatalogEntry[], healths: readonly Health[]): string {
  return table(
    ['model', 'version', 'in catalog', 'workers', 'refused by', 'us an event', 'digest', 'licence', 'folder', ''],
    stored.map(({ folder, manifest: { model, version, cost, licence }, digest }) => {
      const refusing = healths.filter((health) => health.model === model && health.refusedVersion === version);
      return [
        model,
        version,
        catalog.some((entry) => entry.folder === folder && entry.digest === digest) ? 'yes' : '',
        String(healths.filter((health) => health.model === model && health.version === version).length),
        refusing.length > 0 ? String(refusing.length) : '',
        String(cost.perEvent),
        digest.slice(0, 8),
        licence,
        folder,
        refusing[0]?.refusedWhy ?? '',
      ];
    }),
  );
}

import type { EpochMs } from './brand.ts';

/** What `sluice models add` measured of one executor. */
export interface Measured {
  readonly executor: string;
  /** Largest difference of an output from the oracle's, over the sample rows; 0 for the oracle. */
  readonly apart: number;
  /** Rows on which it gives another label than the oracle. */
  readonly otherLabels: number;
  /** Why it may not serve the model; empty when it may. */
  readonly refused: string;
  /** Microseconds of a whole batch of n rows. */
  readonly timings: readonly { readonly n: number; readonly micros: number }[];
}

/** The version of a model that workers are to serve: `sluice.catalog`, key = model. */
export interface CatalogEntry {
  readonly model: string;
  readonly version: string;
  /** SHA-256 of manifest.json, which states those of all other files: one digest for the whole version. */
  readonly digest: string;
  /** Folder of the version within the folder of all models. */
  readonly folder: string;
  readonly at: EpochMs;
  /** On the machine that added the version. */
  readonly measured: readonly Measured[];
}

import type { VersionChange } from '@sluice/inference';
import type { FlowFiles } from '@sluice/service';
import type { WrongAnswers } from '@sluice/domain';

/** What a running system needs to know, whether it runs as processes on Kafka or inside one process on the memory bus. */
export interface SystemSpec {
  readonly files: FlowFiles;
  /** Folder with one folder per model. */
  readonly models: string;
  /** Folder of this run: logs and join state. */
  readonly runDir: string;
  /** Drills by tier name. */
  readonly drills: ReadonlyMap<string, WrongAnswers>;
  readonly onStep: (text: string) => void;
  /** Called when a worker of this process took up a version of the catalog, or refused it. */
  readonly onVersion?: (change: VersionChange) => void;
}

export interface Usage {
  readonly rssMb: number;
  readonly cpuSeconds: number;
}

/** Router, one inference process per tier, and feedback, running. */
export interface System {
  /** Rejects with SLUICE_PROCESS_DIED when a part ends by itself. */
  readonly failed: Promise<never>;
  /** Largest memory and total CPU time seen of each part. */
  usage(): Readonly<Record<string, Usage>>;
  /** Which backend each tier runs on, in words. */
  backends(): Readonly<Record<string, string>>;
  /** Drains every part, router first, so that nothing is left half way. */
  close(): Promise<void>;
}

import type { z } from 'zod';
import { readCommandLine, type CommandLine } from './command-line.ts';
import { reportAndExit, runService, type RunningService, type ServiceContext } from './lifecycle.ts';

export interface AppSpec<Shape extends z.ZodRawShape> extends Pick<CommandLine<Shape>, 'name' | 'summary' | 'schema'> {
  readonly start: (config: z.output<z.ZodObject<Shape>>, context: ServiceContext) => Promise<RunningService>;
}

/** The whole `main` of an app: reads its command line, runs it as a service, and ends the process with a code of `exitCodes`. */
export async function runApp<Shape extends z.ZodRawShape>({ start, ...line }: AppSpec<Shape>): Promise<void> {
  try {
    const config = readCommandLine(line);
    if (config === undefined) return;
    await runService({ name: line.name, start: (context) => start(config, context) });
  } catch (thrown) {
    reportAndExit(process, thrown);
  }
}

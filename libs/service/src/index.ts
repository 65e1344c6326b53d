/**
 * What every process of Sluice has around its own work: configuration, logs, metrics, health, and an orderly end.
 *
 * @example
 * const config = readCommandLine({ name: 'router', summary: 'Routes requests to tiers.', schema: routerConfig });
 * await runService({
 *   name: 'router',
 *   start: async ({ log, metrics }) => {
 *     const pipe = await openRouter(config, log, metrics);
 *     return { close: () => pipe.close(), ready: () => pipe.stats.assigned > 0, failed: pipe.done };
 *   },
 * });
 */
export { readCommandLine, type CommandLine } from './command-line.ts';
export { loadConfig, type ConfigSources } from './config.ts';
export { fieldsOf, type ConfigField } from './config-fields.ts';
export { loadFlow, loadManifests, type FlowFiles } from './flow-files.ts';
export { relativeCosts } from './relative-costs.ts';
export { systemClock } from './clock.ts';
export { createLogger, instanceName, logLevels, type LogFields, type Logger, type LogLine, type LogLevel, type LogOptions } from './log.ts';
export { createMetrics, type HistogramSpec, type Metrics, type MetricSpec, type Sample } from './metrics.ts';
export { observePipes, type PipeFigures } from './pipe-metrics.ts';
export { observePolicy, type PolicyFigures } from './policy-metrics.ts';
export { Tally, type TallyPart } from './tally.ts';
export { openHealthServer, type HealthCheck, type HealthServer, type HealthServerSpec } from './health-server.ts';
export { reportAndExit, runService, type RunningService, type ServiceContext, type ServiceHost, type ServiceSpec } from './lifecycle.ts';
export { exitCodeOf, exitCodes } from './exit-code.ts';
export { runApp, type AppSpec } from './run-app.ts';
export { supervisorPid, watchParent, type ParentHost } from './parent.ts';
export { onStopSignals, type SignalHost, type StopHandlers, type StopSignal } from './stop-signals.ts';

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** What a metric is called and what it means. Names follow prometheus.io/docs/practices/naming. */
export interface MetricSpec {
  /** `sluice_<area>_<what>_<unit>`; counters end in `_total`, times are seconds, sizes bytes. */
  readonly name: string;
  readonly help: string;
  /** Low-cardinality names such as tier, model, code. Ids, keys and users are refused. */
  readonly labels?: readonly string[];
}

export interface HistogramSpec extends MetricSpec {
  /** Upper bounds in the unit of the name. */
  readonly buckets: readonly number[];
}

/** One series of a metric at the time of a scrape. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The metrics of one process: one registry, served on /metrics. */
export interface Metrics {
  counter(spec: MetricSpec): Counter;
  gauge(spec: MetricSpec & { readonly collect?: (gauge: Gauge) => void }): Gauge;
  histogram(spec: HistogramSpec): Histogram;
  /** A figure that somebody else keeps, read at every scrape: a counter when its name ends in `_total`, else a gauge. */
  observe(spec: MetricSpec, read: () => Iterable<Sample>): void;
  readonly contentType: string;
  text(): Promise<string>;
}

const pattern = /^sluice(_[a-z0-9]+)+$/;
const forbidden = new Set(['id', 'event', 'event_id', 'key', 'user', 'tenant', 'offset']);

/** @param options.process adds the process's own metrics (CPU, resident memory, event loop delay); default true. */
export function createMetrics(
  labels: { readonly app: string; readonly instance: string },
  options: { readonly process?: boolean } = {},
): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ ...labels });
  if (options.process !== false) collectDefaultMetrics({ register: registry });
  const common = (spec: MetricSpec) => ({ name: spec.name, help: spec.help, labelNames: [...(spec.labels ?? [])], registers: [registry] });
  return {
    counter(spec) {
      check(spec);
      if (!spec.name.endsWith('_total')) throw new Error(`the counter ${spec.name} must end in _total`);
      return new Counter(common(spec));
    },
    gauge(spec) {
      check(spec);
      const { collect } = spec;
      return new Gauge({
        ...common(spec),
        ...(collect && {
          collect(this: Gauge) {
            collect(this);
          },
        }),
      });
    },
    histogram(spec) {
      check(spec);
      return new Histogram({ ...common(spec), buckets: [...spec.buckets] });
    },
    observe(spec, read) {
      check(spec);
      readAtScrape({ counts: spec.name.endsWith('_total'), ...common(spec) }, read);
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

interface Scraped {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
  /** A counter, else a gauge. */
  readonly counts: boolean;
}

function readAtScrape({ counts, ...metric }: Scraped, read: () => Iterable<Sample>): void {
  if (counts) {
    new Counter({
      ...metric,
      collect() {
        this.reset();
        for (const { labels = {}, value } of read()) this.inc(labels, value);
      },
    });
  } else {
    new Gauge({
      ...metric,
      collect() {
        this.reset();
        for (const { labels = {}, value } of read()) this.set(labels, value);
      },
    });
  }
}

/** A wrong name is a defect of the caller, found by its first test: a plain error, not one of the table. */
function check(spec: MetricSpec): void {
  if (!pattern.test(spec.name)) throw new Error(`${spec.name} is not a metric name: sluice_<area>_<what>_<unit>`);
  if (/_(ms|millis|milliseconds|kb|mb)(_|$)/.test(spec.name)) throw new Error(`${spec.name} must be in base units: seconds or bytes`);
  const bad = spec.labels?.find((label) => forbidden.has(label));
  if (bad) throw new Error(`${spec.name} must not have the label ${bad}: it would make a series per event`);
}

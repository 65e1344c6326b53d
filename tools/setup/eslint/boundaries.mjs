/**
 * Who may import whom. Every project carries two tags in its package.json: its layer and its scope. Each line below is
 * proven by a fixture in tools/setup/fixtures/boundaries, because the rule stays silent about a package that is not
 * installed.
 */
const layers = {
  'layer:core': ['layer:core'],
  'layer:contract': ['layer:core', 'layer:contract'],
  'layer:engine': ['layer:core', 'layer:contract', 'layer:engine'],
  'layer:adapter': ['layer:core', 'layer:contract'],
  'layer:platform': ['layer:core'],
  'layer:app': ['layer:core', 'layer:contract', 'layer:engine', 'layer:adapter', 'layer:platform'],
  'layer:tool': ['layer:core', 'layer:contract', 'layer:engine', 'layer:adapter', 'layer:platform', 'layer:test', 'layer:tool'],
  'layer:bench': [
    'layer:core',
    'layer:contract',
    'layer:engine',
    'layer:adapter',
    'layer:platform',
    'layer:test',
    'layer:tool',
    'scope:router',
    'scope:inference',
  ],
  'layer:test': ['layer:core', 'layer:contract', 'layer:engine', 'layer:adapter', 'layer:platform', 'scope:broker'],
};

/** The command line runs the whole system in one process (in-memory broker) and owns the demo: it sees apps and tools. */
const wholeSystem = [...layers['layer:tool'], 'layer:app'];

/** Packages with one home. Bench measures ours against the bare client and the bare runtime. */
const homes = {
  kafkajs: ['streaming', 'bench'],
  '@tensorflow/*': ['serving', 'demo', 'bench'],
  pino: ['service'],
  'prom-client': ['service'],
  'classic-level': ['feedback'],
  testcontainers: ['testkit', 'broker'],
  fastify: ['console'],
};

/** What a pure layer may use from npm. */
const pure = { 'layer:core': ['zod'], 'layer:contract': ['avsc', 'jpeg-js', 'pngjs', 'zod'], 'layer:engine': ['zod'] };
const testing = ['fast-check', 'avsc'];

/** @param {{ tests: boolean }} options tests may use the testkit, the tools and property testing besides. */
export function depConstraints({ tests }) {
  return [
    ...Object.entries(layers)
      .filter(([layer]) => layer !== 'layer:app')
      .map(([layer, allowed]) => ({
        sourceTag: layer,
        onlyDependOnLibsWithTags: tests ? [...allowed, 'layer:test', 'scope:broker'] : allowed,
      })),
    { allSourceTags: ['layer:app', 'scope:cli'], onlyDependOnLibsWithTags: wholeSystem },
    ...['router', 'inference', 'feedback', 'console'].map((app) => ({
      allSourceTags: ['layer:app', `scope:${app}`],
      onlyDependOnLibsWithTags: tests ? [...layers['layer:app'], 'layer:test', 'scope:broker'] : layers['layer:app'],
    })),
    { sourceTag: 'scope:streaming', notDependOnLibsWithTags: ['scope:serving'] },
    { sourceTag: 'scope:serving', notDependOnLibsWithTags: ['scope:streaming'] },
    ...Object.entries(homes).map(([name, scopes]) => ({
      sourceTag: `/^scope:(?!(${scopes.join('|')})$)/`,
      bannedExternalImports: [name],
    })),
    ...Object.entries(pure).map(([layer, allowed]) => ({
      sourceTag: layer,
      allowedExternalImports: tests ? [...allowed, ...testing] : allowed,
    })),
  ];
}

const because = 'Pure layers get time, chance and bytes handed in, so that every decision can be made again.';
const builtins =
  'fs|fs/promises|net|tls|http|https|http2|dgram|dns|dns/promises|child_process|worker_threads|cluster|readline|repl|timers|timers/promises|perf_hooks';

/** Rules for core, contract and engine: no I/O, no clock, no chance. */
export const pureRules = {
  'no-restricted-imports': ['error', { patterns: [{ regex: `^(node:)?(${builtins})$`, message: because }] }],
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'WebSocket', 'process', 'performance'].map((name) => ({
      name,
      message: because,
    })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: because },
    { object: 'Math', property: 'random', message: because },
    { object: 'crypto', property: 'randomUUID', message: because },
    { object: 'globalThis', property: 'setTimeout', message: because },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: because },
    { selector: 'ImportExpression[source.value=/^(node:)?(fs|net|http|https|child_process|worker_threads)/]', message: because },
  ],
};

export const pureFiles = ['domain', 'contracts', 'routing', 'learning'].map((lib) => `libs/${lib}/src/**/*.ts`);

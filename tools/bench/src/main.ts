import { misused } from './options.ts';

/** `npm run bench -- NAME [options]`: runs one of the scripts beside this file. */
const scripts = {
  decide: () => import('./decide.ts'),
  worker: () => import('./worker.ts'),
  frugalml: () => import('./frugalml.ts'),
  routellm: () => import('./routellm.ts'),
  replay: () => import('./replay.ts'),
  router: () => import('./router.ts'),
  pipeline: () => import('./pipeline.ts'),
  transactions: () => import('./transactions.ts'),
};

const name = process.argv[2] ?? '';
if (Object.hasOwn(scripts, name)) {
  // The script reads its own options: its name is not one of them.
  process.argv.splice(2, 1);
  await scripts[name as keyof typeof scripts]();
} else {
  console.error(`usage: npm run bench -- ${Object.keys(scripts).join('|')} [options]`);
  process.exitCode = misused;
}

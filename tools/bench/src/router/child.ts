/** One contestant in a process of its own: `node child.ts '<job as JSON>'`. Says `ready`, then its outcome; ends when its input does. */
import { Meter, type Job, type Start } from './job.ts';

const contestants: Readonly<Record<string, () => Promise<Start>>> = {
  stock: async () => (await import('./stock.ts')).startStock,
  'pipe-eos': async () => (await import('./pipe.ts')).startPipe,
  'pipe-alo': async () => {
    const { startPipe } = await import('./pipe.ts');
    return (job, meter) => startPipe(job, meter, 'at-least-once');
  },
  worker: async () => (await import('../worker/kafka-worker.ts')).startWorker,
  platformatic: async () => (await import('./platformatic.ts')).startPlatformatic,
};

const job = JSON.parse(process.argv[2]!) as Job;
const meter = new Meter(job);
const ended = new Promise<void>((resolve) => process.stdin.on('end', resolve).resume());
const running = await (await contestants[job.contestant]!())(job, meter);
console.log('ready');
await Promise.race([meter.finished, ended]);
console.log(JSON.stringify(meter.outcome ?? meter.share ?? null));
await running.stop();
process.exit(0);

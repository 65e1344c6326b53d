import { EventEmitter } from 'node:events';
import { onStopSignals } from './stop-signals.ts';

let now: number;
let host: EventEmitter;
let calls: string[];
const handlers = { drain: (signal: string) => calls.push(`drain ${signal}`), endNow: (signal: string) => calls.push(`end ${signal}`) };

beforeEach(() => {
  now = 1000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  host = new EventEmitter();
  calls = [];
});
afterEach(() => jest.restoreAllMocks());

describe('onStopSignals', () => {
  it('takes one Ctrl-C that arrives from terminal and parent as one', () => {
    onStopSignals(host, handlers);
    host.emit('SIGINT');
    now += 100;
    host.emit('SIGINT');
    host.emit('SIGTERM');
    expect(calls).toEqual(['drain SIGINT']);
  });

  it('ends at once on a signal that comes later', () => {
    onStopSignals(host, handlers);
    host.emit('SIGTERM');
    now += 500;
    host.emit('SIGINT');
    expect(calls).toEqual(['drain SIGTERM', 'end SIGINT']);
  });

  it('listens only to the signals it is told, and no longer than it is told', () => {
    const stop = onStopSignals(host, handlers, ['SIGTERM']);
    host.emit('SIGINT');
    stop();
    host.emit('SIGTERM');
    expect(calls).toEqual([]);
  });
});

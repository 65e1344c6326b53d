import { EventEmitter } from 'node:events';
import { supervisorPid, watchParent, type ParentHost } from './parent.ts';

class FakeHost extends EventEmitter implements ParentHost {
  env: NodeJS.ProcessEnv = {};
  ppid = 1;
  connected = false;
  alive = new Set<number>();

  kill(pid: number): void {
    if (!this.alive.has(pid)) throw Object.assign(new Error('gone'), { code: 'ESRCH' });
  }
}

let host: FakeHost;
let gone: jest.Mock;
beforeEach(() => {
  jest.useFakeTimers();
  host = new FakeHost();
  gone = jest.fn();
});
afterEach(() => jest.useRealTimers());

describe('watchParent', () => {
  it('notices that the process named by SLUICE_PARENT_PID is gone, once', () => {
    host.env = { SLUICE_PARENT_PID: '4000' };
    host.alive.add(4000);
    watchParent(host, gone);
    jest.advanceTimersByTime(5000);
    expect(gone).not.toHaveBeenCalled();
    host.alive.delete(4000);
    jest.advanceTimersByTime(5000);
    expect(gone).toHaveBeenCalledTimes(1);
  });

  it('is not fooled by a reused process id of a direct parent', () => {
    host.env = { SLUICE_PARENT_PID: '4000' };
    host.ppid = 4000;
    host.alive.add(4000);
    watchParent(host, gone);
    host.ppid = 1;
    jest.advanceTimersByTime(1000);
    expect(gone).toHaveBeenCalledTimes(1);
  });

  it('notices that the IPC channel closed', () => {
    host.connected = true;
    watchParent(host, gone);
    host.emit('disconnect');
    expect(gone).toHaveBeenCalledTimes(1);
  });

  it('watches nothing for a process that stands alone, or after it was stopped', () => {
    watchParent(host, gone);
    expect(jest.getTimerCount()).toBe(0);
    host.env = { SLUICE_PARENT_PID: '4000' };
    watchParent(host, gone)();
    jest.advanceTimersByTime(5000);
    expect(gone).not.toHaveBeenCalled();
  });
});

it.each([
  [undefined, undefined],
  ['', undefined],
  ['nonsense', undefined],
  ['1', undefined],
  ['77', 77],
])('supervisorPid reads %j as %j', (text, pid) => {
  expect(supervisorPid({ SLUICE_PARENT_PID: text })).toBe(pid);
});

import { serverProperties } from './settings.ts';

const read = (text: string) =>
  new Map(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

describe('the settings of a broker of ours', () => {
  const settings = { port: 1, controllerPort: 2, dataDir: '/data' };

  it('listen on loopback only', () => {
    const listeners = read(serverProperties(settings)).get('listeners');
    expect(listeners).toBe('PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2');
  });

  it('ask for no replica that one broker cannot hold', () => {
    for (const [name, value] of read(serverProperties(settings))) {
      if (/replication\.factor$|min\.isr$/.test(name)) expect([name, value]).toEqual([name, '1']);
    }
  });

  it('tell clients the mapped port of a container, and let the broker reach itself inside', () => {
    const properties = read(serverProperties({ ...settings, mapped: { advertised: 'localhost:4711', internalPort: 3 } }));
    expect(properties.get('advertised.listeners')).toBe('PLAINTEXT://localhost:4711,INTERNAL://127.0.0.1:3');
    expect(properties.get('inter.broker.listener.name')).toBe('INTERNAL');
  });

  it('yield to what the caller sets', () => {
    expect(read(serverProperties(settings, { 'message.max.bytes': '10' })).get('message.max.bytes')).toBe('10');
  });
});

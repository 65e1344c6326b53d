import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { reach } from './kafka-api.ts';
import { freePorts } from './ports.ts';

describe('reaching a broker', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());
  const serve = async (onData: (data: Buffer) => Buffer | undefined): Promise<string> => {
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        const answer = onData(data);
        if (answer) socket.write(answer);
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as { port: number }).port}`;
  };

  it('takes any answer in Kafka framing for one', async () => {
    const address = await serve(() => Buffer.from([0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    expect(await reach(address)).toBeUndefined();
  });

  it('goes on to the next address when the first is silent', async () => {
    const address = await serve(() => Buffer.from([0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    const [free] = await freePorts(1);
    expect(await reach(`127.0.0.1:${free}, ${address}`)).toBeUndefined();
  });

  it('says why when nobody listens', async () => {
    const [free] = await freePorts(1);
    expect(await reach(`127.0.0.1:${free}`)).toContain('ECONNREFUSED');
  });

  it('does not wait for ever on one that takes the call and says nothing', async () => {
    const address = await serve(() => undefined);
    expect(await reach(address, 100)).toContain('did not answer within 100 ms');
  });

  it('does not mistake a web server for a broker', async () => {
    const address = await serve(() => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await reach(address, 500)).toBeDefined();
  });

  it.each(['nonsense', ':9092', 'host:99999999'])('refuses %j as an address', async (address) => {
    expect(await reach(address)).toContain('is not host:port');
  });
});

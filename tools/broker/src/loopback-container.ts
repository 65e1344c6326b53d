import { createServer, isIP } from 'node:net';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';

export interface ContainerSpec {
  readonly image: string;
  readonly port: number;
  /** Shell command that the container runs. */
  readonly command: string;
  /** Log line that tells that it runs. */
  readonly ready: string;
  /** Told the id before the container is started, so that none is ever left unrecorded. */
  readonly onCreated: (id: string) => void;
}

export interface LoopbackContainer {
  readonly container: StartedTestContainer;
  /** host:port under which it is reached from here. */
  readonly address: string;
}

/** Starts the container and resolves once its shell runs. Its port is published no wider than it must be. */
export async function startLoopbackContainer(spec: ContainerSpec): Promise<LoopbackContainer> {
  // Its reaper is an image of its own to pull; what a killed run leaves is found through our run folders instead.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const { info } = await getContainerRuntimeClient();
  const { host, bind } = await publishOn(info.containerRuntime.host);
  const container = await new BoundContainer(spec, bind)
    .withEntrypoint(['/bin/sh', '-c'])
    .withCommand([spec.command])
    .withExposedPorts(spec.port)
    .withWaitStrategy(Wait.forLogMessage(spec.ready))
    .withStartupTimeout(60_000)
    .start();
  return { container, address: `${host}:${container.getMappedPort(spec.port)}` };
}

/**
 * Which address to publish on and to dial. An engine of this machine: loopback. From inside a container, the engine is at
 * the gateway's address: only that. A remote engine: whatever it does by itself.
 */
async function publishOn(engine: string): Promise<{ readonly host: string; readonly bind: string | undefined }> {
  if (engine === 'localhost' || (await isOwnAddress(engine))) return { host: '127.0.0.1', bind: '127.0.0.1' };
  return { host: engine, bind: isIP(engine) === 0 ? undefined : engine };
}

/** Whether the address is one of this machine's: tried, for a bridge without containers is not among Node's interfaces. */
async function isOwnAddress(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(0, address, () => server.close(() => resolve(true)));
  });
}

/** testcontainers itself publishes on every interface. */
class BoundContainer extends GenericContainer {
  readonly #spec: ContainerSpec;
  readonly #bind: string | undefined;

  constructor(spec: ContainerSpec, bind: string | undefined) {
    super(spec.image);
    this.#spec = spec;
    this.#bind = bind;
  }

  protected override async beforeContainerCreated(): Promise<void> {
    const bindings = (this.hostConfig.PortBindings ?? {}) as Record<string, { HostPort: string; HostIp?: string }[]>;
    if (this.#bind === undefined) return;
    for (const binding of Object.values(bindings).flat()) binding.HostIp = this.#bind;
  }

  protected override async containerCreated(id: string): Promise<void> {
    this.#spec.onCreated(id);
  }
}

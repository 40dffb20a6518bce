/** Runs one container for a test file, with the engine that it needs. */
import { Wait, type StartedTestContainer } from 'testcontainers';
import { openEngine, type Engine } from './engine.ts';
import { imageOf, type ImageParts } from './images.ts';

export type ContainerParts = ImageParts & {
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What it logs once it serves. */
  readonly ready: string;
};

export type RunningContainer = {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly stop: () => Promise<void>;
};

const START_TIMEOUT_MS = 120_000;
/** As engines want it that run inside a sandbox with low limits of its own. */
const LIMIT = { soft: 1024, hard: 1024 };

/** The container, or why there is none: an engine that cannot run it is a lack of the machine and no failure. */
export async function runImage(parts: () => Promise<ContainerParts>): Promise<RunningContainer | string> {
  const engine = await openEngine();
  if (typeof engine === 'string') return engine;
  try {
    return await runOn(engine, await parts());
  } catch (error) {
    await engine.close();
    return `the container engine did not run it: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function runOn(engine: Engine, parts: ContainerParts): Promise<RunningContainer> {
  const image = await imageOf(parts);
  const container: StartedTestContainer = await image
    .withEnvironment({ ...parts.environment })
    .withExposedPorts(parts.port)
    .withUlimits({ nofile: LIMIT, nproc: LIMIT })
    .withWaitStrategy(Wait.forLogMessage(parts.ready).withStartupTimeout(START_TIMEOUT_MS))
    .start();
  return {
    port: container.getMappedPort(parts.port),
    stop: async () => {
      await container.stop();
      await engine.close();
    },
  };
}

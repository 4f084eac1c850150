import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker } from '../../packages/millrace/src/broker/index.ts'
import type { Clock } from '../../packages/millrace/src/kit/index.ts'

export type EngineName = 'embedded' | 'kafka'

/**
 * The broker under test: the embedded one, started here, or an Apache Kafka that stands already
 * (`MILLRACE_TEST_ENGINE=kafka` and `MILLRACE_TEST_BROKERS`, which `npm run test:kafka` sets).
 */
export interface Engine extends AsyncDisposable {
  readonly name: EngineName
  /** `host:port` */
  readonly address: string
  readonly brokers: readonly string[]
  /** Stops the embedded broker and starts it again on the same port and folder; needs `isDurable`. */
  restart(): Promise<void>
  /** Applies retention now. An Apache Kafka does so by itself, each second as `tools/kafka` sets it up. */
  retain(): Promise<void>
  /** The embedded broker itself, for what only it can do. */
  readonly embedded: Broker | undefined
}

export interface EngineOptions {
  /** The embedded broker keeps its data in a temporary folder instead of in memory. */
  readonly isDurable?: boolean
  /** The embedded broker's clock. */
  readonly clock?: Clock
}

export const engineName: EngineName = readEngineName()

function readEngineName(): EngineName {
  const name = process.env['MILLRACE_TEST_ENGINE'] ?? 'embedded'
  if (name !== 'embedded' && name !== 'kafka') {
    throw new Error(`MILLRACE_TEST_ENGINE is ${name}; it may be embedded or kafka`)
  }
  return name
}

export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  return engineName === 'kafka' ? openKafka() : await openEmbedded(options)
}

/** An embedded broker beside the engine under test, for comparing the two. */
export async function openSecondEngine(): Promise<Engine> {
  return await openEmbedded({})
}

function openKafka(): Engine {
  const brokers = (process.env['MILLRACE_TEST_BROKERS'] ?? '').split(',').filter(Boolean)
  const [address] = brokers
  if (address === undefined) {
    throw new Error('MILLRACE_TEST_ENGINE=kafka needs MILLRACE_TEST_BROKERS=host:port')
  }
  return {
    name: 'kafka',
    address,
    brokers,
    embedded: undefined,
    restart: () => Promise.reject(new Error('only the embedded broker is restarted by a test')),
    retain: () => Promise.resolve(),
    // It is not ours to stop.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function openEmbedded(options: EngineOptions): Promise<Engine> {
  const { startBroker } = await import('../../packages/millrace/src/broker/index.ts')
  const folder =
    options.isDurable === true ? await mkdtemp(join(tmpdir(), 'millrace-test-')) : undefined
  const place = folder === undefined ? { memory: true } : { folder }
  const clock = options.clock === undefined ? {} : { clock: options.clock }
  let broker = await startBroker({ ...place, ...clock })
  const { port, address } = broker
  return {
    name: 'embedded',
    address,
    brokers: [address],
    get embedded() {
      return broker
    },
    async restart() {
      if (folder === undefined) throw new Error('a broker in memory forgets; ask for isDurable')
      await broker.stop()
      broker = await startBroker({ ...place, ...clock, port })
    },
    async retain() {
      await broker.store.retain()
    },
    async [Symbol.asyncDispose]() {
      await broker.stop()
      if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

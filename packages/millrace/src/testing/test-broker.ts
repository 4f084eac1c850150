import { startBroker, type Broker, type BrokerSettings } from '../broker/index.ts'
import type { Clock } from '../kit/index.ts'

export interface TestBrokerOptions {
  /** Topics that are there from the start: partitions, or partitions and configs by Kafka's names. */
  readonly topics?: Readonly<
    Record<
      string,
      number | { readonly partitions?: number; readonly configs?: Record<string, string> }
    >
  >
  /** Default: in memory, gone with the broker. */
  readonly folder?: string
  /** Default 0: any free one. */
  readonly port?: number
  readonly clock?: Clock
  readonly options?: Partial<BrokerSettings>
}

/**
 * The embedded broker for tests: in this process, in memory, on a free port, ready in a few milliseconds. Every
 * record is checked, unlike in `millrace dev`, so that a client which writes bad ones is found out.
 *
 * @example
 * await using broker = await startTestBroker({ topics: { orders: 3 } })
 * const client = openClient({ brokers: [broker.address] })
 */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<Broker> {
  const { topics = {}, folder, port, clock } = options
  const broker = await startBroker({
    ...(folder === undefined ? { memory: true } : { folder }),
    ...(port === undefined ? {} : { port }),
    ...(clock === undefined ? {} : { clock }),
    options: { checkRecords: true, ...options.options },
  })
  try {
    for (const [name, topic] of Object.entries(topics)) {
      const { partitions = broker.settings.defaultPartitions, configs = {} } =
        typeof topic === 'number' ? { partitions: topic } : topic
      await broker.store.createTopic({ name, partitions, configs })
    }
    return broker
  } catch (error) {
    await broker.stop()
    throw error
  }
}

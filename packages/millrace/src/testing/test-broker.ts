import { startBroker, type Broker, type BrokerSettings } from '../broker/index.ts'
import { systemClock, type Clock, type Duration } from '../kit/index.ts'
import { BrokerFaults, type Fault, type FaultRule, type PausedBroker } from './broker-faults.ts'
import type { ApiName } from './scripted-broker.ts'

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

/** The embedded broker, with faults on demand. */
export interface TestBroker extends Broker {
  /**
   * Lets requests of one API (`'*'`: of any) fail, be late, or lose their connection. Everything else is the real
   * broker, so a test says which step fails and whether it had its effect: `close: 'before'` and `'after'` are two tests.
   *
   * @throws MR_TEST_FAULT_UNKNOWN
   * @example
   * await using broker = await startTestBroker()
   * using lost = broker.fail('offsetCommit', { close: 'after', times: 1 })
   * using moved = broker.fail('produce', { error: 'NOT_LEADER_OR_FOLLOWER', for: '2s' })
   */
  readonly fail: <N extends ApiName>(api: N | '*', rule: FaultRule<N>) => Fault
  /** Takes requests and answers none until it is resumed, or for a while: a broker in a long pause. */
  readonly pause: (options?: { readonly for?: Duration }) => PausedBroker
}

/**
 * The embedded broker for tests: in this process, in memory, on a free port, ready in a few milliseconds. Every
 * record is checked, unlike in `millrace dev`, so that a client which writes bad ones is found out.
 *
 * @example
 * await using broker = await startTestBroker({ topics: { orders: 3 } })
 * const client = openClient({ brokers: [broker.address] })
 */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { topics = {}, folder, port, clock = systemClock } = options
  const faults = new BrokerFaults(clock)
  const broker = await startBroker({
    ...(folder === undefined ? { memory: true } : { folder }),
    ...(port === undefined ? {} : { port }),
    clock,
    border: faults.border,
    options: { checkRecords: true, ...options.options },
  })
  try {
    for (const [name, topic] of Object.entries(topics)) {
      const { partitions = broker.settings.defaultPartitions, configs = {} } =
        typeof topic === 'number' ? { partitions: topic } : topic
      await broker.store.createTopic({ name, partitions, configs })
    }
    return withFaults(broker, faults)
  } catch (error) {
    await broker.stop()
    throw error
  }
}

function withFaults(broker: Broker, faults: BrokerFaults): TestBroker {
  const { port, address, clusterId, store, settings } = broker
  const stop = (): Promise<void> => {
    faults.close()
    return broker.stop()
  }
  return {
    port,
    address,
    clusterId,
    store,
    settings,
    get connections() {
      return broker.connections
    },
    stats: () => broker.stats(),
    stop,
    fail: (api, rule) => faults.fail(api, rule),
    pause: (options) => faults.pause(options),
    [Symbol.asyncDispose]: stop,
  }
}

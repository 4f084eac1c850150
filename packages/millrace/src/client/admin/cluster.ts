import { apis } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'
import type { AdminOptions } from './ask-each.ts'

export interface DescribedBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface DescribedCluster {
  readonly clusterId: string | null
  /** -1 when the answering broker knew of none. */
  readonly controllerId: number
  /** By node id. */
  readonly brokers: readonly DescribedBroker[]
}

/** DescribeCluster where it is offered (Kafka 2.8), else what Metadata says. */
export async function describeCluster(
  core: ClientCore,
  { timeoutMs = core.apiTimeoutMs, signal }: AdminOptions,
): Promise<DescribedCluster> {
  const { clock, connections } = core
  const what = 'describe cluster'
  return retrying({ what, clock, timeoutMs, signal }, async (ending) => {
    const connection = await connections.connect('any', 'data', { signal: ending })
    if (connection.versionOf(apis.describeCluster) === undefined) {
      const answer = await connection.request(
        apis.metadata,
        { topics: [], allowAutoTopicCreation: false },
        { minVersion: 1, signal: ending },
      )
      if (answer.errorCode !== 0) throw kafkaFailure(what, answer.errorCode)
      const { clusterId, controllerId, brokers } = answer
      return { clusterId, controllerId, brokers: sorted(brokers) }
    }
    const answer = await connection.request(apis.describeCluster, {}, { signal: ending })
    if (answer.errorCode !== 0) throw kafkaFailure(what, answer.errorCode, answer.errorMessage)
    const { clusterId, controllerId, brokers } = answer
    const named = brokers.map(({ brokerId, host, port, rack }) => ({
      nodeId: brokerId,
      host,
      port,
      rack,
    }))
    return { clusterId, controllerId, brokers: sorted(named) }
  })
}

function sorted(brokers: readonly DescribedBroker[]): readonly DescribedBroker[] {
  return brokers
    .map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }))
    .toSorted((left, right) => left.nodeId - right.nodeId)
}

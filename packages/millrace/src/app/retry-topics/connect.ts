import type { Clock } from '../../kit/index.ts'
import type { Clients } from '../clusters/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import { readerLog } from './reader-log.ts'

/** Gives consumers with `order: 'key'` what they need of a worker, before its groups are joined. */
export function connectRetryTopics(
  { plans, clusterOf }: ResolvedConfig,
  around: {
    readonly clients: Clients
    readonly clock: Clock
    readonly send: (message: EncodedMessage) => Promise<Sent>
  },
): void {
  const { clients, clock, send } = around
  for (const { retryTopics, topics } of plans) {
    const [source] = topics
    if (retryTopics?.keyOrder === undefined || source === undefined) continue
    const cluster = clusterOf(source)
    retryTopics.keyOrder.attach({
      log: readerLog(clients.of(cluster), clock),
      send: (message) => send({ ...message, cluster }),
      clock,
    })
  }
}

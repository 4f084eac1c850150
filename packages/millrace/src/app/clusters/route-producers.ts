import type { Client, Delivery, OutgoingMessage, Producer, SendResult } from '../../client/index.ts'
import type { EncodedMessage } from '../ports.ts'
import { mainCluster } from './options.ts'

/** All that the application's producer needs of a client. */
export type ProducerSource = Pick<Client, 'producer'>

/**
 * Producers that are one to their user, and one per cluster inside, opened when a message needs it: by the message's
 * own `cluster`, else by the cluster of its topic (wire name).
 */
export function routedProducers(
  clients: ReadonlyMap<string, ProducerSource>,
  clusterOfWire: (topic: string) => string,
): ProducerSource {
  return {
    producer: (options) =>
      new RoutedProducer(
        (message) => message.cluster ?? clusterOfWire(message.topic),
        (cluster) => {
          const client = clients.get(cluster) ?? clients.get(mainCluster)
          return (client as ProducerSource).producer(options)
        },
      ),
  }
}

class RoutedProducer implements Producer {
  readonly #clusterOf: (message: EncodedMessage) => string
  readonly #open: (cluster: string) => Producer
  readonly #byCluster = new Map<string, Producer>()

  constructor(clusterOf: (message: EncodedMessage) => string, open: (cluster: string) => Producer) {
    this.#clusterOf = clusterOf
    this.#open = open
  }

  send(message: OutgoingMessage): Promise<SendResult> {
    return this.#at(this.#clusterOf(message)).send(message)
  }

  post(message: OutgoingMessage, delivery: Delivery): void {
    this.#at(this.#clusterOf(message)).post(message, delivery)
  }

  async sendMany(messages: readonly OutgoingMessage[]): Promise<readonly SendResult[]> {
    const results = await Promise.allSettled(messages.map((message) => this.send(message)))
    const errors = results.flatMap((one) =>
      one.status === 'rejected' ? [one.reason as Error] : [],
    )
    if (errors.length === 1) throw errors[0] as Error
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} messages failed`)
    return results.map((one) => (one as PromiseFulfilledResult<SendResult>).value)
  }

  async flush(options?: Parameters<Producer['flush']>[0]): Promise<void> {
    await Promise.all(Array.from(this.#byCluster.values(), (one) => one.flush(options)))
  }

  async close(options?: Parameters<Producer['close']>[0]): Promise<void> {
    await Promise.all(Array.from(this.#byCluster.values(), (one) => one.close(options)))
  }

  get buffered(): { readonly messages: number; readonly bytes: number } {
    let messages = 0
    let bytes = 0
    for (const { buffered } of this.#byCluster.values()) {
      messages += buffered.messages
      bytes += buffered.bytes
    }
    return { messages, bytes }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #at(cluster: string): Producer {
    let producer = this.#byCluster.get(cluster)
    if (producer === undefined) {
      producer = this.#open(cluster)
      this.#byCluster.set(cluster, producer)
    }
    return producer
  }
}

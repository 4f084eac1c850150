/** Confirms orders by mail. The outside cannot roll back, so a mail may be sent twice; it carries the message's id as its own. */
import { defineApp, defineConfig, defineConsumer, retry, startWorker, type Worker } from 'millrace'

import { orders } from './orders.ts'

export interface MailServer {
  /** The same id is the same mail. */
  readonly send: (id: string, to: string, text: string) => 'sent' | 'busy'
}

export function startMailing(server: MailServer, brokers: readonly string[]): Promise<Worker> {
  const mail = defineConsumer({
    topic: orders,
    name: 'mail',
    each(message) {
      const { orderId, customer } = message.value
      const id = message.header('millrace-id') ?? orderId
      const answer = server.send(id, customer, `Thank you for order ${orderId}`)
      if (answer === 'busy') return retry({ after: '100ms' })
    },
  })
  const config = defineConfig({
    clientId: 'mails',
    brokers,
    app: defineApp({ consumers: [mail] }),
  })
  return startWorker(config, { signals: false, log: false, createTopics: true })
}

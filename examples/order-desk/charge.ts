/** Charges cards. A card must not be charged twice, so the consumer has an inbox: the charge and the memory of it are one commit. */
import { defineApp, defineConfig, defineConsumer, startWorker, type Worker } from 'millrace'

import type { Database } from './database.ts'
import { orders } from './orders.ts'

export async function startCharging(
  database: Database,
  brokers: readonly string[],
): Promise<Worker> {
  await database.query('create table if not exists charges (order_id text, cents integer)')
  const inbox = database.inbox()
  await inbox.createTables()
  const charge = defineConsumer({
    topic: orders,
    name: 'charge',
    inbox,
    async each({ value }, { tx }) {
      await database.run(tx, 'insert into charges values (?, ?)', value.orderId, value.cents)
    },
  })
  const config = defineConfig({
    clientId: 'payments',
    brokers,
    app: defineApp({ consumers: [charge] }),
  })
  return startWorker(config, { signals: false, log: false, createTopics: true })
}

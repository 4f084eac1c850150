/**
 * Added a year later, by another team: a point for each dollar ever spent. It starts at the earliest message, so it has the
 * history, and no file of the order service knows of it.
 */
import { defineApp, defineConfig, defineConsumer, startWorker, type Worker } from 'millrace'

import type { Database } from './database.ts'
import { orders } from './orders.ts'

export async function startLoyalty(
  database: Database,
  brokers: readonly string[],
): Promise<Worker> {
  await database.query(
    'create table if not exists points (customer text primary key, points integer not null)',
  )
  const inbox = database.inbox()
  await inbox.createTables()
  const loyalty = defineConsumer({
    topic: orders,
    name: 'loyalty',
    start: 'earliest',
    inbox,
    async each({ value: { customer, cents } }, { tx }) {
      await database.run(
        tx,
        'insert into points values (?, ?) on conflict (customer) do update set points = points.points + excluded.points',
        customer,
        Math.floor(cents / 100),
      )
    },
  })
  const config = defineConfig({
    clientId: 'loyalty',
    brokers,
    app: defineApp({ consumers: [loyalty] }),
  })
  return startWorker(config, { signals: false, log: false, createTopics: true })
}

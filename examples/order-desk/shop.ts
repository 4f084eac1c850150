/**
 * The order service: it takes orders, and says so. Order and event are one commit, so there is never one without the other;
 * the relay beside it brings the events to the topic, now or when the broker is back.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

import { defineApp, defineConfig, startRelay } from 'millrace'

import type { Database } from './database.ts'
import { orders } from './orders.ts'

export interface Shop extends AsyncDisposable {
  readonly url: string
}

export async function openShop(database: Database, brokers: readonly string[]): Promise<Shop> {
  await database.query(
    'create table if not exists orders (id text primary key, customer text not null, cents integer not null check (cents > 0))',
  )
  const outbox = database.outbox({ topics: [orders] })
  await outbox.createTables()

  const placeOrder = (orderId: string, customer: string, cents: number): Promise<void> =>
    database.transaction(async (tx) => {
      await outbox.send(tx, orders, {
        key: customer,
        value: { type: 'order-placed', orderId, customer, cents },
      })
      await database.run(tx, 'insert into orders values (?, ?, ?)', orderId, customer, cents)
    })

  const server = createServer((request, response) => {
    void (async () => {
      try {
        const { orderId, customer, cents } = JSON.parse(await text(request)) as {
          readonly orderId: string
          readonly customer: string
          readonly cents: number
        }
        await placeOrder(orderId, customer, cents)
        response.writeHead(201).end()
      } catch {
        response.writeHead(422).end()
      }
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const config = defineConfig({ clientId: 'shop', brokers, app: defineApp({ topics: [orders] }) })
  const relay = await startRelay(outbox.relay({ lease: '2s' }), config)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await relay.stop()
    },
  }
}

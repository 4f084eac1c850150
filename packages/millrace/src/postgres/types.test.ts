import type { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'

import type { Pool, PoolClient } from 'pg'

import { Consumer, defineConsumer, defineTopic, type Inbox } from '../app/index.ts'
import { sqlInbox as sqliteInbox } from '../sqlite/index.ts'
import { sqlInbox, type PostgresTransaction, type TransactionOf } from './index.ts'

/** Compiles only when both types are the same. */
// oxlint-disable typescript/no-unnecessary-type-parameters -- comparing two generic functions is the only exact comparison
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
// oxlint-enable typescript/no-unnecessary-type-parameters
const same = <A, B>(_: Same<A, B>): void => {}

const orders = defineTopic<{ readonly id: number }>('orders')
interface OwnTx {
  readonly isOwn: true
}

describe('the type of a transaction', () => {
  it('comes from the database, with nothing written down', () => {
    const check = (pool: Pool, file: DatabaseSync): void => {
      defineConsumer({
        topic: orders,
        inbox: sqlInbox(pool),
        each({ value }, { tx, attempt }) {
          same<typeof tx, PoolClient>(true)
          same<typeof attempt, number>(true)
          same<typeof value, { readonly id: number }>(true)
        },
      })
      defineConsumer({
        topic: orders,
        inbox: sqliteInbox(file),
        batch: (_messages, { tx }) => same<typeof tx, DatabaseSync>(true),
      })
      defineConsumer({
        topic: orders,
        each: (_message, { tx }) => same<typeof tx, undefined>(true),
      })
      class Orders extends Consumer<typeof orders, 'each', PoolClient> {
        consume(): void {
          same<typeof this.tx, PoolClient>(true)
        }
      }
      defineConsumer({ topic: orders, inbox: sqlInbox(pool), use: Orders })
    }
    same<typeof check, (pool: Pool, file: DatabaseSync) => void>(true)
  })

  it('is what other libraries hand to a function', () => {
    type Drizzle = { transaction<T>(run: (tx: OwnTx) => Promise<T>, config?: object): Promise<T> }
    type PostgresJs = { begin<T>(run: (tx: OwnTx) => T | Promise<T>): Promise<T> }
    type Prisma = {
      $transaction<T>(run: (tx: OwnTx) => Promise<T>, options?: { timeout?: number }): Promise<T>
    }
    same<TransactionOf<Drizzle>, OwnTx>(true)
    same<TransactionOf<PostgresJs>, OwnTx>(true)
    same<TransactionOf<Prisma>, OwnTx>(true)
    const inboxOf = (database: Drizzle): Inbox<OwnTx> => sqlInbox(database)
    const isTransaction = (client: PoolClient | Pool): PostgresTransaction => client
    same<typeof inboxOf, (database: Drizzle) => Inbox<OwnTx>>(true)
    same<typeof isTransaction, (client: PoolClient | Pool) => PostgresTransaction>(true)
  })
})

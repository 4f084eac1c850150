import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'

import {
  Consumer,
  deadLetter,
  defineConsumer,
  defineTopic,
  failed,
  json,
  monitor,
  retry,
  skip,
  type Inbox,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { driveConsumer } from '../../../packages/millrace/src/testing/index.ts'
import { databases, type TestDatabase } from './databases.ts'

const orders = defineTopic('orders', { value: json<{ readonly id: number }>() })
const id = (n: number): { readonly 'millrace-id': string } => ({ 'millrace-id': `id-${n}` })

for (const { name, skip: skipped, open } of databases) {
  describe(`an inbox in ${name}`, { skip: skipped }, () => {
    let database: TestDatabase
    let inbox: Inbox<never>
    let duplicates: number[] = []
    let unsubscribe: () => void

    before(async () => {
      database = await open()
      inbox = database.inbox()
      await inbox.createTables()
      await inbox.createTables()
      await database.exec('create table effects (id integer)')
      unsubscribe = monitor.subscribe('consumer.duplicate', ({ offset }) => duplicates.push(offset))
    })
    after(async () => {
      unsubscribe?.()
      await database?.[Symbol.asyncDispose]()
    })
    beforeEach(async () => {
      duplicates = []
      await database.exec('delete from effects')
      await database.exec('delete from millrace_inbox')
    })

    const effect = (tx: unknown, of: number): Promise<unknown> =>
      database.tx(tx).query('insert into effects (id) values (?)', of)
    const effects = async (): Promise<number[]> =>
      (await database.query('select id from effects order by id')).map((row) => Number(row['id']))

    it('handles a message once, however often it comes, and counts the others', async () => {
      const consumer = defineConsumer({
        topic: orders,
        inbox,
        each: ({ value }, { tx }) => effect(tx, value.id),
      })
      await using drive = driveConsumer(consumer)
      await drive.deliver({ value: { id: 1 }, headers: id(1) })
      await drive.deliver(
        { value: { id: 1 }, headers: id(1) },
        { value: { id: 2 }, headers: id(2) },
      )
      assert.deepEqual(await effects(), [1, 2])
      assert.deepEqual(duplicates, [1])
      assert.deepEqual(drive.marked, [0, 1, 2])
      drive.crash()
      await drive.settle()
      assert.deepEqual(await effects(), [1, 2], 'as after a crash between effect and commit')
      assert.deepEqual(duplicates, [1, 0, 1, 2])
    })

    it('knows messages without an id by where they lie, and any by an id of yours', async () => {
      const own = database.inbox({ id: (message) => String((message.value as { id: number }).id) })
      for (const [index, with_] of [inbox, own].entries()) {
        const consumer = defineConsumer({
          topic: orders,
          group: `by-${index}`,
          inbox: with_,
          each: ({ value }, { tx }) => effect(tx, value.id),
        })
        await using drive = driveConsumer(consumer)
        await drive.deliver({ value: { id: 7 } }, { value: { id: 7 } })
        drive.crash()
        await drive.settle()
      }
      assert.deepEqual(await effects(), [7, 7, 7])
    })

    it('forgets an attempt that failed, with what it wrote', async () => {
      let attempts = 0
      const consumer = defineConsumer({
        topic: orders,
        inbox,
        backoff: '1s',
        async each({ value }, { tx }) {
          await effect(tx, value.id)
          attempts++
          if (attempts === 1) throw new Error('no answer')
          if (attempts === 2) return retry()
        },
      })
      await using drive = driveConsumer(consumer)
      await drive.deliver({ value: { id: 1 } })
      assert.deepEqual(await effects(), [])
      await drive.advance('1s')
      assert.deepEqual(await effects(), [])
      await drive.advance('1s')
      assert.deepEqual(await effects(), [1])
      assert.equal(attempts, 3)
      assert.deepEqual(duplicates, [])
    })

    it('keeps what was skipped, and forgets what went to the dead letters, so that it can be sent back', async () => {
      let isWell = false
      const consumer = defineConsumer({
        topic: orders,
        inbox,
        deadLetter: true,
        retries: 0,
        async each({ value }, { tx }) {
          await effect(tx, value.id)
          if (value.id === 1) return skip('not ours')
          if (value.id === 2 && !isWell) return deadLetter('unknown card')
          if (value.id === 3 && !isWell) throw new Error('no answer')
        },
      })
      await using drive = driveConsumer(consumer)
      const send = (n: number) => drive.deliver({ value: { id: n }, headers: id(n) })
      for (const n of [1, 2, 3]) await send(n)
      assert.deepEqual(await effects(), [1])
      assert.equal(drive.deadLetters.length, 2)
      isWell = true
      for (const n of [1, 2, 3]) await send(n)
      assert.deepEqual(await effects(), [1, 2, 3])
    })

    it('waits for what the handler sent, since nobody would send it again', async () => {
      const consumer = defineConsumer({
        topic: orders,
        inbox,
        backoff: '1s',
        async each({ value }, { tx, send }) {
          await effect(tx, value.id)
          void send('mails', { value: 'paid' })
        },
      })
      await using drive = driveConsumer(consumer)
      drive.failSends(() => new Error('the broker is away'))
      await drive.deliver({ value: { id: 1 } })
      assert.deepEqual(await effects(), [])
      drive.failSends(undefined)
      await drive.advance('1s')
      assert.deepEqual(await effects(), [1])
      assert.equal(drive.sent.length, 1)
    })

    it('takes known messages out of a batch, and the second of two with one id', async () => {
      const batches: number[][] = []
      const consumer = defineConsumer({
        topic: orders,
        inbox,
        async batch(messages, { tx }) {
          batches.push(messages.values.map((value) => value.id))
          for (const { value } of messages) await effect(tx, value.id)
        },
      })
      await using drive = driveConsumer(consumer)
      const of = (...all: readonly number[]) =>
        all.map((n) => ({ value: { id: n }, headers: id(n) }))
      await drive.deliver(...of(1, 2))
      await drive.deliver(...of(2, 3, 3, 4))
      await drive.deliver(...of(1, 4))
      assert.deepEqual(batches, [
        [1, 2],
        [3, 4],
      ])
      assert.deepEqual(await effects(), [1, 2, 3, 4])
      assert.deepEqual(
        duplicates.toSorted((left, right) => left - right),
        [2, 4, 6, 7],
      )
      assert.equal(drive.committed(), undefined)
      assert.equal(new Set(drive.marked).size, 8)
    })

    it('repeats of a batch what it named as failed, and nothing else', async () => {
      const batches: number[][] = []
      const consumer = defineConsumer({
        topic: orders,
        inbox,
        backoff: '1s',
        async batch(messages, { tx, attempt }) {
          batches.push(messages.values.map((value) => value.id))
          const bad = attempt > 1 ? undefined : [...messages].find(({ value }) => value.id === 2)
          for (const { value } of messages) if (value !== bad?.value) await effect(tx, value.id)
          if (bad !== undefined) return failed([{ message: bad, error: new Error('no') }])
        },
      })
      await using drive = driveConsumer(consumer)
      await drive.deliver(...[1, 2, 3].map((n) => ({ value: { id: n }, headers: id(n) })))
      assert.deepEqual(await effects(), [1, 3])
      await drive.advance('1s')
      assert.deepEqual(batches, [[1, 2, 3], [2]])
      assert.deepEqual(await effects(), [1, 2, 3])
    })

    it('handles what the handler gave up by hand when it is sent back', async () => {
      let isWell = false
      const consumer = defineConsumer({
        topic: orders,
        inbox,
        deadLetter: true,
        async batch(messages, { tx, deadLetter: giveUp }) {
          for (const message of messages) {
            if (message.value.id === 2 && !isWell) await giveUp(message, 'unknown card')
            else await effect(tx, message.value.id)
          }
        },
      })
      await using drive = driveConsumer(consumer)
      const all = [1, 2, 3].map((n) => ({ value: { id: n }, headers: id(n) }))
      await drive.deliver(...all)
      assert.deepEqual(await effects(), [1, 3])
      assert.equal(drive.deadLetters.length, 1)
      isWell = true
      await drive.deliver(...all)
      assert.deepEqual(await effects(), [1, 2, 3])
    })

    it('gives its transaction to classes, and is refused with offsets by hand', async () => {
      class Orders extends Consumer<typeof orders, 'each', never> {
        async consume(): Promise<void> {
          await effect(this.tx, this.message.value.id)
        }
      }
      {
        await using drive = driveConsumer(defineConsumer({ topic: orders, inbox, use: Orders }))
        await drive.deliver(
          { value: { id: 1 }, headers: id(1) },
          { value: { id: 1 }, headers: id(1) },
        )
      }
      assert.deepEqual(await effects(), [1])
      const manual = defineConsumer({ topic: orders, inbox, offsets: 'manual', each: () => {} })
      assert.throws(() => driveConsumer(manual), /orders\.offsets: manual contradicts inbox/)
    })

    it('handles a message once that comes over two partitions at the same moment', async () => {
      const entered: number[] = []
      const consumer = defineConsumer({
        topic: orders,
        inbox,
        async each({ value }, { tx }) {
          entered.push(value.id)
          await effect(tx, value.id)
          await new Promise((resolve) => setTimeout(resolve, 20))
        },
      })
      await using drive = driveConsumer(consumer)
      const message = { value: { id: 1 }, headers: id(1) }
      await drive.deliver({ ...message, partition: 0 }, { ...message, partition: 1 })
      assert.deepEqual(await effects(), [1])
      assert.deepEqual(entered, [1])
    })

    it('forgets what is older than it keeps', async () => {
      const short = database.inbox({ keep: '50ms' })
      await short.transaction((tx) => short.remember(tx, 'group', ['old', 'older']))
      await new Promise((resolve) => setTimeout(resolve, 80))
      await short.transaction((tx) => short.remember(tx, 'group', ['new']))
      assert.equal(await short.prune(), 2)
      const fresh = await short.transaction((tx) =>
        short.remember(tx, 'group', ['old', 'new', 'old']),
      )
      assert.deepEqual([...fresh], ['old'])
      await database.inbox({ keep: 'forever' }).prune()
    })

    if (name === 'Postgres')
      it('finishes nothing that the database has rolled back behind a caught error', async () => {
        let attempts = 0
        const consumer = defineConsumer({
          topic: orders,
          inbox,
          backoff: '1s',
          async each({ value }, { tx }) {
            await effect(tx, value.id)
            if (attempts++ === 0)
              await database
                .tx(tx)
                .query('select nonsense')
                .catch(() => {})
          },
        })
        await using drive = driveConsumer(consumer)
        await drive.deliver({ value: { id: 1 } })
        assert.deepEqual(await effects(), [])
        assert.ok(isFailure(drive.failures[0]?.error, 'MR_SQL_ROLLED_BACK'))
        await drive.advance('1s')
        assert.deepEqual(await effects(), [1])
      })
  })
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { encodeHeaders } from './headers.ts'
import type { NewRow, OutboxStore, StoredRow } from './store.ts'

/** A store with its tables made, and how a row comes into it. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: OutboxStore
  readonly insert: (row: NewRow) => Promise<unknown>
  /** Lets time pass for leases. */
  readonly pass: (ms: number) => Promise<unknown>
}

export function row(shard: number, key: string | null, more: Partial<NewRow> = {}): NewRow {
  return {
    shard,
    id: crypto.randomUUID(),
    topic: 'orders',
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from('{}'),
    headers: encodeHeaders([]),
    partition: null,
    timestampMs: 1,
    ...more,
  }
}

const everything = [{ shard: 0, limit: 100, after: 0 }]

/** What every store of an outbox promises. */
export function outboxStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`outbox store: ${name}`, () => {
    it('gives back what was put in, per shard in the order of insertion, as many as asked for', async () => {
      await using opened = await open()
      const { store, insert } = opened
      const odd = row(1, null, {
        value: null,
        headers: encodeHeaders([
          ['a', null],
          ['a', Buffer.from([0, 255])],
        ]),
        partition: 3,
        timestampMs: 1_700_000_000_123,
      })
      for (const one of [row(0, 'a'), odd, row(0, 'b'), row(0, 'a')]) await insert(one)
      const rows = await store.read([
        { shard: 0, limit: 2, after: 0 },
        { shard: 1, limit: 10, after: 0 },
        { shard: 2, limit: 10, after: 0 },
      ])
      assert.deepEqual(
        rows.map(({ shard, key }) => [shard, key?.toString()]),
        [
          [0, 'a'],
          [0, 'b'],
          [1, undefined],
        ],
      )
      const { seq: _seq, createdMs, ...found } = rows[2] as StoredRow
      assert.deepEqual(found, odd)
      assert.ok(createdMs > 0)
      const after = rows[0]?.seq ?? 0
      const behind = await store.read([{ shard: 0, limit: 10, after }])
      assert.deepEqual(
        behind.map(({ key }) => key?.toString()),
        ['b', 'a'],
      )
    })

    it('lends a shard to one owner at a time, under a higher epoch each time', async () => {
      await using opened = await open()
      const { store, pass } = opened
      const first = await store.claim('one', 200)
      assert.equal(first.length, 8)
      assert.deepEqual(await store.claim('two', 200), [])
      const again = await store.claim('one', 200)
      assert.deepEqual(again.toSorted(byShard), first.toSorted(byShard), 'renewed, the epoch stays')
      await pass(250)
      const second = (await store.claim('two', 10_000)).toSorted(byShard)
      assert.deepEqual(
        second,
        first.toSorted(byShard).map(({ shard, epoch }) => ({ shard, epoch: epoch + 1 })),
      )
      await store.release('one', first)
      assert.deepEqual(await store.claim('one', 200), [], 'what is not its own is not released')
      await store.release('two', second)
      assert.equal((await store.claim('one', 200)).length, 8)
    })

    it('deletes rows only under the epoch that is held', async () => {
      await using opened = await open()
      const { store, insert } = opened
      await insert(row(0, 'a'))
      await insert(row(0, 'b'))
      const leases = await store.claim('one', 10_000)
      const rows = await store.read(everything)
      const stale = leases.map(({ shard, epoch }) => ({ shard, epoch: epoch - 1 }))
      assert.equal(await store.remove(rows, stale), 0)
      assert.equal(await store.remove(rows.slice(0, 1), leases), 1)
      assert.equal(await store.remove(rows, leases), 1, 'what is gone is no fault')
      assert.deepEqual(await store.read(everything), [])
    })

    it('keeps back what is behind a failed row of its key and topic, and nothing else', async () => {
      await using opened = await open()
      const { store, insert } = opened
      for (const one of [
        row(0, 'a'),
        row(0, 'a'),
        row(0, 'b'),
        row(0, null),
        row(0, 'a', { topic: 'mails' }),
        row(0, null),
      ])
        await insert(one)
      const [lease] = (await store.claim('one', 10_000)).filter(({ shard }) => shard === 0)
      assert.ok(lease)
      const rows = await store.read(everything)
      const [first, , , keyless] = rows as [StoredRow, StoredRow, StoredRow, StoredRow]
      await store.markFailed(first, { ...lease, epoch: lease.epoch - 1 }, 'by a stale relay')
      assert.equal((await store.stats()).failed, 0)
      await store.markFailed(first, lease, 'too large')
      await store.markFailed(keyless, lease, 'too large')
      const left = await store.read(everything)
      assert.deepEqual(
        left.map(({ key, topic }) => `${topic} ${key?.toString() ?? 'none'}`),
        ['orders b', 'mails a', 'orders none'],
      )
      const { waiting, failed, oldestMs } = await store.stats()
      assert.deepEqual({ waiting, failed }, { waiting: 4, failed: 2 })
      assert.ok(oldestMs >= 0)
      const listed = await store.list({ isFailed: true, limit: 10 })
      assert.deepEqual(
        listed.map(({ id, key, bytes, failed: why }) => ({ id, key, bytes, why })),
        [
          { id: first.id, key: 'a', bytes: 3, why: 'too large' },
          { id: keyless.id, key: null, bytes: 2, why: 'too large' },
        ],
      )
      assert.equal((await store.list({ isFailed: false, limit: 3 })).length, 3)
      assert.equal(await store.drop([keyless.id]), 1)
      assert.equal(await store.retry([crypto.randomUUID()]), 0)
      assert.equal(await store.retry(undefined), 1)
      assert.equal((await store.read(everything)).length, 5)
      assert.equal(await store.drop(undefined), 0, 'what waits is not dropped')
    })
  })
}

function byShard(left: { readonly shard: number }, right: { readonly shard: number }): number {
  return left.shard - right.shard
}

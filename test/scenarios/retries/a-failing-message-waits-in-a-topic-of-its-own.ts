/**
 * While a message fails, what lies behind it is handled. It is tried again by the same group and handler from a retry topic,
 * never before its time, then it is given up; bytes, headers and partition stay as they were.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<{ readonly id: number }>('orders')
const delaysMs = [150, 400]
const retryTopics = delaysMs.map((ms) => `orders-retry-billing-${ms}ms`)

await scenario(
  {
    topics: Object.fromEntries(
      ['orders', ...retryTopics, 'orders-dlt'].map((name) => [name, { partitions: 2 }]),
    ),
  },
  async (scene) => {
    const tries: { readonly id: number; readonly at: number; readonly place: string }[] = []
    const consumer = defineConsumer({
      topic: orders,
      group: 'billing',
      retryTopics: delaysMs.map((ms) => `${ms}ms`),
      deadLetter: true,
      each({ topic, partition, value }) {
        tries.push({ id: value.id, at: Date.now(), place: `${topic}/${partition}` })
        if (value.id === 1) throw new RangeError('no such card')
      },
    })
    const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
    await using worker = await start()
    scene.watch('tries', () => tries)
    scene.watch('partitions', () => worker.partitions)
    await scene.send('orders', [
      { partition: 1, key: 'k', value: '{"id":1}', headers: [['own', 'x']] },
      { partition: 1, key: 'k', value: '{"id":2}' },
    ])
    await scene.until('it was given up', async () => {
      return (await scene.log('orders-dlt', 1)).records.length === 1
    })

    assert.deepEqual(
      tries.slice(0, 2).map(({ id }) => id),
      [1, 2],
      'the next one did not wait',
    )
    const own = tries.filter(({ id }) => id === 1)
    assert.deepEqual(
      own.map(({ place }) => place),
      ['orders/1', 'orders/1', 'orders/1'],
    )
    for (const [index, ms] of delaysMs.entries()) {
      const [copy] = (await scene.log(retryTopics[index] ?? '', 1)).records
      const header = (name: string): string | undefined =>
        copy?.headers.findLast(([key]) => key === name)?.[1]?.toString()
      const dueMs = Number(header('millrace-retry-at'))
      assert.ok(dueMs >= (own[index]?.at ?? Infinity) + ms, 'the whole delay')
      assert.ok((own[index + 1]?.at ?? 0) >= dueMs, 'and never early')
      assert.equal(copy?.value?.toString(), '{"id":1}')
      assert.equal(copy?.key?.toString(), 'k')
      assert.equal(header('own'), 'x')
    }
    await worker.commit()
    assert.equal(await committed('billing', 'orders', 1), 2)
    assert.equal(await committed('billing', retryTopics[1] ?? '', 1), 1)
    const [letter] = (await scene.log('orders-dlt', 1)).records
    const headers = new Map(letter?.headers.map(([name, value]) => [name, value?.toString()]))
    assert.equal(headers.get('millrace-source-topic'), scene.topic('orders'))
    assert.equal(headers.get('millrace-source-offset'), '0')
    assert.equal(headers.get('millrace-attempts'), '3')
  },
)

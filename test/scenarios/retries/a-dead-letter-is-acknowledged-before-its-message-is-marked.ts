/**
 * The bytes go unchanged, with every header, to the same partition; while the dead letter topic refuses them the
 * message stays, and the handler is not called again.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')
const value = Buffer.from([0x00, 0xff, 0x7b])

await scenario(
  {
    topics: {
      orders: { partitions: 2 },
      // Too small for any message at first.
      'orders-dlt': { partitions: 2, configs: { 'max.message.bytes': '1' } },
      'others-dlt': { partitions: 2 },
    },
  },
  async (scene) => {
    let calls = 0
    let refused = 0
    let target = 'orders-dlt'
    const unsubscribe = monitor.subscribe({ onDeadletterFailed: () => void refused++ })
    const consumer = defineConsumer({
      topic: orders,
      group: 'billing',
      backoff: '30ms',
      deadLetter: { topic: () => target },
      each(message) {
        calls++
        void message.value
      },
    })
    const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
    await scene.send('orders', [
      {
        partition: 1,
        key: 'k',
        value,
        headers: [
          ['h', '1'],
          ['h', '2'],
        ],
      },
    ])
    {
      await using worker = await start()
      await scene.until('the topic has refused it twice', () => refused >= 2)
      assert.equal(worker.partitions.find(({ partition }) => partition === 1)?.lag, 1)
      target = 'others-dlt'
      await scene.until(
        'it went',
        async () => (await scene.log('others-dlt', 1)).records.length === 1,
      )
    }
    unsubscribe()
    assert.equal(calls, 1)
    assert.equal(await committed('billing', 'orders', 1), 1)
    const [letter] = (await scene.log('others-dlt', 1)).records
    assert.deepEqual(letter?.value, value)
    assert.equal(letter?.key?.toString(), 'k')
    const headers = letter?.headers.map(([name, text]) => [name, text?.toString()]) ?? []
    assert.deepEqual(headers.slice(0, 2), [
      ['h', '1'],
      ['h', '2'],
    ])
    const of = new Map(headers as [string, string][])
    assert.equal(of.get('millrace-source-topic'), scene.topic('orders'))
    assert.equal(of.get('millrace-source-partition'), '1')
    assert.equal(of.get('millrace-reason'), 'undecodable')
    assert.equal(of.get('millrace-group'), 'billing')
  },
)

/**
 * Two groups read a topic, one of them gave a message up. The copy that comes back is handled by that group, with its own bytes
 * and headers, and finished unseen by the other. A preview beforehand changes nothing.
 */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  monitor,
  redrive,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<{ readonly id: number }>('orders')

await scenario(
  { topics: { orders: { partitions: 2 }, 'orders-dlt': { partitions: 2 } } },
  async (scene) => {
    let isRepaired = false
    const seen: Record<'billing' | 'mail', string[]> = { billing: [], mail: [] }
    const filtered: string[] = []
    const unsubscribe = monitor.subscribe({
      onConsumerFiltered: ({ group, by }) => filtered.push(`${group} ${by}`),
    })
    const billing = defineConsumer({
      topic: orders,
      group: 'billing',
      retries: 0,
      deadLetter: true,
      each({ value, partition }) {
        if (value.id === 2 && !isRepaired) throw new RangeError('no such card')
        seen.billing.push(`${value.id} in ${partition}`)
      },
    })
    const mail = defineConsumer({
      topic: orders,
      name: 'mail',
      group: 'mail',
      each: ({ value, partition }) => void seen.mail.push(`${value.id} in ${partition}`),
    })
    const { start } = scenarioApp(scene, { consumers: [billing, mail] })
    await using worker = await start()
    await scene.send('orders', [
      { partition: 1, key: 'a', value: '{"id":1}' },
      { partition: 1, key: 'b', value: '{"id":2}', headers: [['own', 'x']] },
    ])
    await scene.until(
      'one died',
      async () => (await scene.log('orders-dlt', 1)).records.length === 1,
    )
    await scene.until('mail has both', () => seen.mail.length === 2, { lastSeen: () => seen })

    isRepaired = true
    const options = { from: scene.topic('orders-dlt'), where: { error: 'RangeError' } }
    const preview = await redrive(scene.client, { ...options, dryRun: true })
    assert.deepEqual([preview.chosen, preview.sent], [1, 0])
    assert.deepEqual(preview.byError, [{ error: 'RangeError', count: 1 }])
    assert.deepEqual(preview.byGroup, [{ group: 'billing', count: 1 }])
    assert.equal((await scene.log('orders', 1)).records.length, 2)

    const report = await redrive(scene.client, options)
    assert.deepEqual([report.chosen, report.sent, report.isComplete], [1, 1, true])
    await scene.until('billing has it', () => seen.billing.includes('2 in 1'))
    await scene.until('mail has passed it', () => filtered.length === 1)
    await worker.commit()
    unsubscribe()
    assert.deepEqual(filtered, ['mail only-group'])
    assert.deepEqual(seen.mail, ['1 in 1', '2 in 1'])
    const copy = (await scene.log('orders', 1)).records[2]
    assert.equal(copy?.value?.toString(), '{"id":2}')
    const headers = new Map(copy?.headers.map(([name, value]) => [name, value?.toString()]))
    assert.equal(headers.get('own'), 'x')
    assert.equal(headers.get('millrace-redrives'), '1')
    assert.equal(headers.get('millrace-last-error-message'), 'no such card')

    const nothing = await redrive(scene.client, options)
    assert.deepEqual([nothing.read, nothing.sent], [0, 0], 'the job is done')
  },
)

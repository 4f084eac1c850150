import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { events } from '../telemetry/index.ts'
import { monitor } from './index.ts'

const skipped = {
  group: 'g',
  groupId: 'monitor-test',
  consumer: 'c',
  topic: 't',
  partition: 0,
  offset: 1,
  reason: 'r',
}

describe('the monitor', () => {
  it('takes a name and a function, or an object of methods', () => {
    const heard: unknown[] = []
    const ends = [
      monitor.subscribe('consumer.skipped', (payload) => heard.push(payload)),
      monitor.subscribe({ onConsumerSkipped: ({ reason }) => heard.push(reason) }),
    ]
    events.consumerSkipped.publish(skipped)
    for (const end of ends) end()
    events.consumerSkipped.publish(skipped)
    assert.deepEqual(heard, [skipped, 'r'])
  })

  it('refuses what there is not, and names the nearest', () => {
    assert.throws(() => monitor.subscribe('consumer.skiped', () => {}), {
      code: 'MR_MONITOR_EVENT_UNKNOWN',
      message: /did you mean consumer\.skipped\?/,
    })
    assert.throws(() => monitor.subscribe({ onConsumerSkiped: () => {} } as never), {
      message: /did you mean onConsumerSkipped\?/,
    })
  })

  it('leaves nothing behind when one of several names is wrong', () => {
    const listeners = { onConsumerSkipped: () => {}, onNothing: () => {} } as never
    assert.throws(() => monitor.subscribe(listeners), { code: 'MR_MONITOR_EVENT_UNKNOWN' })
    assert.equal(events.consumerSkipped.isHeard, false)
  })

  it('takes events of the application, once each, and none of ours', () => {
    const paid = monitor.register<{ readonly cents: number }>(
      'test-shop.paid',
      'An order was paid.',
    )
    const heard: number[] = []
    const end = monitor.subscribe('test-shop.paid', ({ cents }: { cents: number }) => {
      heard.push(cents)
    })
    paid.publish({ cents: 5 })
    end()
    assert.deepEqual(heard, [5])
    assert.equal(monitor.register('test-shop.paid', 'again'), paid)
    assert.ok(monitor.names.includes('test-shop.paid'))
    assert.throws(() => monitor.register('consumer.failed', ''), { code: 'MR_MONITOR_EVENT_TAKEN' })
    assert.throws(() => monitor.register('Paid', ''), { code: 'MR_MONITOR_EVENT_NAME' })
  })

  it('lists every event of Millrace once', () => {
    const names = Object.values(events).map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
    assert.deepEqual(monitor.names.slice(0, names.length), names)
  })
})

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

  it('lists every event once', () => {
    assert.ok(monitor.names.includes('consumer.failed'))
    assert.equal(new Set(monitor.names).size, Object.keys(events).length)
  })
})

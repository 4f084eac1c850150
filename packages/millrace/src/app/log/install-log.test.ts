import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { events } from '../../telemetry/index.ts'
import type { Logger } from '../ports.ts'
import { installLog } from './install-log.ts'

const groupId = 'shop_log-test'
const place = {
  group: 'accounts',
  groupId,
  consumer: 'UsersConsumer',
  topic: 'users',
  partition: 0,
}
const job = { ...place, offset: 42, messages: 1, attempt: 3 }
const member = { clientId: 'shop', groupId, memberId: 'm-1', generation: 3 }

const heard = (level: string, isDevelopment: boolean, publish: () => void): string[] => {
  const lines: string[] = []
  const at =
    (name: string) =>
    (_fields: object, text: string): void =>
      void lines.push(`${name} ${text}`)
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
  const rules = { groupIds: new Set([groupId]), clientId: 'shop', isDevelopment, level }
  const end = installLog(logger, rules)
  try {
    publish()
  } finally {
    end()
  }
  return lines
}

describe('log lines', () => {
  it('say what happened to a message, with the group and its partitions in front', () => {
    const lines = heard('info', true, () => {
      events.groupAssigned.publish({
        ...member,
        added: [{ topic: 'users', partition: 0 }],
        kept: [],
      })
      events.jobFinished.publish({ ...job, durationMs: 70, result: 'done', timeLagMs: 5 })
      events.offsetsMarked.publish({ ...place, offset: 42 })
      events.offsetsCommitted.publish({
        ...member,
        offsets: [{ topic: 'users', partition: 0, offset: 43 }],
        latencyMs: 1,
      })
      events.consumerFailed.publish({ ...job, error: new TypeError('no'), nextInMs: 4000 })
      events.consumerRetrying.publish({ ...job, attempt: 4 })
    })
    const prefix = `[${groupId}] {users: 0} `
    assert.deepEqual(lines, [
      `info ${prefix}Joined as m-1, generation 3, assigned users/0`,
      `info ${prefix}UsersConsumer processed 1 message of users/0:42 in 70 ms`,
      `info ${prefix}Marked users/0:42`,
      `info ${prefix}Committed users/0:43`,
      `error ${prefix}UsersConsumer failed on users/0 at offset 42, attempt 3, next in 4 s -- TypeError: no`,
      `info ${prefix}Retrying UsersConsumer on users/0 from offset 42, attempt 4`,
    ])
  })

  it('are not even subscribed to below the level', () => {
    const lines = heard('error', false, () => {
      assert.equal(events.jobFinished.isHeard, false)
      events.consumerFailed.publish({ ...job, error: new Error('no'), nextInMs: undefined })
    })
    assert.equal(lines.length, 1)
  })

  it('are silent about other groups, and at the level silent', () => {
    const publish = (): void =>
      events.consumerFailed.publish({ ...job, groupId: 'other', error: 1, nextInMs: 1 })
    assert.deepEqual(heard('debug', true, publish), [])
    const ours = (): void => events.consumerFailed.publish({ ...job, error: 1, nextInMs: 1 })
    assert.deepEqual(heard('silent', true, ours), [])
  })
})
